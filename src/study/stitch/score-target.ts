import type { EngineModel } from "../../engine/engine-model.ts";
import type { TailInput } from "../../engine/native/tail-runner.ts";
import { residPost } from "../../engine/site.ts";
import type { TailModel } from "../../engine/tail/tail-model.ts";
import type { Affine } from "../../maps/fit/fit-ridge.ts";
import { joinStitched } from "../../stitch/stitched-model.ts";
import { type TunedWindow, toTailInput } from "../../stitch/tune-map.ts";
import { type ModelWeights, stitchCost } from "../../stitch/weights.ts";
import { type DocumentLosses, meanLoss, toDocumentLosses, toLoss } from "./document-losses.ts";
import type { PairMaps } from "./pair-maps.ts";
import type { StatesAt } from "./source-states.ts";
import type { SplitText, StudyText } from "./split-text.ts";
import type { StitchPair, StitchTarget } from "./stitch-result.ts";
import type { AloneScores, FirstRows } from "./study-stitch.ts";
import { timeWriting } from "./time-writing.ts";

export interface ScoringOptions {
  readonly source: EngineModel;
  readonly tail: TailModel;
  readonly text: SplitText;
  readonly maps: PairMaps;
  readonly untrainedMaps: PairMaps | undefined;
  readonly firstRows: FirstRows;
  readonly states: {
    readonly heldOut: StatesAt;
    readonly validation: StatesAt;
    readonly untrained: StatesAt | undefined;
  };
  readonly weights: { readonly source: ModelWeights; readonly target: ModelWeights };
  readonly alone: { readonly source: AloneScores };
  readonly seed: number;
  readonly clock: () => number;
}

/** Scores of everything that enters the late blocks behind one target layer. */
export interface TargetScoring {
  pair(source: number, target: number): Promise<StitchPair>;
  nulls(): Promise<StitchTarget>;
}

/** Opens the scoring of one tail. */
export function openScoring(options: ScoringOptions): TargetScoring {
  const { source, tail, text, maps, untrainedMaps, states, weights, alone, seed, clock } = options;
  const first = options.firstRows.get(tail.layer) ?? new Map<number, Float32Array>();
  const scoreInputs = async (inputs: readonly TailInput[], { documents }: StudyText): Promise<DocumentLosses> =>
    toDocumentLosses(await tail.logProbabilities(inputs), documents);
  const score = async (map: Affine, part: StudyText, statesAt: readonly Float32Array[]): Promise<DocumentLosses> =>
    scoreInputs(
      toTunedWindows(part, statesAt, first).map((window) => toTailInput(map, window)),
      part,
    );
  return {
    async pair(from, target) {
      const { map, shuffled, lambda, r2 } = maps.of(from, target);
      const held = await states.heldOut(from);
      const losses = await score(map, text.heldOut, held);
      const stitched = joinStitched(
        source,
        tail,
        { ...map, sources: [{ site: residPost(from) }], target: { site: residPost(target) } },
        { firstRows: first },
      );
      const mapParameters = map.A.data.length + map.p.length;
      return {
        source: from,
        target,
        way: tail.way,
        loss: toLoss(losses, seed),
        againstSource: toLoss(losses, seed, alone.source.losses),
        validationNats: meanLoss(await score(map, text.validation, await states.validation(from))),
        r2,
        lambda,
        nulls: {
          shuffledNats: meanLoss(await score(shuffled, text.heldOut, held)),
          untrainedNats:
            untrainedMaps && states.untrained
              ? meanLoss(await score(untrainedMaps.of(from, target).map, text.heldOut, await states.untrained(from)))
              : null,
        },
        cost: stitchCost(weights.source, weights.target, { source: from, target, mapParameters }),
        msPerToken: await timeWriting(stitched, text.heldOut.windows, clock),
        tuned: null,
      };
    },
    async nulls() {
      const { layer } = tail;
      const mean = maps.mean(layer);
      let [unseen, tokens] = [0, 0];
      const rowsOf = (row: (token: number) => Float64Array | undefined): TailInput[] =>
        text.heldOut.windows.map((window) => {
          const rows = new Float32Array(window.length * mean.length);
          window.forEach((token, at) => {
            const own = at === 0 ? first.get(token) : undefined;
            rows.set(own ?? row(token) ?? mean, at * mean.length);
          });
          return { tokens: window, rows };
        });
      const constant = await scoreInputs(
        rowsOf(() => undefined),
        text.heldOut,
      );
      const table = await scoreInputs(
        rowsOf((token) => {
          const own = maps.tokenMean(token, layer);
          tokens++;
          if (!own) unseen++;
          return own;
        }),
        text.heldOut,
      );
      return {
        target: layer,
        constantNats: meanLoss(constant),
        table: toLoss(table, seed),
        unseenShare: tokens === 0 ? 0 : unseen / tokens,
      };
    },
  };
}

/** Windows with their source states and what their first position is given. */
export function toTunedWindows(
  { windows }: StudyText,
  states: readonly Float32Array[],
  first: ReadonlyMap<number, Float32Array>,
): TunedWindow[] {
  return windows.map((tokens, at) => ({
    tokens,
    states: states[at] as Float32Array,
    first: first.get(tokens[0] as number),
  }));
}
