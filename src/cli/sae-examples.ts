import { mismatch } from "../errors.ts";
import {
  checkSaeModel,
  directionTokens,
  type FeatureExample,
  type FeatureExamples,
  type FeatureSummary,
  findExamples,
  formatNumber,
  formatSite,
  readSae,
  residPost,
  resolveContext,
  type TokenLogit,
  toWindows,
} from "../index.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { isSilent, modelFlags, shownFlags } from "./flags.ts";
import { limitTokens } from "./limit-tokens.ts";
import { renderList } from "./list.ts";
import { openModelOf } from "./open-model.ts";
import { createProgress } from "./progress.ts";
import { readSaeCorpus, saeTextFlags } from "./sae-text.ts";

const name = "sae examples";
/** More examples of a feature than anyone reads. */
const mostExamples = 1000;

export const command: Command = {
  name,
  summary: "show the texts in which features of an autoencoder are strongest",
  usage: "sae examples MODEL --sae PATH --feature N[,M…] [--corpus PATH] [options]",
  description: `
    What a feature stands for is read from where it is active. The model reads the text, the autoencoder codes every hidden state, and for
    each feature asked for you see the places where it is strongest, the token marked »like this«, at most one from a window of text.

    The strongest places flatter: they look clearer than the feature is. So you also see how often it fires, how its activations are spread,
    and which tokens it fires on. A feature that fires on one token only may be no more than that token.

    Promoted and suppressed are the tokens that the direction which the feature writes would make likelier and less likely if it went straight
    to the end of the model (the logit lens). Of layers far from the end it says little.

    First positions, special tokens and sinks are not counted. PATH is a folder of SAELens, Gemma Scope 1 or 2, Llama Scope, or of
    trimtab sae train; trimtab inspect PATH says what it is.`,
  positionals: { least: 1, most: 1 },
  options: {
    sae: { type: "string", value: "PATH", description: "the autoencoder, a folder or a file" },
    feature: { type: "string", value: "N[,M…]", description: "numbers of features, from 0", multiple: true },
    layer: { type: "string", value: "L", description: "block whose output it codes", default: "where it was trained" },
    top: { type: "string", value: "N", description: "places to show of each feature", default: "10" },
    ...saeTextFlags,
    "no-lens": { type: "boolean", description: "leave out the tokens promoted and suppressed" },
    ...modelFlags,
    ...shownFlags,
  },
  examples: [
    {
      line: "trimtab sae examples demo:s --sae sae-s --feature 12,40",
      explains: "Two features on the package's own stories.",
    },
    {
      line: "trimtab sae examples gemma-2b.gguf --sae average_l0_82 --feature 200 --corpus pile/ --max-tokens 500000",
      explains: "A feature of Gemma Scope on the first half million tokens of a folder.",
    },
  ],
  async run(args, effects) {
    const path = args.text("sae");
    if (path === undefined)
      throw mismatch("usage", name, "--sae PATH", "none", { hint: "trimtab sae train makes one" });
    const features = parseFeatures(args);
    const top = args.whole("top", 1, mostExamples);
    const layer = args.whole("layer", 0, 1 << 20);
    const maxTokens = args.whole("max-tokens", 1, Number.MAX_SAFE_INTEGER);
    const asked = args.whole("context", 2, 1 << 20);
    const corpus = await readSaeCorpus(args, name);
    const progress = createProgress(effects, { silent: isSilent(args) });
    try {
      const sae = await readSae(path, { signal: effects.signal });
      await using model = await openModelOf(args.positionals[0]!, args, effects, { progress, context: asked });
      const site = layer === undefined ? undefined : residPost(layer);
      const { warnings } = checkSaeModel(sae, model.description, {
        site,
        // Only asked for where there is something to compare it with: of a large file it takes a while.
        ...(sae.origin.modelSha256 !== undefined && { sha256: await model.sha256() }),
      });
      const context = resolveContext(asked, [model]);
      const windows = toWindows(model, corpus.documents({ signal: effects.signal }), { context });
      const found = await findExamples(model, sae, limitTokens(windows, maxTokens), features, {
        site,
        top,
        signal: effects.signal,
        onProgress: ({ rows, fraction }) =>
          progress.update({
            label: "reading",
            done: rows,
            total: maxTokens ?? (fraction > 0 ? Math.round(rows / fraction) : undefined),
            unit: "tokens",
          }),
      });
      const lenses = new Map<number, Lens>();
      if (!args.isSet("no-lens"))
        for (const feature of features) {
          const direction = sae.decoder.slice(feature * sae.width, (feature + 1) * sae.width);
          // A feature that writes nothing promotes nothing.
          if (direction.some((value) => value !== 0))
            lenses.set(feature, await directionTokens(model, direction, { signal: effects.signal }));
        }
      progress.finish();
      if (args.isSet("json"))
        effects.stdout.write(
          `${JSON.stringify({ ...found, warnings, site: formatSite(found.site), features: found.features.map((one) => ({ ...one, lens: lenses.get(one.feature) ?? null })) })}\n`,
        );
      else {
        effects.stdout.write(describe(found, lenses));
        for (const warning of warnings) effects.stderr.write(`warning: ${warning}\n`);
      }
    } finally {
      progress.finish();
    }
    return 0;
  },
};

interface Lens {
  readonly promoted: readonly TokenLogit[];
  readonly suppressed: readonly TokenLogit[];
}

function parseFeatures(args: Arguments): readonly number[] {
  const given = args.texts("feature").flatMap((text) => text.split(","));
  if (given.length === 0)
    throw mismatch("usage", name, "--feature N", "none", { hint: "trimtab sae features finds some" });
  return given.map((text) => {
    if (!/^\d{1,9}$/.test(text.trim()))
      throw mismatch("usage", "--feature", "numbers of features, as 12 or 12,40", JSON.stringify(text.slice(0, 40)));
    return Number(text);
  });
}

function describe(
  { site, documents, windows, rows, leftOut, features }: FeatureExamples,
  lenses: ReadonlyMap<number, Lens>,
): string {
  const { first, special, sink } = leftOut;
  const head = renderList([
    ["read", `${rows} tokens in ${documents} documents (${windows} windows), at ${formatSite(site)}`],
    ["left out", `${first} first positions, ${special} special tokens, ${sink} sinks`],
  ]);
  return [head, ...features.map((one) => describeFeature(one, lenses.get(one.feature)))].join("\n");
}

function describeFeature(
  { feature, active, firingRate, documents, values, tokens, examples }: FeatureSummary,
  lens: Lens | undefined,
): string {
  const rows: [string, string][] = [["feature", String(feature)]];
  if (values === null) rows.push(["active", "never on this text"]);
  else {
    const { mean, p50, p90, p99, max } = values;
    rows.push(
      ["active", `${active} tokens, ${formatNumber(100 * firingRate, 3)} %, in ${documents} documents`],
      [
        "activation",
        `median ${short(p50)}, mean ${short(mean)}, 90 % ${short(p90)}, 99 % ${short(p99)}, max ${short(max)}`,
      ],
      ["tokens", tokens.map(({ text, share }) => `${quote(text)} ${formatNumber(100 * share, 0)} %`).join("  ")],
    );
  }
  if (lens)
    rows.push(
      ["promoted", lens.promoted.map(({ text }) => quote(text)).join(" ")],
      ["suppressed", lens.suppressed.map(({ text }) => quote(text)).join(" ")],
    );
  const width = Math.max(0, ...examples.map(({ value }) => short(value).length));
  return renderList(rows) + examples.map((one) => `  ${short(one.value).padStart(width)}  ${mark(one)}\n`).join("");
}

function short(value: number): string {
  return value.toPrecision(3);
}

/** On one line: a line end becomes ⏎. The space that many tokens begin with stays outside of the marks. */
function mark({ before, token, after }: FeatureExample): string {
  const word = token.trimStart();
  const space = word === "" ? "" : token.slice(0, token.length - word.length);
  return plain(`${before}${space}»${word === "" ? token : word}«${after}`);
}

function quote(text: string): string {
  return `"${plain(text)}"`;
}

function plain(text: string): string {
  return text.replaceAll(/\r?\n/g, "⏎").replaceAll(/\p{Cc}/gu, " ");
}
