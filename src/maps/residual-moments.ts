import { addProduct } from "../linalg/kernel.ts";
import { createMatrix, type Matrix } from "../linalg/matrix.ts";
import { toView } from "../linalg/multiply.ts";
import type { Moments } from "./moments.ts";
import type { TokenMeans, TokenTable } from "./token-table.ts";

/**
 * The moments of training rows about their own token table: total less between-token products. Rows whose token is not in the table
 * are taken about the global means. Means are zero: a map of residuals has no bias.
 */
export function toResidualMoments(moments: Moments, table: TokenTable): Moments {
  const rest = copyProducts(moments);
  const { meanX, meanY } = moments;
  addBetween(rest, table, -1, () => ({ x: meanX, y: meanY }));
  return withoutNoise(rest, moments);
}

/**
 * The moments of validation rows about the table of the *training* rows, from sums alone: the rows about their own token means, and
 * those means about the table, `n (v − m)(v − m)ᵀ` for each token; tokens that training lacks have the global training means m.
 */
export function toValidationResiduals(
  validation: { readonly moments: Moments; readonly table: TokenTable },
  train: { readonly moments: Moments; readonly table: TokenTable },
): Moments {
  const rest = copyProducts(validation.moments);
  const own = { x: validation.moments.meanX, y: validation.moments.meanY };
  const global = { x: train.moments.meanX, y: train.moments.meanY };
  addBetween(rest, validation.table, -1, () => own);
  addBetween(rest, validation.table, 1, (token) => train.table.find(token) ?? global);
  return withoutNoise(rest, validation.moments);
}

type Means = Pick<TokenMeans, "x" | "y">;

function copyProducts({ n, meanX, meanY, Cxx, Cyx, Cyy }: Moments): Moments {
  const copy = (A: Matrix): Matrix => createMatrix(A.rows, A.cols, A.data.slice());
  return {
    n,
    meanX: new Float64Array(meanX.length),
    meanY: new Float64Array(meanY.length),
    Cxx: copy(Cxx),
    Cyx: copy(Cyx),
    Cyy: copy(Cyy),
  };
}

/** Adds `sign` times the products of √n (token mean − reference), summed over tokens, in place. */
function addBetween(
  { Cxx, Cyx, Cyy }: Moments,
  table: TokenTable,
  sign: 1 | -1,
  reference: (token: number) => Means,
): void {
  for (const batch of batches(table.entries(), 512)) {
    const X = deviations(batch, Cxx.cols, reference, ({ x }) => x);
    const Y = deviations(batch, Cyx.rows, reference, ({ y }) => y);
    const k = batch.length;
    addProduct(toView(Cxx), toView(X), toView(X), { m: Cxx.rows, n: Cxx.cols, k }, { sign });
    addProduct(toView(Cyx), toView(Y), toView(X), { m: Cyx.rows, n: Cyx.cols, k }, { sign });
    addProduct(toView(Cyy), toView(Y), toView(Y), { m: Cyy.rows, n: Cyy.cols, k }, { sign });
  }
}

/** √n (token mean − reference) as columns `[width, tokens]`. */
function deviations(
  batch: readonly (readonly [number, TokenMeans])[],
  width: number,
  reference: (token: number) => Means,
  side: (means: Means) => Float64Array,
): Matrix {
  const result = createMatrix(width, batch.length);
  batch.forEach(([token, means], t) => {
    const [mean, from] = [side(means), side(reference(token))];
    for (let i = 0; i < width; i++)
      result.data[i * batch.length + t] = Math.sqrt(means.n) * ((mean[i] as number) - (from[i] as number));
  });
  return result;
}

/** Variances below this share of the total are what subtraction left of rounding. */
const noise = 1e-10;

/** Clears the dimensions that do not vary about the table, so that rounding is not standardised to unit variance. */
function withoutNoise(rest: Moments, total: Moments): Moments {
  const clear = (A: Matrix, whole: Matrix): void => {
    for (let i = 0; i < A.rows; i++) {
      if ((A.data[i * A.cols + i] as number) > noise * (whole.data[i * A.cols + i] as number)) continue;
      for (let j = 0; j < A.rows; j++) A.data[i * A.cols + j] = A.data[j * A.cols + i] = 0;
    }
  };
  clear(rest.Cxx, total.Cxx);
  clear(rest.Cyy, total.Cyy);
  return rest;
}

function* batches<T>(values: Iterable<T>, size: number): Generator<T[], void, void> {
  let batch: T[] = [];
  for (const value of values) {
    batch.push(value);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
