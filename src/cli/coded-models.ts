import { mismatch } from "../errors.ts";
import {
  type CodedModel,
  type Corpus,
  checkSaeModel,
  type EngineModel,
  formatSite,
  type LayerPair,
  parseLayerPair,
  readSae,
  type Site,
  trainCodedModel,
} from "../index.ts";
import type { Arguments } from "./arguments.ts";
import type { Flag } from "./command.ts";
import type { Effects } from "./effects.ts";
import { seedOf } from "./flags.ts";
import type { Progress } from "./progress.ts";
import { checkStudyFolder } from "./study-output.ts";

/** How a study trains the autoencoders that it is not given. */
export const trainingFlags: Readonly<Record<"features" | "k" | "steps", Flag>> = {
  features: { type: "string", value: "N", description: "features of an autoencoder trained here", default: "1024" },
  k: { type: "string", value: "N", description: "active features of a row of such a one", default: "16" },
  steps: { type: "string", value: "N", description: "training steps of 1024 rows of such a one", default: "600" },
};

export interface CodedModelOptions {
  /** The flag that names an autoencoder. */
  readonly flag: string;
  /** Where it reads if neither it nor the user says so, or where it is trained. */
  readonly site: Site;
  /** Whether the user named the layer. */
  readonly isAsked: boolean;
  readonly corpus: Corpus;
  readonly context: number | undefined;
  readonly progress: Progress;
  readonly effects: Effects;
}

/** A model with the autoencoder that a flag names, or one trained on the corpus; and warnings about the two. */
export async function codedModelOf(
  model: EngineModel,
  args: Arguments,
  { flag, site, isAsked, corpus, context, progress, effects }: CodedModelOptions,
): Promise<{ readonly coded: CodedModel; readonly warnings: readonly string[] }> {
  const path = args.text(flag);
  if (path !== undefined) {
    const sae = await readSae(path);
    const asked = isAsked || sae.origin.site === undefined ? { site } : {};
    const found = checkSaeModel(sae, model.description, { ...asked, sha256: await model.sha256() });
    return { coded: { model, sae, saeName: path, site: found.site }, warnings: found.warnings };
  }
  const { name } = model.description;
  progress.note(`training an autoencoder of ${name} at ${formatSite(site)}`);
  const coded = await trainCodedModel(model, {
    site,
    corpus,
    context,
    features: args.whole("features", 2, 1 << 20) ?? 1024,
    k: args.whole("k", 1, 1 << 16) ?? 16,
    steps: args.whole("steps", 1, 1 << 30) ?? 600,
    seed: seedOf(args),
    signal: effects.signal,
    onProgress: ({ step, steps }) =>
      progress.update({ label: `training on ${name}`, done: step, total: steps, unit: "steps" }),
  });
  progress.finish();
  return { coded, warnings: [] };
}

/** What the words of a study of coded models say before anything is opened. */
export interface CodedWords {
  readonly folder: string;
  /** Of the corpus. */
  readonly path: string;
  readonly pair: LayerPair | undefined;
  readonly context: number | undefined;
  readonly seed: number;
}

/** Reads the words that studies of coded models share. @throws usage, io */
export async function readCodedWords(args: Arguments, name: string): Promise<CodedWords> {
  const folder = await checkStudyFolder(args, name);
  const path = args.text("corpus");
  if (path === undefined) throw mismatch("usage", name, "--corpus PATH", "none");
  const asked = args.text("layers");
  const pair = asked === undefined ? undefined : parseLayerPair(asked);
  return { folder, path, pair, context: args.whole("context", 2, 1 << 20), seed: seedOf(args) };
}
