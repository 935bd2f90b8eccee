import { mismatch } from "../errors.ts";
import { addProduct, mirrorUpper } from "../linalg/kernel.ts";
import { createMatrix, type Matrix } from "../linalg/matrix.ts";
import { toView } from "../linalg/multiply.ts";

/**
 * Everything a linear fit and its squared error need to know of n paired rows, whatever n: counts, means and centred products.
 *
 * Products are about the means of these very rows, never about zero: hidden states have means tens of times their spread, and a
 * difference of two large sums would lose the digits that matter.
 */
export interface Moments {
  readonly n: number;
  /** `[dSource]` */
  readonly meanX: Float64Array;
  /** `[dTarget]` */
  readonly meanY: Float64Array;
  /** Σ (x − x̄)(x − x̄)ᵀ, `[dSource, dSource]`. */
  readonly Cxx: Matrix;
  /** Σ (y − ȳ)(x − x̄)ᵀ, `[dTarget, dSource]`. */
  readonly Cyx: Matrix;
  /** Σ (y − ȳ)² by dimension, `[dTarget]`. */
  readonly cyy: Float64Array;
}

/** Moments that grow. */
export interface MomentsSum {
  readonly n: number;
  /** Adds n rows: X `[n, dSource]`, Y `[n, dTarget]`. @throws bad-input if they are not whole rows, equally many */
  add(X: Float32Array, Y: Float32Array): void;
  /** What has been added so far, as a copy. */
  moments(): Moments;
}

/** Rows packed at a time: 512 columns of doubles keep the packed blocks within the second-level cache of the kernel. */
const packRows = 512;

/**
 * Opens an empty sum of moments for rows of two widths. Memory is `dSource² + dSource · dTarget` doubles, whatever is added.
 *
 * A batch enters as its own centred rows and one row more, √(n m/(n + m)) · (batch mean − mean so far): its product with itself is
 * the term by which two sums of squares about different means differ.
 *
 * @see Chan, Golub, LeVeque, "Algorithms for computing the sample variance", American Statistician 37 (1983)
 */
export function createMomentsSum(dSource: number, dTarget: number): MomentsSum {
  let n = 0;
  const meanX = new Float64Array(dSource);
  const meanY = new Float64Array(dTarget);
  const Cxx = createMatrix(dSource, dSource);
  const Cyx = createMatrix(dTarget, dSource);
  const cyy = new Float64Array(dTarget);

  function addBatch(X: Float32Array, Y: Float32Array, rows: number): void {
    const weight = Math.sqrt((n * rows) / (n + rows));
    const packedX = pack(X, rows, meanX, weight);
    const packedY = pack(Y, rows, meanY, weight);
    const k = rows + 1;
    addProduct(toView(Cxx), toView(packedX), toView(packedX), { m: dSource, n: dSource, k }, { upper: true });
    addProduct(toView(Cyx), toView(packedY), toView(packedX), { m: dTarget, n: dSource, k });
    for (let i = 0; i < dTarget; i++)
      for (let t = i * k; t < (i + 1) * k; t++) cyy[i] = (cyy[i] as number) + (packedY.data[t] as number) ** 2;
    moveMean(meanX, packedX, weight, n, rows);
    moveMean(meanY, packedY, weight, n, rows);
    n += rows;
  }

  return {
    get n() {
      return n;
    },
    add(X, Y) {
      const rows = X.length / dSource;
      if (!Number.isInteger(rows) || Y.length !== rows * dTarget)
        throw mismatch(
          "bad-input",
          "paired rows",
          `whole rows of ${dSource} and ${dTarget}, equally many`,
          `${X.length} and ${Y.length} values`,
        );
      for (let start = 0; start < rows; start += packRows) {
        const end = Math.min(start + packRows, rows);
        addBatch(X.subarray(start * dSource, end * dSource), Y.subarray(start * dTarget, end * dTarget), end - start);
      }
    },
    moments() {
      const full = createMatrix(dSource, dSource, Cxx.data.slice());
      mirrorUpper(full.data, dSource);
      return {
        n,
        meanX: meanX.slice(),
        meanY: meanY.slice(),
        Cxx: full,
        Cyx: createMatrix(dTarget, dSource, Cyx.data.slice()),
        cyy: cyy.slice(),
      };
    },
  };
}

/** Rows, centred on their own mean, as columns `[width, rows + 1]`; the last column is weight · (their mean − mean). */
function pack(rows: Float32Array, count: number, mean: Float64Array, weight: number): Matrix {
  const width = mean.length;
  const packed = createMatrix(width, count + 1);
  const batchMean = new Float64Array(width);
  for (let row = 0; row < count; row++)
    for (let i = 0; i < width; i++) batchMean[i] = (batchMean[i] as number) + (rows[row * width + i] as number) / count;
  for (let row = 0; row < count; row++)
    for (let i = 0; i < width; i++)
      packed.data[i * (count + 1) + row] = (rows[row * width + i] as number) - (batchMean[i] as number);
  for (let i = 0; i < width; i++) {
    const shift = (batchMean[i] as number) - (mean[i] as number);
    packed.data[i * (count + 1) + count] = weight * shift;
    // With nothing there yet the shift is the mean itself and weighs nothing in the products.
    if (weight === 0) mean[i] = batchMean[i] as number;
  }
  return packed;
}

function moveMean(mean: Float64Array, packed: Matrix, weight: number, n: number, rows: number): void {
  if (weight === 0) return;
  for (let i = 0; i < mean.length; i++) {
    const shift = (packed.data[(i + 1) * packed.cols - 1] as number) / weight;
    mean[i] = (mean[i] as number) + (shift * rows) / (n + rows);
  }
}

/**
 * The moments of two sets of rows together. Shards merge so, in any order, to rounding.
 *
 * @throws bad-input if the widths differ
 */
export function addMoments(a: Moments, b: Moments): Moments {
  checkWidths(a, b);
  return combine(a, b, 1);
}

/**
 * The moments of the rows of `whole` that are not in `part`: a fold left out of a cross-validation.
 *
 * @throws bad-input if the widths differ or `part` has more rows than `whole`
 */
export function subtractMoments(whole: Moments, part: Moments): Moments {
  checkWidths(whole, part);
  if (part.n > whole.n) throw mismatch("bad-input", "moments to subtract", `at most ${whole.n} rows`, `${part.n}`);
  return combine(whole, part, -1);
}

function combine(a: Moments, b: Moments, sign: 1 | -1): Moments {
  const n = a.n + sign * b.n;
  // Nothing on one side, or nothing left: means of no rows are zero by convention.
  if (b.n === 0) return a;
  if (n === 0) return createMomentsSum(a.meanX.length, a.meanY.length).moments();
  const weight = (sign * (a.n * b.n)) / n;
  const shiftX = b.meanX.map((value, i) => value - (a.meanX[i] as number));
  const shiftY = b.meanY.map((value, i) => value - (a.meanY[i] as number));
  const mean = (of: Float64Array, shift: Float64Array): Float64Array =>
    of.map((value, i) => value + (sign * b.n * (shift[i] as number)) / n);
  const product = (A: Matrix, B: Matrix, left: Float64Array, right: Float64Array): Matrix => {
    const data = A.data.map((value, at) => value + sign * (B.data[at] as number));
    for (let i = 0; i < A.rows; i++)
      for (let j = 0; j < A.cols; j++) {
        const at = i * A.cols + j;
        data[at] = (data[at] as number) + weight * ((left[i] as number) * (right[j] as number));
      }
    return createMatrix(A.rows, A.cols, data);
  };
  return {
    n,
    meanX: mean(a.meanX, shiftX),
    meanY: mean(a.meanY, shiftY),
    Cxx: product(a.Cxx, b.Cxx, shiftX, shiftX),
    Cyx: product(a.Cyx, b.Cyx, shiftY, shiftX),
    cyy: a.cyy.map((value, i) => value + sign * (b.cyy[i] as number) + weight * (shiftY[i] as number) ** 2),
  };
}

function checkWidths(a: Moments, b: Moments): void {
  if (a.meanX.length !== b.meanX.length || a.meanY.length !== b.meanY.length)
    throw mismatch(
      "bad-input",
      "moments",
      `widths ${a.meanX.length} and ${a.meanY.length}`,
      `${b.meanX.length} and ${b.meanY.length}`,
    );
}
