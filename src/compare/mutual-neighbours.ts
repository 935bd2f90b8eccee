import type { Matrix } from "../linalg/matrix.ts";
import { checkPairedRows } from "./check-paired-rows.ts";
import type { Measure, MeasureOptions, PairingScore } from "./measure.ts";
import { defaultNeighbours, nearestRows } from "./nearest-rows.ts";

/** How many nearest neighbours two sides have in common. */
export interface MutualNeighbours {
  /** 0 to 1: of a row's k nearest rows in one side, the share that are among its k nearest in the other; mean over rows. */
  readonly value: number;
  /** What unrelated sides score on average: k/(n − 1), exactly. */
  readonly chance: number;
}

/**
 * Scores the overlap of neighbourhoods: `mean over i of |N_X(i) ∩ N_Y(i)|/k`, N(i) the k rows of greatest cosine to row i about the mean of all.
 *
 * It does not ask how far the neighbours are nor where anything else lies: bending, and loud directions that are equally loud everywhere
 * near a row, leave it alone; noise that is small beside the whole but large beside the nearest distances does not. Unchanged by rotation,
 * common scale and shift of either side.
 *
 * @throws bad-input if the rows are not paired, a value is not finite, or there are not more rows than neighbours
 * @see Huh, Cheung, Wang, Isola, arXiv 2405.07987, section 2 and appendix A (there the rows are not centred)
 */
export function mutualNeighbours(X: Matrix, Y: Matrix, options: MeasureOptions = {}): MutualNeighbours {
  const { neighbours = defaultNeighbours } = options;
  return { value: prepare(X, Y, options)(), chance: neighbours / (X.rows - 1) };
}

export const mutualNeighboursMeasure: Measure = {
  name: "mutual-neighbours",
  label: "mutual neighbours",
  source: "arXiv 2405.07987",
  says: "a row has the same nearest rows in both sides",
  unchangedBy: "rotation, shift, common scale",
  run: (X, Y, options) => mutualNeighbours(X, Y, options).value,
  prepare: (X, Y, options) => prepare(X, Y, options),
};

function prepare(X: Matrix, Y: Matrix, { neighbours: k = defaultNeighbours }: MeasureOptions = {}): PairingScore {
  const n = checkPairedRows(X, Y, "mutual neighbours");
  const [nearX, nearY] = [nearestRows(X, k), nearestRows(Y, k)];
  return (order) => {
    const seenBy = new Int32Array(n).fill(-1);
    let common = 0;
    for (let i = 0; i < n; i++) {
      const row = order ? (order[i] as number) : i;
      for (let at = row * k; at < (row + 1) * k; at++) seenBy[nearY[at] as number] = i;
      for (let at = i * k; at < (i + 1) * k; at++) {
        const j = nearX[at] as number;
        if (seenBy[order ? (order[j] as number) : j] === i) common++;
      }
    }
    return common / (n * k);
  };
}
