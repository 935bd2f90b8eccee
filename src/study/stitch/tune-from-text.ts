import type { Corpus } from "../../activations/corpus.ts";
import { resolveContext } from "../../activations/windows.ts";
import { toIdentity } from "../../engine/description.ts";
import type { EngineModel } from "../../engine/engine-model.ts";
import { residPost } from "../../engine/site.ts";
import { openTail } from "../../engine/tail/open-tail.ts";
import { mismatch } from "../../errors.ts";
import { trimtabVersion } from "../../models/trimtab-version.ts";
import { checkStitch } from "../../stitch/check-stitch.ts";
import type { TunedStitch } from "../../stitch/stitch-file.ts";
import type { StitchMap } from "../../stitch/stitched-model.ts";
import { type TunedWindow, type TuneRound, toTailInput, tuneMap } from "../../stitch/tune-map.ts";
import { meanLoss, toDocumentLosses, toLoss } from "./document-losses.ts";
import { toTunedWindows } from "./score-target.ts";
import { openStates } from "./source-states.ts";
import { type StudyText, splitText } from "./split-text.ts";
import type { StitchLoss } from "./stitch-result.ts";
import { readHeadOf } from "./tune-pair.ts";

export interface TuneFromTextOptions {
  readonly corpus: Corpus;
  /** From one layer of the source. */
  readonly map: StitchMap;
  /** Documents that are scored, that choose, and that are tuned on. Default 40, 20 and 200. */
  readonly heldOut?: number | undefined;
  readonly validation?: number | undefined;
  readonly tuning?: number | undefined;
  readonly context?: number | undefined;
  readonly seed?: number | undefined;
  readonly rounds?: number | undefined;
  readonly steps?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onRound?: ((round: TuneRound) => void) | undefined;
}

/** A tuned map, and what tuning brought on held-out documents. */
export interface TunedFromText {
  readonly stitch: TunedStitch;
  readonly plain: StitchLoss;
  readonly tuned: StitchLoss;
  /** Loss less that of the map before. */
  readonly gain: StitchLoss;
  /** Loss less that of the source alone. */
  readonly againstSource: StitchLoss;
}

/**
 * Tunes a map between two models on text ({@link tuneMap}): some documents are tuned on, some choose how far, and some take no part but are
 * scored at the end.
 *
 * @throws incompatible for a map of other models; unsupported for a map from several layers, or a target whose output head is no norm and
 * matrix; bad-input for too little text; aborted
 */
export async function tuneFromText(
  source: EngineModel,
  target: EngineModel,
  { corpus, map, heldOut = 40, validation = 20, tuning = 200, seed = 0, signal, ...options }: TuneFromTextOptions,
): Promise<TunedFromText> {
  const { layer } = map.target.site;
  checkStitch(source.description, { description: target.description, layer }, map);
  const from = map.sources[0]!.site.layer;
  if (map.sources.length > 1)
    throw mismatch("unsupported", "map", "one from a single layer", `one from ${map.sources.length}`);
  const context = resolveContext(options.context, [source, target]);
  const text = await splitText(source, corpus, { heldOut, validation, tuning, context, seed, signal });
  const opened = { threads: target.threads, whole: target, context: target.context, signal };
  const head = await readHeadOf(target, text.validation, { options: opened });
  if (typeof head === "string")
    throw mismatch("unsupported", target.description.name, "an output head that can be tuned through", head);
  await using tail = await openTail(target.description.path, { ...opened, layer });
  const windowsOf = async (part: StudyText): Promise<TunedWindow[]> => {
    const firsts = [...new Set(part.windows.map((window) => window[0] as number))];
    const rows = new Map<number, Float32Array>();
    const sites = [residPost(layer)];
    for await (const { index, states } of target.readStates(
      firsts.map((token) => Int32Array.of(token)),
      { sites },
    ))
      rows.set(firsts[index] as number, states[0] as Float32Array);
    return toTunedWindows(part, await openStates(source, part.windows, [from], signal)(from), rows);
  };
  const [training, choosing, held] = [
    await windowsOf(text.tuning),
    await windowsOf(text.validation),
    await windowsOf(text.heldOut),
  ];
  const tuned = await tuneMap(map, { ...options, tail, head, training, validation: choosing, seed, signal });
  const score = async (affine: Pick<StitchMap, "A" | "p">) =>
    toDocumentLosses(
      await tail.logProbabilities(held.map((window) => toTailInput(affine, window))),
      text.heldOut.documents,
    );
  const [before, after] = [await score(map), await score(tuned)];
  const items = text.heldOut.windows.map((tokens) => ({
    prompt: tokens.slice(0, 1),
    continuations: [tokens.slice(1)],
  }));
  const own = (await source.logProbabilities(items)).map(([row]) => row as Float64Array);
  const alone = toDocumentLosses(own, text.heldOut.documents);
  const tokensOf = ({ windows }: StudyText): number => windows.reduce((sum, { length }) => sum + length - 1, 0);
  const models = {
    source: toIdentity(source.description, await source.sha256()),
    target: toIdentity(target.description, await target.sha256()),
  };
  return {
    stitch: {
      A: tuned.A,
      p: tuned.p,
      sources: [{ site: residPost(from), model: models.source }],
      target: { site: residPost(layer), model: models.target },
      tuning: {
        corpus: corpus.name,
        seed,
        documents: { tuning: new Set(text.tuning.documents).size, validation, heldOut },
        tokens: { tuning: tokensOf(text.tuning), heldOut: tokensOf(text.heldOut) },
        rounds: tuned.rounds,
        heldOut: { plainNats: meanLoss(before), tunedNats: meanLoss(after), sourceNats: meanLoss(alone) },
        version: trimtabVersion(),
      },
    },
    plain: toLoss(before, seed),
    tuned: toLoss(after, seed),
    gain: toLoss(after, seed, before),
    againstSource: toLoss(after, seed, alone),
  };
}
