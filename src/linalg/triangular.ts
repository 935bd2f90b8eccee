import { addPlainProduct, addProduct } from "./kernel.ts";
import type { View } from "./view.ts";

/** Width at which plain loops take over: their share of the work is this by twice the size of the system. */
const narrow = 32;

/**
 * Solves `X Lᵀ = B` in place for X `[m, n]`, which holds B first; L `[n, n]` is lower triangular, what stands above its diagonal is not
 * read.
 *
 * By halves: the left half of X, a product, the right half. Nearly all work is in a few products of large blocks.
 */
export function solveForward(X: View, L: View, size: { readonly m: number; readonly n: number }): void {
  const { m, n } = size;
  if (n <= narrow) {
    substitute(X, L, m, n, { first: 0, step: 1, origin: L.offset, byRow: L.stride, byColumn: 1 });
    return;
  }
  const half = halfOf(n);
  const right = at(X, 0, half);
  solveForward(X, L, { m, n: half });
  addProduct(right, X, at(L, half, 0), { m, n: n - half, k: half }, { sign: -1 });
  solveForward(right, at(L, half, half), { m, n: n - half });
}

/** Solves `X L = B` in place, as {@link solveForward}, from the right half to the left. */
export function solveBackward(X: View, L: View, size: { readonly m: number; readonly n: number }): void {
  const { m, n } = size;
  if (n <= narrow) {
    const origin = L.offset + (n - 1) * (L.stride + 1);
    substitute(X, L, m, n, { first: n - 1, step: -1, origin, byRow: -1, byColumn: -L.stride });
    return;
  }
  const half = halfOf(n);
  const right = at(X, 0, half);
  solveBackward(right, at(L, half, half), { m, n: n - half });
  addPlainProduct(X, right, at(L, half, 0), { m, n: half, k: n - half }, { sign: -1 });
  solveBackward(X, L, { m, n: half });
}

/** The view of the same matrix that begins at (row, col). */
export function at({ data, offset, stride }: View, row: number, col: number): View {
  return { data, offset: offset + row * stride + col, stride };
}

/** About half, a multiple of the loops' width so that few blocks are narrower. */
function halfOf(n: number): number {
  return Math.ceil(n / 2 / narrow) * narrow;
}

/** How plain loops walk: elements of a row of X from `first` by `step`, coefficient (j, t) at `origin + j * byRow + t * byColumn`. */
interface Walk {
  readonly first: number;
  readonly step: number;
  readonly origin: number;
  readonly byRow: number;
  readonly byColumn: number;
}

/** Substitution, for every row of X; backward is forward with rows, columns and their order exchanged. */
function substitute({ data: x, offset, stride }: View, { data: l }: View, m: number, n: number, walk: Walk): void {
  const { first, step, origin, byRow, byColumn } = walk;
  // Four rows at a time: their sums do not wait for each other. Past the last row that one is worked out again, to the same values.
  for (let row = 0; row < m; row += 4) {
    const a = offset + row * stride + first;
    const b = offset + Math.min(row + 1, m - 1) * stride + first;
    const c = offset + Math.min(row + 2, m - 1) * stride + first;
    const d = offset + Math.min(row + 3, m - 1) * stride + first;
    for (let j = 0; j < n; j++) {
      const to = j * step;
      let sumA = x[a + to] as number;
      let sumB = x[b + to] as number;
      let sumC = x[c + to] as number;
      let sumD = x[d + to] as number;
      let coefficient = origin + j * byRow;
      for (let from = 0; from !== to; from += step, coefficient += byColumn) {
        const value = l[coefficient] as number;
        sumA -= (x[a + from] as number) * value;
        sumB -= (x[b + from] as number) * value;
        sumC -= (x[c + from] as number) * value;
        sumD -= (x[d + from] as number) * value;
      }
      const pivot = l[coefficient] as number;
      x[a + to] = sumA / pivot;
      x[b + to] = sumB / pivot;
      x[c + to] = sumC / pivot;
      x[d + to] = sumD / pivot;
    }
  }
}
