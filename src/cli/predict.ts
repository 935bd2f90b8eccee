import { basename } from "node:path";
import { mismatch } from "../errors.ts";
import {
  type ModelChange,
  type PredictResult,
  predictChange,
  readItems,
  resolveCorpus,
  toPredictReport,
} from "../index.ts";
import type { Command } from "./command.ts";
import { isSilent, modelFlags, seedFlag, seedOf, shownFlags } from "./flags.ts";
import { openModelOf } from "./open-model.ts";
import { type OpenChanged, readSmallChange, readTruthChange, readUnrelated, toChange } from "./predict-changes.ts";
import { createProgress } from "./progress.ts";
import { chooseMap } from "./propensity-vectors.ts";
import { toRunRecord } from "./run-record-of.ts";
import { checkStudyFolder, showStudy, studyFlags } from "./study-output.ts";

const name = "predict";

export const command: Command = {
  name,
  summary: "predict from a small model what a change does to a large one",
  usage: "predict SMALL LARGE --map FILE --items FILE CHANGE -o DIR [options]",
  description: `
    A change of a model (a fine-tune, a low-rank adapter, a steering vector, a system prompt) moves its hidden states. If two models hold the same
    things in linearly related places, the same change should move the other's states by as much, seen through the map. So: read the small model on
    the items before and after the change, carry the difference through the map, add it to the large model, and see how its answers change.
    Nothing of the large model has to be trained, or even changed.

    It is predicted in three ways: from the mean change; from each item's own change, as at the end of its prompt; and position by position. Given
    the truth, the large model changed alike, each is scored over the items: correlation, sign, slope, and skill, which is 0 for predicting no
    change at all. Beside them stand what needs no map (the change of the small model's own answers, a strong guess) and what should
    predict nothing: random directions, random changes carried, with --corpus a map of shuffled pairs, with --unrelated another change.

    The map says at which layer the change is read and added; what it does to later blocks of the large model is missed. A vector must act
    at that layer of the small model or before it. The large model is told the same words, so --system and --prefix have their truth by themselves.`,
  positionals: { least: 2, most: 2 },
  options: {
    map: { type: "string", value: "FILE", description: "map from SMALL to LARGE, as trimtab fit makes it" },
    layer: { type: "string", value: "N", description: "target layer of the map, for a file of several" },
    items: { type: "string", value: "FILE", description: "rows of {prompt, positive, negative}" },
    limit: { type: "string", value: "N", description: "items that are used", default: "all" },
    "small-after": { type: "string", value: "MODEL", description: "the change: SMALL after a fine-tune" },
    "small-lora": {
      type: "string",
      value: "FILE[=SCALE]",
      description: "the change: a low-rank adapter of SMALL, GGUF",
    },
    vector: { type: "string", value: "FILE=STRENGTH", description: "the change: a steering vector of SMALL" },
    system: { type: "string", value: "TEXT", description: "the change: a system prompt" },
    prefix: { type: "string", value: "TEXT", description: "the change: words directly before every prompt" },
    "large-after": { type: "string", value: "MODEL", description: "the truth: LARGE after the same fine-tune" },
    "large-lora": {
      type: "string",
      value: "FILE[=SCALE]",
      description: "the truth: an adapter of LARGE, trained alike",
    },
    "large-vector": { type: "string", value: "FILE=STRENGTH", description: "the truth: a vector found in LARGE" },
    unscored: { type: "boolean", description: "only predict: do not tell LARGE the words of --system or --prefix" },
    unrelated: {
      type: "string",
      value: "KIND:VALUE",
      description: "null: another change of SMALL; KIND after, lora, vector, system or prefix",
    },
    rows: {
      type: "string",
      value: "WHICH",
      description: "the mean change is of the prompts' last positions, all their positions, or the corpus",
      default: "last",
    },
    corpus: { type: "string", value: "PATH", description: "text for --rows corpus, and for a map of shuffled pairs" },
    "max-rows": {
      type: "string",
      value: "N",
      description: "rows of that text",
      default: "20 for each dimension of SMALL, at least 20000",
    },
    random: { type: "string", value: "N", description: "draws of each random null", default: "20" },
    "mean-only": { type: "boolean", description: "leave out position by position, which keeps every row of the items" },
    ...studyFlags,
    ...seedFlag,
    ...modelFlags,
    ...shownFlags,
  },
  examples: [
    {
      line: "trimtab predict s.gguf l.gguf --map m.safetensors --items q.csv --small-lora a.gguf --large-lora b.gguf -o p",
      explains: "Two adapters trained on the same stories: the small one's effect predicts the large one's.",
    },
    {
      line: "trimtab predict 2b.gguf 9b.gguf --map m.safetensors --items mcq.jsonl --system 'Answer as a pirate.' -o run",
      explains: "A system prompt, read on the small model alone; the large one's own answer to it is the truth.",
    },
  ],
  async run(args, effects) {
    const start = effects.clock();
    const given = readSmallChange(args);
    const truthGiven = readTruthChange(args, given);
    const unrelatedGiven = readUnrelated(args);
    for (const flag of ["map", "items"])
      if (!args.isSet(flag))
        throw mismatch("usage", name, `--${flag} FILE`, "none", { hint: `trimtab ${name} --help explains it` });
    const rows = args.choice("rows", ["last", "all", "corpus"]) ?? "last";
    if (rows === "corpus" && !args.isSet("corpus"))
      throw mismatch("usage", name, "--corpus PATH with --rows corpus", "none");
    if (args.isSet("max-rows") && !args.isSet("corpus"))
      throw mismatch("usage", name, "--corpus with --max-rows", "--max-rows alone");
    const folder = await checkStudyFolder(args, name);
    const [map, path] = [await chooseMap(args.text("map")!, args.whole("layer", 0, 100_000)), args.text("items")!];
    const items = (await readItems(path)).slice(0, args.whole("limit", 2, 1_000_000) ?? Number.POSITIVE_INFINITY);
    const corpus = args.isSet("corpus") ? await resolveCorpus(args.text("corpus")!) : undefined;
    const progress = createProgress(effects, { silent: isSilent(args) });
    const warnings: string[] = [];
    const [small, large] = args.positionals as [string, string];
    const opener =
      (own: string): OpenChanged =>
      ({ reference = own, lora }) =>
        openModelOf(reference, args, effects, { progress, ...(lora && { lora: [lora] }) });
    const warn = (text: string) => void warnings.push(text);
    const of = async (spec: typeof unrelatedGiven, own: string): Promise<ModelChange | undefined> =>
      spec && toChange(spec.kind, spec.value, { flag: spec.flag, open: opener(own), warn });
    try {
      const {
        models,
        warnings: found,
        ...findings
      } = await predictChange({
        openSmall: () => opener(small)({}),
        openLarge: () => opener(large)({}),
        map,
        items,
        change: (await of(given, small)) as ModelChange,
        truth: await of(truthGiven, large),
        unrelated: await of(unrelatedGiven, small),
        rows,
        corpus,
        maxRows: args.whole("max-rows", 100, Number.MAX_SAFE_INTEGER),
        positions: args.isSet("mean-only") ? false : undefined,
        draws: args.whole("random", 1, 1000),
        seed: seedOf(args),
        signal: effects.signal,
        onProgress: (state) =>
          progress.update({ ...state, unit: state.label.startsWith("fitting") ? "rows" : "passes" }),
      });
      progress.finish();
      const result: PredictResult = {
        ...findings,
        settings: { ...findings.settings, items: basename(path) },
        run: toRunRecord(
          [
            { role: "source", model: models.source },
            { role: "target", model: models.target },
          ],
          effects,
          {
            title: "What a change of a small model says of a large one",
            seed: seedOf(args),
            start,
            warnings: [...new Set([...warnings, ...found])],
          },
        ),
      };
      await showStudy(folder, { name: "predict", result, report: toPredictReport(result) }, { args, effects });
    } finally {
      progress.finish();
    }
    return 0;
  },
};
