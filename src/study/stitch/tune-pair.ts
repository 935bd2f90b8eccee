import type { EngineModel } from "../../engine/engine-model.ts";
import { residPost } from "../../engine/site.ts";
import { openTail } from "../../engine/tail/open-tail.ts";
import type { TailModel } from "../../engine/tail/tail-model.ts";
import { TrimtabError } from "../../errors.ts";
import type { Affine } from "../../maps/fit/fit-ridge.ts";
import { type OutputHead, readHead } from "../../stitch/read-head.ts";
import { toTailInput, tuneMap } from "../../stitch/tune-map.ts";
import { type DocumentLosses, toDocumentLosses, toLoss } from "./document-losses.ts";
import type { PairMaps } from "./pair-maps.ts";
import { toTunedWindows } from "./score-target.ts";
import type { StatesAt } from "./source-states.ts";
import type { SplitText, StudyText } from "./split-text.ts";
import type { StitchPair, TunedPair } from "./stitch-result.ts";
import type { AloneScores, FirstRows } from "./study-stitch.ts";

/** States on which an output head is tried. */
const checkedStates = 16;

/** Reads the target's output head; a sentence says why it cannot be tuned through. */
export async function readHeadOf(
  target: EngineModel,
  { windows }: StudyText,
  { options }: { options: { readonly signal?: AbortSignal | undefined; readonly threads?: number | undefined } },
): Promise<OutputHead | string> {
  const layer = target.description.blocks - 1;
  let check: Float32Array = new Float32Array(0);
  const window = (windows[0] as Int32Array).slice(0, checkedStates);
  for await (const { states } of target.readStates([window], { sites: [residPost(layer)] }))
    check = states[0] as Float32Array;
  try {
    await using last = await openTail(target.description.path, {
      layer,
      whole: target,
      threads: options.threads ?? target.threads,
      signal: options.signal,
    });
    return await readHead(last, check);
  } catch (thrown) {
    if (thrown instanceof TrimtabError && thrown.code === "unsupported") return thrown.message;
    throw thrown;
  }
}

export interface TunePairOptions {
  readonly tail: TailModel;
  readonly head: OutputHead;
  readonly text: SplitText;
  readonly maps: PairMaps;
  readonly firstRows: FirstRows;
  readonly states: { readonly heldOut: StatesAt; readonly validation: StatesAt; readonly tuning: StatesAt };
  readonly alone: { readonly source: AloneScores };
  readonly seed: number;
  readonly signal: AbortSignal | undefined;
}

/** Tunes the map of one pair on tuning documents, keeps what validation documents approve, and scores it on those held out. */
export async function tunePair(
  { source, target }: StitchPair,
  { tail, head, text, maps, firstRows, states, alone, seed, signal }: TunePairOptions,
): Promise<TunedPair> {
  const first = firstRows.get(target) ?? new Map<number, Float32Array>();
  const plain = maps.of(source, target).map;
  const tuned = await tuneMap(plain, {
    tail,
    head,
    training: toTunedWindows(text.tuning, await states.tuning(source), first),
    validation: toTunedWindows(text.validation, await states.validation(source), first),
    seed,
    signal,
  });
  const held = toTunedWindows(text.heldOut, await states.heldOut(source), first);
  const score = async (map: Affine): Promise<DocumentLosses> =>
    toDocumentLosses(
      await tail.logProbabilities(held.map((window) => toTailInput(map, window))),
      text.heldOut.documents,
    );
  const [before, after] = [await score(plain), await score(tuned)];
  return {
    loss: toLoss(after, seed),
    againstSource: toLoss(after, seed, alone.source.losses),
    againstPlain: toLoss(after, seed, before),
    validationNats: tuned.rounds.at(-1)?.validationNats ?? tuned.startNats,
    kept: tuned.rounds.map(({ kept }) => kept),
  };
}
