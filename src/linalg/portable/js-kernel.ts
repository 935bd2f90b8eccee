import type { ProductOptions, ProductSize, View } from "../view.ts";

/** Columns of the inner dimension per pass: 4 + 64 rows of 256 doubles stay in a 256 KB second-level cache. */
const depth = 256;
const span = 64;

/**
 * Adds `sign · A Bᵀ` to C in place, where A is `[m, k]`, B `[n, k]` and C `[m, n]`.
 *
 * The kernel of last resort, plain TypeScript: both operands are read along their rows, so 16 sums live in registers and every load is contiguous
 * (a 4 x 4 block; about 10 times a plain triple loop in V8). With `upper` set, blocks wholly below the diagonal are skipped: use it
 * for symmetric results and mirror afterwards. C may share its array with A or B where the ranges written and read do not overlap.
 */
export function addProductInLoops(C: View, A: View, B: View, size: ProductSize, options: ProductOptions = {}): void {
  const { m, n, k } = size;
  const { sign = 1, upper = false } = options;
  for (let k0 = 0; k0 < k; k0 += depth) {
    const length = Math.min(depth, k - k0);
    for (let j0 = 0; j0 < n; j0 += span) {
      const jEnd = Math.min(j0 + span, n);
      const iEnd = upper ? Math.min(m, jEnd) : m;
      let i = 0;
      for (; i + 4 <= m && i < iEnd; i += 4) {
        let j = upper ? Math.max(j0, i - (i % 4)) : j0;
        for (; j + 4 <= jEnd; j += 4) block4(C, A, B, i, j, k0, length, sign);
        edge(C, A, B, i, i + 4, j, jEnd, k0, length, sign);
      }
      if (i < iEnd) edge(C, A, B, i, iEnd, j0, jEnd, k0, length, sign);
    }
  }
}

function block4(C: View, A: View, B: View, i: number, j: number, k0: number, length: number, sign: number): void {
  const { data: a } = A;
  const { data: b } = B;
  let a0 = A.offset + i * A.stride + k0;
  let a1 = a0 + A.stride;
  let a2 = a1 + A.stride;
  let a3 = a2 + A.stride;
  let b0 = B.offset + j * B.stride + k0;
  let b1 = b0 + B.stride;
  let b2 = b1 + B.stride;
  let b3 = b2 + B.stride;
  let s00 = 0;
  let s01 = 0;
  let s02 = 0;
  let s03 = 0;
  let s10 = 0;
  let s11 = 0;
  let s12 = 0;
  let s13 = 0;
  let s20 = 0;
  let s21 = 0;
  let s22 = 0;
  let s23 = 0;
  let s30 = 0;
  let s31 = 0;
  let s32 = 0;
  let s33 = 0;
  for (const end = a0 + length; a0 < end; ) {
    const x0 = a[a0++] as number;
    const x1 = a[a1++] as number;
    const x2 = a[a2++] as number;
    const x3 = a[a3++] as number;
    const y0 = b[b0++] as number;
    const y1 = b[b1++] as number;
    const y2 = b[b2++] as number;
    const y3 = b[b3++] as number;
    s00 += x0 * y0;
    s01 += x0 * y1;
    s02 += x0 * y2;
    s03 += x0 * y3;
    s10 += x1 * y0;
    s11 += x1 * y1;
    s12 += x1 * y2;
    s13 += x1 * y3;
    s20 += x2 * y0;
    s21 += x2 * y1;
    s22 += x2 * y2;
    s23 += x2 * y3;
    s30 += x3 * y0;
    s31 += x3 * y1;
    s32 += x3 * y2;
    s33 += x3 * y3;
  }
  addFour(C, i, j, sign, s00, s01, s02, s03);
  addFour(C, i + 1, j, sign, s10, s11, s12, s13);
  addFour(C, i + 2, j, sign, s20, s21, s22, s23);
  addFour(C, i + 3, j, sign, s30, s31, s32, s33);
}

function addFour(C: View, i: number, j: number, sign: number, s0: number, s1: number, s2: number, s3: number): void {
  const { data } = C;
  const at = C.offset + i * C.stride + j;
  data[at] = (data[at] as number) + sign * s0;
  data[at + 1] = (data[at + 1] as number) + sign * s1;
  data[at + 2] = (data[at + 2] as number) + sign * s2;
  data[at + 3] = (data[at + 3] as number) + sign * s3;
}

/** Rows and columns that do not fill a block, by plain dot products. */
function edge(
  C: View,
  A: View,
  B: View,
  iStart: number,
  iEnd: number,
  jStart: number,
  jEnd: number,
  k0: number,
  length: number,
  sign: number,
): void {
  for (let i = iStart; i < iEnd; i++)
    for (let j = jStart; j < jEnd; j++) {
      const a = A.offset + i * A.stride + k0;
      const b = B.offset + j * B.stride + k0;
      let sum = 0;
      for (let t = 0; t < length; t++) sum += (A.data[a + t] as number) * (B.data[b + t] as number);
      const at = C.offset + i * C.stride + j;
      C.data[at] = (C.data[at] as number) + sign * sum;
    }
}
