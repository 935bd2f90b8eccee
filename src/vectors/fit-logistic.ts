import { TrimtabError } from "../errors.ts";
import type { Matrix } from "../linalg/matrix.ts";
import { project } from "./pair-differences.ts";

/** Newton needs some 10 steps; 60 means that something is wrong. */
const maxNewtonSteps = 60;

/**
 * Fits the weights `[cols]` of a penalised logistic regression: minimises Σ log(1 + exp(−yᵢ w·zᵢ)) + λ/2 ‖w‖², where the last column of Z
 * `[n, cols]` is ones, for the intercept, and carries no penalty. `labels` are 1 and −1, `[n]`.
 *
 * Newton's method with a line search, each step by conjugate gradients (no `[cols, cols]` matrix); deterministic. λ > 0 keeps the minimum
 * finite where a hyperplane divides the rows, as it does whenever they are fewer than the columns.
 *
 * @throws internal if Newton's method does not converge
 */
export function fitLogistic(Z: Matrix, labels: Float64Array, lambda: number): Float64Array {
  const penalty = new Float64Array(Z.cols).fill(lambda);
  penalty[Z.cols - 1] = 0;
  let w = new Float64Array(Z.cols);
  let scores = new Float64Array(Z.rows);
  let loss = lossOf(scores, labels, w, penalty);
  for (let step = 0; step < maxNewtonSteps; step++) {
    const chances = scores.map((score, i) => 1 / (1 + Math.exp(labels[i]! * score)));
    const gradient = transposed(
      Z,
      chances.map((chance, i) => -labels[i]! * chance),
    ).map((value, j) => value + penalty[j]! * w[j]!);
    // Sums of Z.rows terms of size one, so this is rounding error with room to spare.
    if (gradient.every((value) => Math.abs(value) <= 1e-9 * Z.rows)) return w;
    const curvature = chances.map((chance) => chance * (1 - chance));
    const move = solveNewton(Z, curvature, penalty, gradient);
    const slope = gradient.reduce((sum, value, j) => sum + value * move[j]!, 0);
    const moved = project(Z, move);
    let size = 1;
    for (; ; size /= 2) {
      const tried = scores.map((score, i) => score + size * moved[i]!);
      const weights = w.map((value, j) => value + size * move[j]!);
      const after = lossOf(tried, labels, weights, penalty);
      // Near the minimum the loss changes by less than its own rounding, and Newton's full step is right all the same.
      const isEnough = after <= loss + 1e-4 * size * slope + 1e-14 * (1 + loss) || size < 1e-10;
      if (!isEnough) continue;
      if (size < 1e-10) return w; // no step lowers the loss any more: the minimum to rounding
      [w, scores, loss] = [weights, tried, after];
      break;
    }
  }
  throw new TrimtabError("internal", `internal: the probe did not converge in ${maxNewtonSteps} steps`);
}

function lossOf(scores: Float64Array, labels: Float64Array, w: Float64Array, penalty: Float64Array): number {
  let loss = 0;
  for (let i = 0; i < scores.length; i++) {
    const margin = labels[i]! * scores[i]!;
    loss += margin > 0 ? Math.log1p(Math.exp(-margin)) : -margin + Math.log1p(Math.exp(margin));
  }
  for (let j = 0; j < w.length; j++) loss += (penalty[j]! / 2) * w[j]! * w[j]!;
  return loss;
}

/** Solves (Zᵀ diag(curvature) Z + diag(penalty)) x = −gradient by conjugate gradients. */
function solveNewton(Z: Matrix, curvature: Float64Array, penalty: Float64Array, gradient: Float64Array): Float64Array {
  const x = new Float64Array(Z.cols);
  const residual = gradient.map((value) => -value);
  let direction = residual.slice();
  let squared = residual.reduce((sum, value) => sum + value * value, 0);
  // Far from the minimum a rough step will do; near it the steps get exact, and convergence stays faster than linear.
  const enough = squared * Math.min(0.01, Math.sqrt(squared) / Z.rows);
  for (let step = 0; step < 10 * Z.cols && squared > enough; step++) {
    const projected = project(Z, direction).map((value, i) => value * curvature[i]!);
    const product = transposed(Z, projected).map((value, j) => value + penalty[j]! * direction[j]!);
    const length = squared / direction.reduce((sum, value, j) => sum + value * product[j]!, 0);
    if (!Number.isFinite(length)) break;
    for (let j = 0; j < x.length; j++) {
      x[j] = x[j]! + length * direction[j]!;
      residual[j] = residual[j]! - length * product[j]!;
    }
    const before = squared;
    squared = residual.reduce((sum, value) => sum + value * value, 0);
    direction = residual.map((value, j) => value + (squared / before) * direction[j]!);
  }
  return x;
}

function transposed({ rows, cols, data }: Matrix, w: Float64Array): Float64Array {
  const result = new Float64Array(cols);
  for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) result[j] = result[j]! + data[i * cols + j]! * w[i]!;
  return result;
}
