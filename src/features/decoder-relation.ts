import { mismatch } from "../errors.ts";
import { factorCholesky, solveCholesky } from "../linalg/cholesky.ts";
import { checkMatrix, createMatrix, type Matrix, transpose } from "../linalg/matrix.ts";
import { gram, multiply, transposedMultiply } from "../linalg/multiply.ts";
import { type Random, seededRandom } from "../linalg/random.ts";

/** How well one decoder matrix is a linear image of another, row by row. */
export interface DecoderFit {
  /** `‖W_S M − W_T‖_F` of the least-squares M on the rows that it was fitted on: the paper's number. */
  readonly residual: number;
  /** `residual² / ‖W_T‖²_F`, in-sample. With F rows and dS columns, chance alone leaves about `1 − dS/F`. */
  readonly unexplained: number;
  /** The same on rows that were not fitted, by a ridge fit of the others: about 1 where there is nothing to find. */
  readonly heldOutUnexplained: number;
  /** Mean cosine of a held-out row with its image. */
  readonly heldOutCosine: number;
}

/** The fit of two decoders beside what it must be compared with. */
export interface DecoderRelation extends DecoderFit {
  /** Rows (features) compared. */
  readonly features: number;
  readonly widths: readonly [source: number, target: number];
  /** Random matrices of the same shape, rows of the same lengths: one fit for each draw. */
  readonly random: readonly DecoderFit[];
  /** The same matrices with the target's rows permuted. */
  readonly shuffled: readonly DecoderFit[];
  readonly seed: number;
}

export interface DecoderRelationOptions {
  /** Draws of each null. Default 20. */
  readonly draws?: number;
  /** Share of the rows held out. Default 0.2. */
  readonly heldOut?: number;
  readonly seed?: number;
}

/**
 * Compares the decoder matrices of two autoencoders whose feature i is taken for the same feature: least squares
 * `M = argmin ‖W_S M − W_T‖_F`, its residual, and the same for random matrices and for permuted rows.
 *
 * A matrix with dS columns fits some of anything: of F random rows a share dS/F. So the residual is also taken on held-out rows, where a fit
 * of nothing leaves about 1; there a ridge is used, its penalty chosen among the other rows. Which feature belongs to which must have been found without the decoders (`matchFeatures`), or the
 * question is begged.
 *
 * @param source - `[F, dSource]`
 * @param target - `[F, dTarget]`
 * @throws bad-input for different numbers of rows, fewer than twice the source's width, or values that are not finite, a held-out share or draws
 *   that cannot be
 * @see Bello et al., arXiv 2506.00653, section 2.2 and figure 2
 */
export function relateDecoders(
  source: Matrix,
  target: Matrix,
  { draws = 20, heldOut = 0.2, seed = 0 }: DecoderRelationOptions = {},
): DecoderRelation {
  checkMatrix(source, "source decoder");
  checkMatrix(target, "target decoder", { rows: source.rows });
  if (!(heldOut > 0 && heldOut < 1))
    throw mismatch("bad-input", "held-out share", "a number between 0 and 1", String(heldOut));
  if (!Number.isSafeInteger(draws) || draws < 1)
    throw mismatch("bad-input", "draws", "an integer above 0", String(draws));
  if (source.rows * (1 - heldOut) < 2 * source.cols)
    throw mismatch(
      "bad-input",
      "decoders",
      `at least ${Math.ceil((2 * source.cols) / (1 - heldOut))} features, twice the source's width after some are held out`,
      String(source.rows),
      { hint: "with fewer rows least squares fits anything; train wider autoencoders" },
    );
  const random = seededRandom(seed);
  const order = random.shuffle(Array.from({ length: source.rows }, (_, row) => row));
  const cut = Math.max(1, Math.round(heldOut * source.rows));
  const split = { held: order.slice(0, cut), fitted: order.slice(cut) };
  const lengths = rowLengths(target);
  const permuted = (): Matrix => pickRows(target, random.shuffle(Array.from({ length: target.rows }, (_, row) => row)));
  return {
    ...fitDecoders(source, target, split),
    features: source.rows,
    widths: [source.cols, target.cols],
    random: Array.from({ length: draws }, () => {
      const [from, to] = [randomRows(source, rowLengths(source), random), randomRows(target, lengths, random)];
      return fitDecoders(from, to, split);
    }),
    shuffled: Array.from({ length: draws }, () => fitDecoders(source, permuted(), split)),
    seed,
  };
}

/** At rounding level. */
const leastRidge = 1e-10;

interface Split {
  readonly fitted: readonly number[];
  readonly held: readonly number[];
}

function fitDecoders(source: Matrix, target: Matrix, { fitted, held }: Split): DecoderFit {
  const all = measure(source, target, solve(source, target));
  const own = solveBest(pickRows(source, fitted), pickRows(target, fitted));
  const other = measure(pickRows(source, held), pickRows(target, held), own);
  return {
    residual: Math.sqrt(all.residual),
    unexplained: all.residual / all.total,
    heldOutUnexplained: other.residual / other.total,
    heldOutCosine: other.cosine,
  };
}

/** Multiples of the mean diagonal of W_Sᵀ W_S: from least squares to nearly nothing. */
const ridges: readonly number[] = [leastRidge, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100];

/** Ridge whose penalty was chosen on a quarter of the rows; with few rows to a column least squares fits noise and leaves more than it found. */
function solveBest(source: Matrix, target: Matrix): Matrix {
  const cut = source.rows >> 2;
  const rows = Array.from({ length: source.rows }, (_, row) => row);
  const [chooseX, chooseY] = [pickRows(source, rows.slice(0, cut)), pickRows(target, rows.slice(0, cut))];
  const [fitX, fitY] = [pickRows(source, rows.slice(cut)), pickRows(target, rows.slice(cut))];
  const tried = ridges.map((ridge) => ({ ridge, left: measure(chooseX, chooseY, solve(fitX, fitY, ridge)).residual }));
  return solve(source, target, tried.reduce((a, b) => (b.left <= a.left ? b : a)).ridge);
}

/** Ridge regression M `[dS, dT]`; at its least the penalty only keeps columns that are combinations of others from doing harm. */
function solve(source: Matrix, target: Matrix, ridge = leastRidge): Matrix {
  const S = gram(transpose(source));
  let trace = 0;
  for (let i = 0; i < S.rows; i++) trace += S.data[i * S.cols + i] as number;
  if (!(trace > 0)) return createMatrix(source.cols, target.cols);
  const penalty = (ridge * trace) / S.rows;
  for (let i = 0; i < S.rows; i++) S.data[i * S.cols + i] = (S.data[i * S.cols + i] as number) + penalty;
  const factor = factorCholesky(S);
  if (!factor.isPositiveDefinite)
    throw mismatch("bad-input", "source decoder", "columns that can be told apart", `a pivot of ${factor.value}`);
  return transpose(solveCholesky(factor.L, transpose(transposedMultiply(source, target))));
}

function measure(source: Matrix, target: Matrix, M: Matrix): { residual: number; total: number; cosine: number } {
  const image = multiply(source, M);
  let [residual, total, cosine] = [0, 0, 0];
  for (let row = 0; row < target.rows; row++) {
    let [ab, aa, bb] = [0, 0, 0];
    for (let at = row * target.cols; at < (row + 1) * target.cols; at++) {
      const [a, b] = [image.data[at] as number, target.data[at] as number];
      residual += (a - b) ** 2;
      ab += a * b;
      aa += a * a;
      bb += b * b;
    }
    total += bb;
    cosine += aa > 0 && bb > 0 ? ab / Math.sqrt(aa * bb) : 0;
  }
  return { residual, total, cosine: cosine / target.rows };
}

function rowLengths({ rows, cols, data }: Matrix): Float64Array {
  return Float64Array.from({ length: rows }, (_, row) => Math.hypot(...data.subarray(row * cols, (row + 1) * cols)));
}

/** Gaussian rows of the given lengths. */
function randomRows({ rows, cols }: Matrix, lengths: Float64Array, random: Random): Matrix {
  const result = createMatrix(rows, cols);
  for (let row = 0; row < rows; row++) {
    const own = result.data.subarray(row * cols, (row + 1) * cols);
    for (let j = 0; j < cols; j++) own[j] = random.normal();
    const scale = (lengths[row] as number) / Math.hypot(...own);
    for (let j = 0; j < cols; j++) own[j] = (own[j] as number) * scale;
  }
  return result;
}

function pickRows({ cols, data }: Matrix, rows: readonly number[]): Matrix {
  const result = createMatrix(rows.length, cols);
  rows.forEach((row, at) => {
    result.data.set(data.subarray(row * cols, (row + 1) * cols), at * cols);
  });
  return result;
}
