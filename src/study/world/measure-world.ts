import { createMatrix, type Matrix } from "../../linalg/matrix.ts";
import { multiplyTransposed } from "../../linalg/multiply.ts";
import { seededRandom } from "../../linalg/random.ts";
import { fitOls } from "../../maps/fit/fit-ols.ts";
import type { Affine } from "../../maps/fit/fit-ridge.ts";
import { fitWith } from "../../maps/fit/fit-with.ts";
import { bestMap } from "../../maps/latent-truth.ts";
import { createLatentWorld, type LatentRows, type LatentWorld } from "../../maps/latent-world.ts";
import type { Moments } from "../../maps/moments.ts";
import { momentsOfRows } from "../../maps/moments-of-rows.ts";
import { scoreMoments } from "../../maps/score/score-moments.ts";
import type { WorldSetting } from "./world-knobs.ts";

/** What a fitted map does in one world; NaN where it is not defined. */
export interface WorldScores {
  /** Held-out R² of ridge, over all rows. */
  readonly r2: number;
  /** The same over rows that are not sinks. */
  readonly r2WithoutSinks: number;
  /** Median over target dimensions of held-out R². */
  readonly r2MedianDimension: number;
  /** Held-out R² of least squares without a penalty. */
  readonly r2Ols: number;
  /** R² of the best affine map there is, in closed form; NaN where states are bent. */
  readonly r2Best: number;
  /** Held-out R² of the same fit to shuffled pairs. */
  readonly r2Shuffled: number;
  /** Mean cosine between a carried feature direction A w_S and the target's own w_T, over universal features that both have. */
  readonly cosine: number;
  /** The same with the direction of another feature. */
  readonly cosineOther: number;
}

export interface MeasureWorldOptions {
  readonly seed: number;
  readonly heldOutRows: number;
  readonly measuredRows: number;
}

/**
 * Fits a map in one world and scores it on rows that it did not see; hands back rows X `[n, dSource]`, Y `[n, dTarget]` for measures of likeness.
 *
 * Rows to choose the penalty on are an eighth as many as fit.
 */
export function measureWorld(
  { world: options, rows }: WorldSetting,
  { seed, heldOutRows, measuredRows }: MeasureWorldOptions,
): { readonly scores: WorldScores; readonly X: Matrix; readonly Y: Matrix } {
  const world = createLatentWorld({ ...options, seed });
  const draw = (n: number, part: number): LatentRows => world.draw(n, { seed: 4 * seed + part });
  const training = draw(rows, 0);
  const held = draw(heldOutRows, 2);
  const heldMoments = momentsOf(held);
  const fit = fitWith({ training: momentsOf(training), validation: momentsOf(draw(Math.max(8, rows / 8), 1)) });
  const shuffled = fit.refit(shuffledMoments(training, seed));
  const own = scoreMoments(fit.affine, heldMoments);
  const { cosine, cosineOther } = carriedCosines(world, fit.affine);
  const isBent = options.models.some(({ bend }) => (bend ?? 0) > 0);
  const measured = draw(Math.min(rows, measuredRows), 3);
  return {
    scores: {
      r2: own.r2,
      r2WithoutSinks: scoreMoments(fit.affine, momentsOf(withoutSinks(held))).r2,
      r2MedianDimension: median(own.r2ByDimension),
      r2Ols: scoreMoments(fitOls(momentsOf(training)), heldMoments).r2,
      r2Best: isBent ? Number.NaN : bestMap(world, 0, 1).r2,
      r2Shuffled: scoreMoments(shuffled, heldMoments).r2,
      cosine,
      cosineOther,
    },
    X: measured.states[0] as Matrix,
    Y: measured.states[1] as Matrix,
  };
}

function momentsOf({ states }: Pick<LatentRows, "states">): Moments {
  return momentsOfRows(states[0] as Matrix, states[1] as Matrix);
}

function shuffledMoments({ states }: LatentRows, seed: number): Moments {
  const [X, Y] = states as readonly [Matrix, Matrix];
  const order = seededRandom(seed).shuffle(Array.from({ length: Y.rows }, (_, row) => row));
  return momentsOfRows(X, pick(Y, order));
}

function withoutSinks({ states, isSink }: LatentRows): Pick<LatentRows, "states"> {
  const kept = Array.from(isSink.keys()).filter((row) => isSink[row] === 0);
  return { states: states.map((H) => pick(H, kept)) };
}

function pick(H: Matrix, rows: readonly number[]): Matrix {
  const picked = createMatrix(rows.length, H.cols);
  for (const [at, row] of rows.entries())
    picked.data.set(H.data.subarray(row * H.cols, (row + 1) * H.cols), at * H.cols);
  return picked;
}

/** Cosines of A w_S with w_T of the same feature, and of the next one that both models have. */
function carriedCosines({ models, options }: LatentWorld, { A }: Affine): Pick<WorldScores, "cosine" | "cosineOther"> {
  const [S, T] = models as readonly [LatentWorld["models"][number], LatentWorld["models"][number]];
  const carried = multiplyTransposed(S.decoder, A);
  const d = A.rows;
  const shared = Array.from({ length: options.features }, (_, f) => f).filter((f) => S.has[f] && T.has[f]);
  const cosineOf = (f: number, g: number): number => {
    let [product, a, b] = [0, 0, 0];
    for (let i = 0; i < d; i++) {
      const [x, y] = [carried.data[f * d + i] as number, T.decoder.data[g * d + i] as number];
      [product, a, b] = [product + x * y, a + x * x, b + y * y];
    }
    return a > 0 && b > 0 ? product / Math.sqrt(a * b) : 0;
  };
  const mean = (step: number): number =>
    shared.reduce((sum, f, at) => sum + cosineOf(f, shared[(at + step) % shared.length] as number), 0) / shared.length;
  return { cosine: mean(0), cosineOther: mean(1) };
}

function median(values: Float64Array): number {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort();
  const middle = sorted.length >> 1;
  if (sorted.length % 2 === 1) return sorted[middle] as number;
  return ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}
