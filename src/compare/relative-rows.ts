import { mismatch } from "../errors.ts";
import { createMatrix, type Matrix } from "../linalg/matrix.ts";
import { seededRandom } from "../linalg/random.ts";
import type { Closeness } from "./closeness.ts";

/**
 * Relative rows: each row described by how near it is to m anchor rows, instead of by its own coordinates. `[n, m]`. Two models whose states differ
 * by a rotation and a scale alone have the same relative rows by cosine.
 *
 * @throws bad-input without anchors, or for one that is no row
 * @see Moschella et al., "Relative representations enable zero-shot latent space communication", arXiv 2209.15430
 */
export function relativeRows(closeness: Closeness, anchors: ArrayLike<number>): Matrix {
  const m = anchors.length;
  if (m === 0) throw mismatch("bad-input", "anchors", "at least one", "none");
  const first = closeness(anchors[0] as number);
  const R = createMatrix(first.length, m);
  for (let j = 0; j < m; j++) {
    const column = closeness(anchors[j] as number);
    if (!column) throw mismatch("bad-input", "anchor", `a row from 0 to ${first.length - 1}`, String(anchors[j]));
    for (let i = 0; i < R.rows; i++) R.data[i * m + j] = column[i] as number;
  }
  return R;
}

/** Draws m of n rows to be anchors, ascending; the same for the same seed. @throws bad-input if there are not so many, or m is below 2 */
export function drawAnchors(n: number, m: number, seed: number): Int32Array {
  if (!Number.isInteger(m) || m < 2 || m > n)
    throw mismatch("bad-input", "anchors", `a count from 2 to ${n}, the rows`, String(m));
  const rows = seededRandom(seed).shuffle(Int32Array.from({ length: n }, (_, i) => i));
  return Int32Array.from(rows.slice(0, m)).sort();
}

/** Anchors unless named: enough for retrieval to level off, and few beside the rows. At most a fifth of the rows. */
export function defaultAnchors(n: number): number {
  return Math.max(2, Math.min(100, Math.floor(n / 5)));
}
