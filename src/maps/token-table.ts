import { addProduct } from "../linalg/kernel.ts";
import { createMatrix, type Matrix } from "../linalg/matrix.ts";
import { toView } from "../linalg/multiply.ts";
import type { Moments } from "./moments.ts";

/** Mean state of both models for every token id seen. */
export interface TokenTable {
  /** Different tokens in the table. */
  readonly size: number;
  /** Mean source and target state of a token and the rows behind it; undefined for a token that is not in the table. */
  find(token: number): TokenMeans | undefined;
  tokens(): Iterable<TokenMeans>;
}

export interface TokenMeans {
  readonly n: number;
  /** `[dSource]` */
  readonly x: Float64Array;
  /** `[dTarget]` */
  readonly y: Float64Array;
}

/** Sums of states by token id that grow. */
export interface TokenSums {
  /** Adds n rows: their token ids `[n]`, X `[n, dSource]`, Y `[n, dTarget]`. */
  add(tokens: Int32Array, X: Float32Array, Y: Float32Array): void;
  table(): TokenTable;
}

interface Sum {
  n: number;
  readonly x: Float64Array;
  readonly y: Float64Array;
}

/**
 * Opens sums of states by token id: what knowing the current token alone says about a state.
 *
 * Memory is 8 · (dSource + dTarget) bytes a token seen, up to `maxBytes`; tokens first seen after that are treated like unseen ones. As
 * frequent tokens come early, those are the rare ones.
 */
export function createTokenSums(dSource: number, dTarget: number, maxBytes: number): TokenSums {
  const sums = new Map<number, Sum>();
  const maxTokens = Math.floor(maxBytes / (8 * (dSource + dTarget)));
  return {
    add(tokens, X, Y) {
      tokens.forEach((token, row) => {
        let sum = sums.get(token);
        if (!sum) {
          if (sums.size >= maxTokens) return;
          sum = { n: 0, x: new Float64Array(dSource), y: new Float64Array(dTarget) };
          sums.set(token, sum);
        }
        sum.n++;
        addRow(sum.x, X, row);
        addRow(sum.y, Y, row);
      });
    },
    table() {
      const means = new Map<number, TokenMeans>();
      for (const [token, { n, x, y }] of sums)
        means.set(token, { n, x: x.map((value) => value / n), y: y.map((value) => value / n) });
      return { size: means.size, find: (token) => means.get(token), tokens: () => means.values() };
    },
  };
}

function addRow(sum: Float64Array, rows: Float32Array, row: number): void {
  for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + (rows[row * sum.length + i] as number);
}

/** Variances below this share of the total are what subtraction left of rounding. */
const noise = 1e-10;

/**
 * The moments of residuals about the token table, of the same rows the table was made from: total less between-token products.
 * Rows whose token is not in the table are taken about the global means. Means are zero by construction.
 */
export function toResidualMoments(moments: Moments, table: TokenTable): Moments {
  const { n, meanX, meanY } = moments;
  const Cxx = createMatrix(meanX.length, meanX.length, moments.Cxx.data.slice());
  const Cyx = createMatrix(meanY.length, meanX.length, moments.Cyx.data.slice());
  const cyy = moments.cyy.slice();
  for (const batch of batches(table.tokens(), 512)) {
    const X = deviations(batch, meanX, ({ x }) => x);
    const Y = deviations(batch, meanY, ({ y }) => y);
    const k = batch.length;
    addProduct(toView(Cxx), toView(X), toView(X), { m: Cxx.rows, n: Cxx.cols, k }, { sign: -1 });
    addProduct(toView(Cyx), toView(Y), toView(X), { m: Cyx.rows, n: Cyx.cols, k }, { sign: -1 });
    for (let at = 0; at < Y.data.length; at++) {
      const i = Math.floor(at / k);
      cyy[i] = (cyy[i] as number) - (Y.data[at] as number) ** 2;
    }
  }
  const d = Cxx.rows;
  for (let i = 0; i < d; i++) {
    if ((Cxx.data[i * d + i] as number) > noise * (moments.Cxx.data[i * d + i] as number)) continue;
    for (let j = 0; j < d; j++) Cxx.data[i * d + j] = Cxx.data[j * d + i] = 0;
  }
  return {
    n,
    meanX: new Float64Array(meanX.length),
    meanY: new Float64Array(meanY.length),
    Cxx,
    Cyx,
    cyy: cyy.map((value, i) => (value > noise * (moments.cyy[i] as number) ? value : 0)),
  };
}

/** √n (token mean − global mean) as columns `[width, tokens]`. */
function deviations(batch: readonly TokenMeans[], mean: Float64Array, of: (means: TokenMeans) => Float64Array): Matrix {
  const result = createMatrix(mean.length, batch.length);
  batch.forEach((means, t) => {
    const values = of(means);
    for (let i = 0; i < mean.length; i++)
      result.data[i * batch.length + t] = Math.sqrt(means.n) * ((values[i] as number) - (mean[i] as number));
  });
  return result;
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
