import { addProduct } from "../../linalg/kernel.ts";
import { createMatrix, type Matrix } from "../../linalg/matrix.ts";
import { toView } from "../../linalg/multiply.ts";
import type { TokenSum, TokenSums } from "../collect/token-sums.ts";
import type { JointMoments } from "../joint-moments.ts";

/**
 * The moments of the fitted rows about their own token means: total less between-token products. Rows whose token is not in the table
 * are taken about the global means. Means are zero: a map of residuals has no bias.
 */
export function toResidualMoments(moments: JointMoments, tokens: TokenSums): JointMoments {
  const global = joined(moments.means);
  const rest = copyProducts(moments);
  addBetween(rest, tokens, -1, () => global);
  return withoutNoise(rest, moments);
}

/**
 * The moments of validation rows about the token means of the *fitted* rows, from sums alone: the rows about their own token means, and
 * those means about the table, `n (v − m)(v − m)ᵀ` for each token; tokens that the fitted rows lack have their global means m.
 */
export function toValidationResiduals(
  validation: { readonly moments: JointMoments; readonly tokens: TokenSums },
  fitted: { readonly moments: JointMoments; readonly tokens: TokenSums },
): JointMoments {
  const rest = copyProducts(validation.moments);
  const own = joined(validation.moments.means);
  const global = joined(fitted.moments.means);
  addBetween(rest, validation.tokens, -1, () => own);
  addBetween(rest, validation.tokens, 1, (token) => {
    const found = fitted.tokens.byToken.get(token);
    return found ? meanOf(found) : global;
  });
  return withoutNoise(rest, validation.moments);
}

function meanOf({ n, sums }: TokenSum): Float64Array {
  return sums.map((value) => value / n);
}

function joined(means: readonly Float64Array[]): Float64Array {
  return Float64Array.from(means.flatMap((mean) => [...mean]));
}

function copyProducts({ n, means, blocks }: JointMoments): JointMoments {
  return {
    n,
    means: means.map((mean) => new Float64Array(mean.length)),
    blocks: blocks.map(({ row, col, C }) => ({ row, col, C: createMatrix(C.rows, C.cols, C.data.slice()) })),
  };
}

/** Tokens whose deviations are packed at a time. */
const batchTokens = 512;

/** Adds `sign` times the products of √n (token mean − reference), summed over tokens, in place. */
function addBetween(
  { means, blocks }: JointMoments,
  { byToken }: TokenSums,
  sign: 1 | -1,
  reference: (token: number) => Float64Array,
): void {
  const entries = [...byToken];
  for (let from = 0; from < entries.length; from += batchTokens) {
    const batch = entries.slice(from, from + batchTokens);
    const k = batch.length;
    const deviations = batch.map(([token, sum]) => {
      const about = reference(token);
      return meanOf(sum).map((value, i) => Math.sqrt(sum.n) * (value - (about[i] as number)));
    });
    let start = 0;
    const packed = means.map(({ length }) => {
      const columns = columnsOf(deviations, start, length);
      start += length;
      return columns;
    });
    for (const { row, col, C } of blocks) {
      const [a, b] = [packed[row] as Matrix, packed[col] as Matrix];
      addProduct(toView(C), toView(a), toView(b), { m: C.rows, n: C.cols, k }, { sign });
    }
  }
}

/** Part of every deviation as a column: `[width, tokens]`. */
function columnsOf(deviations: readonly Float64Array[], start: number, width: number): Matrix {
  const result = createMatrix(width, deviations.length);
  deviations.forEach((deviation, t) => {
    for (let i = 0; i < width; i++) result.data[i * deviations.length + t] = deviation[start + i] as number;
  });
  return result;
}

/** Variances below this share of the total are what subtraction left of rounding. */
const noise = 1e-10;

/** Clears the dimensions that do not vary about the table, so that rounding is not standardised to unit variance. */
function withoutNoise(rest: JointMoments, total: JointMoments): JointMoments {
  const still = rest.means.map((mean) => new Uint8Array(mean.length));
  rest.blocks.forEach(({ row, col, C }, at) => {
    if (row !== col) return;
    const whole = (total.blocks[at] as { readonly C: Matrix }).C;
    for (let i = 0; i < C.rows; i++) {
      const place = i * C.cols + i;
      if (!((C.data[place] as number) > noise * (whole.data[place] as number))) (still[row] as Uint8Array)[i] = 1;
    }
  });
  for (const { row, col, C } of rest.blocks)
    for (let i = 0; i < C.rows; i++)
      for (let j = 0; j < C.cols; j++) if (still[row]?.[i] === 1 || still[col]?.[j] === 1) C.data[i * C.cols + j] = 0;
  return rest;
}
