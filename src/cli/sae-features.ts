import { basename } from "node:path";
import { mismatch } from "../errors.ts";
import {
  checkSaeModel,
  contrastFeatures,
  type FeatureContrast,
  formatNumber,
  formatReadPosition,
  formatSite,
  parseReadPosition,
  readContrastSet,
  readPairFeatures,
  readSae,
  renderContrastFeatures,
  renderTable,
  residPost,
  toStandaloneSvg,
  writeFileAtomic,
} from "../index.ts";
import type { Command } from "./command.ts";
import { isSilent, modelFlags, seedFlag, seedOf, shownFlags } from "./flags.ts";
import { renderList } from "./list.ts";
import { openModelOf } from "./open-model.ts";
import { checkOutput } from "./output-path.ts";
import { createProgress } from "./progress.ts";

const name = "sae features";

export const command: Command = {
  name,
  summary: "find the features that tell the two sides of a contrast set apart",
  usage: "sae features MODEL --sae PATH --pairs FILE [options]",
  description: `
    You have pairs of texts that differ in a concept, and want the features that carry it, to look at or to steer with. Each text is read, its
    states are coded, and each feature's activations are averaged over the positions read.

    AUROC is the chance that a text with the concept has more of the feature than one without. Features are chosen on one half of the pairs and
    scored on the other: among thousands of features some always look good on the pairs they were chosen on. How good, the last line says: there
    the sides of every pair were exchanged at random, and the best feature chosen in the same way. p counts how often it did as well.

    A feature that stands for the other side is marked −. See with trimtab sae examples what a feature fires on: one that tells French from
    English may fire on "le" only.`,
  positionals: { least: 1, most: 1 },
  options: {
    sae: { type: "string", value: "PATH", description: "the autoencoder, a folder or a file" },
    pairs: { type: "string", value: "FILE", description: "pairs of texts that have the concept and have not" },
    concept: { type: "string", value: "NAME", description: "concept to take from a --pairs file that holds several" },
    layer: { type: "string", value: "L", description: "block whose output it codes", default: "where it was trained" },
    read: {
      type: "string",
      value: "POSITION",
      description: "last, last-content, difference-mean, all-mean or end-N",
      default: "difference-mean",
    },
    top: { type: "string", value: "N", description: "features to list", default: "10" },
    "held-out": { type: "string", value: "SHARE", description: "share of the pairs to score on", default: "0.5" },
    shuffles: { type: "string", value: "N", description: "times to exchange sides at random", default: "200" },
    special: { type: "boolean", description: "read <|…|> in the texts as special tokens" },
    svg: { type: "string", value: "FILE", description: "write the table as a drawing" },
    force: { type: "boolean", short: "f", description: "replace the drawing if it is there" },
    ...seedFlag,
    ...modelFlags,
    ...shownFlags,
  },
  examples: [
    {
      line: "trimtab sae features demo:s --sae sae-s --pairs models/data/pairs/french.jsonl",
      explains: "Which features of the small model stand for French?",
    },
    {
      line: "trimtab sae features gemma-2b.gguf --sae average_l0_82 --pairs refusal.jsonl --read last --json",
      explains: "Read at the last token only; for a script.",
    },
  ],
  async run(args, effects) {
    const [path, pairsPath] = [args.text("sae"), args.text("pairs")];
    if (path === undefined)
      throw mismatch("usage", name, "--sae PATH", "none", { hint: "trimtab sae train makes one" });
    if (pairsPath === undefined) throw mismatch("usage", name, "--pairs FILE", "none");
    const svg = args.isSet("svg") ? await checkOutput(args, [".svg"], "svg") : undefined;
    const readAt = parseReadPosition(args.text("read") ?? "difference-mean");
    const layer = args.whole("layer", 0, 1 << 20);
    const options = {
      top: args.whole("top", 1, 1000),
      heldOut: args.number("held-out", 0.01, 0.99),
      shuffles: args.whole("shuffles", 19, 100_000),
      seed: seedOf(args),
      signal: effects.signal,
    };
    const pairs = await readContrastSet(pairsPath, { concept: args.text("concept") });
    const progress = createProgress(effects, { silent: isSilent(args) });
    try {
      const sae = await readSae(path, { signal: effects.signal });
      await using model = await openModelOf(args.positionals[0]!, args, effects, { progress });
      const { site, warnings } = checkSaeModel(sae, model.description, {
        ...(layer !== undefined && { site: residPost(layer) }),
        ...(sae.origin.modelSha256 !== undefined && { sha256: await model.sha256() }),
      });
      const F = await readPairFeatures(model, sae, pairs, {
        site,
        readAt,
        parseSpecial: args.isSet("special"),
        signal: effects.signal,
        onProgress: ({ done, total }) => progress.update({ label: "reading pairs", done, total, unit: "texts" }),
      });
      const found = contrastFeatures(F, options);
      progress.finish();
      if (svg !== undefined)
        await writeFileAtomic(
          svg,
          new TextEncoder().encode(
            `${toStandaloneSvg(renderContrastFeatures(found, describeDrawing(path, pairsPath)))}\n`,
          ),
        );
      const shown = { site: formatSite(site), readAt: formatReadPosition(readAt) };
      if (args.isSet("json")) effects.stdout.write(`${JSON.stringify({ ...shown, ...found, warnings })}\n`);
      else {
        effects.stdout.write(describe(found, shown));
        for (const warning of warnings) effects.stderr.write(`warning: ${warning}\n`);
      }
    } finally {
      progress.finish();
    }
    return 0;
  },
};

function describeDrawing(sae: string, pairs: string): string {
  return `Features of ${basename(sae)} that tell the sides of ${basename(pairs)} apart, on pairs held out, beside features chosen with sides exchanged`;
}

function describe(
  { pairs, activeFeatures, features, shuffled }: FeatureContrast,
  { site, readAt }: { readonly site: string; readonly readAt: string },
): string {
  const right = { align: "right" } as const;
  const percent = (share: number): string => `${formatNumber(100 * share, 0)} %`;
  const table = renderTable(
    [
      { title: "feature", ...right },
      { title: "side" },
      { title: "AUROC, chosen on", ...right },
      { title: "AUROC, held out", ...right },
      { title: "95 %" },
      { title: "difference", ...right },
      { title: "active +", ...right },
      { title: "active −", ...right },
      { title: "p", ...right },
    ],
    features.map(({ feature, side, chosen, heldOut, active, p }) => [
      String(feature),
      side === "positive" ? "+" : "−",
      formatNumber(chosen.auroc, 3),
      formatNumber(heldOut.auroc, 3),
      heldOut.interval === null
        ? "–"
        : `${formatNumber(heldOut.interval.low, 3)} to ${formatNumber(heldOut.interval.high, 3)}`,
      heldOut.difference.toPrecision(3),
      percent(active.positive),
      percent(active.negative),
      formatNumber(p, 3),
    ]),
  );
  return [
    renderList([
      ["pairs", `${pairs.chosen} to choose on, ${pairs.heldOut} held out`],
      ["read", `${readAt} at ${site}`],
      ["features", `${activeFeatures} active in at least one text`],
    ]),
    table,
    "",
    `best feature with sides exchanged at random, held out: median ${formatNumber(shuffled.median, 3)}, ` +
      `95 % below ${formatNumber(shuffled.p95, 3)}, most ${formatNumber(shuffled.max, 3)} in ${shuffled.draws} draws`,
    "",
  ].join("\n");
}
