import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { mismatch } from "../errors.ts";
import { type EngineModel, formatStudy, parseLayerPair, renderPage, type Study, writeFileAtomic } from "../index.ts";
import type { Command } from "./command.ts";
import { formatDemo } from "./demo-print.ts";
import { type DemoConcept, demoConcepts, runDemoStudy } from "./demo-study.ts";
import { isSilent, modelFlags, seedFlag, seedOf, shownFlags, threadsOf } from "./flags.ts";
import { openModelOf } from "./open-model.ts";
import { checkOutput } from "./output-path.ts";
import { createProgress } from "./progress.ts";

/** How much is run: what fits a minute on two cores, or all there is. */
const sizes = {
  quick: { strengths: [0.25, 0.5], items: 32, texts: 12, maxTokens: 64, rows: 20_000 },
  full: { strengths: [0.25, 0.5, 0.75], items: 120, texts: 50, maxTokens: 80, rows: 100_000 },
};

export const command: Command = {
  name: "demo",
  summary: "watch a small model steer a larger one, offline",
  usage: "demo [options]",
  description: `
    Runs the whole method on two of the small models that come with the package, which write simple stories. Maps are fitted from
    the hidden states of the small model to those of the larger one, all from one reading. For each concept a steering vector is found in the small model
    and carried through the map of its layers; then the larger model is steered by it, by the vector found in the larger model itself, and by twenty
    random directions of the same length, and what they do is measured on sentences none of the models was trained on.

    Everything is computed here and now; the same seed gives the same numbers on the same machine. No pair of
    layers suits every concept: mood and tense are carried best to a later block than the others. Each concept has layers of its own,
    and --layers puts all of them at one pair. A concept that does not transfer stays in the table and is shown as such. The page with all tables, plots and texts is
    written to report.html.`,
  positionals: { least: 0, most: 0 },
  options: {
    output: { type: "string", short: "o", value: "FILE", description: "page to write", default: "report.html" },
    force: { type: "boolean", short: "f", description: "replace the page whatever it is" },
    full: { type: "boolean", description: "all items, strengths and texts: several minutes" },
    concepts: {
      type: "string",
      value: "LIST",
      description: `some of ${demoConcepts.map(({ name }) => name).join(",")}`,
      default: "all",
    },
    layers: {
      type: "string",
      value: "A:B",
      description: "layers to join for every concept",
      default: "each concept's own",
    },
    source: { type: "string", value: "MODEL", description: "the small model: demo:xs or demo:s", default: "demo:s" },
    ...seedFlag,
    ...modelFlags,
    ...shownFlags,
  },
  examples: [
    { line: "trimtab demo", explains: "About a minute on two cores." },
    {
      line: "trimtab demo --full --source demo:xs -o xs.html",
      explains: "The smallest model steers, with every item and text.",
    },
  ],
  async run(args, effects) {
    const source = args.choice("source", ["demo:s", "demo:xs"]) ?? "demo:s";
    const layers = args.text("layers") === undefined ? undefined : parseLayerPair(args.text("layers")!);
    const concepts = chooseConcepts(args.text("concepts"));
    const path = args.text("output") ?? (await ownReport("report.html", args.isSet("force")));
    const output = args.text("output") === undefined ? path : await checkOutput(args, [".html"]);
    const progress = createProgress(effects, { silent: isSilent(args) });
    const lanes = Math.min(threadsOf(args) ?? availableParallelism(), concepts.length);
    await using small = await openModelOf(source, args, effects, { progress, threads: 1 });
    const larges: EngineModel[] = [];
    let study: Study;
    try {
      while (larges.length < lanes) larges.push(await openModelOf("demo:m", args, effects, { progress, threads: 1 }));
      study = await runDemoStudy(small, larges, {
        ...sizes[args.isSet("full") ? "full" : "quick"],
        layers,
        concepts,
        seed: seedOf(args),
        clock: effects.clock,
        signal: effects.signal,
        progress,
      });
    } finally {
      progress.finish();
      for (const large of larges) await large.close();
    }
    await writeFileAtomic(output, new TextEncoder().encode(renderPage(study)), { signal: effects.signal });
    if (args.isSet("json")) effects.stdout.write(formatStudy(study));
    else
      effects.stdout.write(`${formatDemo(study, ["French", "Past tense"])}\n${farewell(output, study.elapsedMs ?? 0)}`);
    return 0;
  },
};

function chooseConcepts(list: string | undefined): readonly DemoConcept[] {
  if (list === undefined) return demoConcepts;
  return list.split(",").map((word) => {
    const found = demoConcepts.find(({ name }) => name === word.trim());
    if (found) return found;
    throw mismatch("usage", "--concepts", `some of ${demoConcepts.map(({ name }) => name).join(", ")}`, word);
  });
}

function farewell(output: string, elapsedMs: number): string {
  return `All of it with plots and more texts: ${output}   (${(elapsedMs / 1000).toFixed(0)} s)
Carried to an earlier block, the mood vector does little:  trimtab demo --layers 1:1 --concepts happy
Next, with your own models:  trimtab fit SMALL LARGE --corpus TEXT -o map.safetensors   (trimtab --help)
`;
}

/** The default page may replace an older one of its own making, and nothing else. */
async function ownReport(path: string, isForced: boolean): Promise<string> {
  if (isForced) return path;
  const old = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw mismatch("io", path, "to write the page there", error.message, { hint: "name another file with -o" });
  });
  if (old !== undefined && !old.includes('<meta name="generator" content="trimtab">'))
    throw mismatch("usage", path, "no file, or an older page of trimtab", "another file", {
      hint: "name another file with -o, or add --force",
    });
  return path;
}
