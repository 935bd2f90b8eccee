import { pearson } from "../../evaluate/statistics.ts";
import { pullBackPlane, pushForwardPlane } from "../../features/probes/carry-probe.ts";
import { type FittedProbe, fitProbe, inner, recalibrate } from "../../features/probes/fit-probe.ts";
import { measureScores } from "../../features/probes/measure-scores.ts";
import { applyProbe, type ProbeKind } from "../../features/probes/probe.ts";
import { takeRows } from "../../features/probes/probe-rows.ts";
import { randomPlane } from "../../features/probes/random-plane.ts";
import type { RowSplit } from "../../features/probes/split-rows.ts";
import { seededRandom } from "../../linalg/random.ts";
import type { Affine } from "../../maps/fit/fit-ridge.ts";
import type { LabelledRows } from "../../vectors/logistic-rows.ts";
import { type MeasuredScores, measureArms } from "./measure-arms.ts";
import type { NullDraws, ProbeCell } from "./probe-study-result.ts";

export interface StudyCellOptions {
  readonly kind: ProbeKind;
  readonly split: RowSplit;
  /** `[texts]`. */
  readonly groups: Int32Array;
  /** Scores of the texts held out by their tokens alone. */
  readonly byTokens: Float64Array;
  readonly maps: {
    /** From the model that the probe reads in the end to the one it was trained on. */
    readonly backward: Affine;
    readonly forward: Affine;
    readonly shuffledBackward: Affine;
  };
  /** Groups of training texts whose labels may move the threshold. */
  readonly recalibrationGroups: number;
  readonly draws: number;
  readonly seed: number;
}

/**
 * Trains probes of one kind on both models' rows of the same texts, carries that of the one to the other, and measures all of them, and
 * the nulls, on the texts held out.
 *
 * @param origin - rows of the model where the carried probe is trained
 * @param target - rows of the same texts on the model it is carried to
 */
export function studyCell(
  origin: LabelledRows,
  target: LabelledRows,
  options: StudyCellOptions,
): Pick<ProbeCell, "kind" | "texts" | "arms" | "correlation" | "nulls"> {
  const { kind, split, groups, byTokens, maps, seed } = options;
  const [trainOrigin, heldOrigin] = [takeRows(origin, split.trained), takeRows(origin, split.heldOut)];
  const [trainTarget, heldTarget] = [takeRows(target, split.trained), takeRows(target, split.heldOut)];
  const own = fitProbe(trainOrigin, { kind });
  const native = fitProbe(trainTarget, { kind });
  const backward = pullBackPlane(own, maps.backward);
  const forward = own.centre ? pushForwardPlane(own, maps.forward) : undefined;
  const few = firstGroups(split.trained, groups, options.recalibrationGroups);
  const fewRows = takeRows(target, few);
  const recalibrated = recalibrate(backward, applyProbe(backward, fewRows.data), fewRows.labels);
  const shuffledMap = pullBackPlane(own, maps.shuffledBackward);
  const scores = {
    native: applyProbe(native, heldTarget.data),
    origin: applyProbe(own, heldOrigin.data),
    backward: applyProbe(backward, heldTarget.data),
    recalibrated: applyProbe(recalibrated, heldTarget.data),
    tokens: byTokens,
    shuffledMap: applyProbe(shuffledMap, heldTarget.data),
    ...(forward && { forward: applyProbe(forward, heldTarget.data) }),
  };
  const names = Object.keys(scores) as (keyof typeof scores)[];
  const measured = measureArms(
    names.map((name) => scores[name]!),
    { labels: heldTarget.labels, groups: Int32Array.from(split.heldOut, (i) => groups[i]!), seed },
  );
  const armOf = (name: keyof typeof scores): MeasuredScores => measured[names.indexOf(name)]!;
  return {
    kind,
    texts: { trained: trainTarget.rows, heldOut: heldTarget.rows },
    arms: {
      native: armOf("native"),
      origin: armOf("origin"),
      backward: armOf("backward"),
      forward: scores.forward ? armOf("forward") : null,
      recalibrated: armOf("recalibrated"),
      tokens: armOf("tokens"),
      shuffledMap: armOf("shuffledMap"),
    },
    correlation: {
      backward: pearson(scores.backward, scores.native),
      forward: scores.forward ? pearson(scores.forward, scores.native) : null,
      shuffledMap: pearson(scores.shuffledMap, scores.native),
    },
    nulls: drawNulls({ backward, trainOrigin, trainTarget, heldTarget }, options),
  };
}

/** Rows of the first groups that occur among these rows. */
function firstGroups(rows: Int32Array, groups: Int32Array, count: number): Int32Array {
  const chosen = new Set([...new Set(rows.map((i) => groups[i]!))].slice(0, count));
  return rows.filter((i) => chosen.has(groups[i]!));
}

interface NullRows {
  readonly backward: FittedProbe;
  readonly trainOrigin: LabelledRows;
  readonly trainTarget: LabelledRows;
  readonly heldTarget: LabelledRows;
}

function drawNulls(
  { backward, trainOrigin, trainTarget, heldTarget }: NullRows,
  { kind, maps, draws, seed }: StudyCellOptions,
): ProbeCell["nulls"] {
  const random = seededRandom(seed);
  const measure = (probe: FittedProbe) => measureScores(applyProbe(probe, heldTarget.data), heldTarget.labels);
  const norm = Math.sqrt(inner(backward.weights, backward.weights));
  return {
    random: collect(draws, () => measure(randomPlane(norm, trainTarget, random))),
    shuffledLabels: collect(draws, () => {
      const labels = Uint8Array.from(random.shuffle(trainOrigin.labels));
      return measure(pullBackPlane(fitProbe({ ...trainOrigin, labels }, { kind }), maps.backward));
    }),
  };
}

function collect(draws: number, measure: () => { readonly auroc: number; readonly accuracy: number }): NullDraws {
  const found = Array.from({ length: draws }, measure);
  return { auroc: found.map(({ auroc }) => auroc), accuracy: found.map(({ accuracy }) => accuracy) };
}
