import fc from "fast-check";
import { expect, test } from "vitest";
import {
  addPortablePlainProduct,
  addPortableProduct,
  addPortableTransposedProduct,
} from "../../src/linalg/portable/add-product.ts";
import { addProductInTiles, type Layout } from "../../src/linalg/portable/add-product-in-tiles.ts";
import { addProductInLoops } from "../../src/linalg/portable/js-kernel.ts";
import { describePortableKernel } from "../../src/linalg/portable/portable-kernel.ts";
import { seededRandom } from "../../src/linalg/random.ts";
import type { ProductSize, View } from "../../src/linalg/view.ts";

const rows: Layout = { left: false, right: false };
const columns: Layout = { left: true, right: true };

/** Sizes around the panel (4), the block (128) and the chunk (256). */
const size: fc.Arbitrary<number> = fc.oneof(fc.integer({ min: 1, max: 13 }), fc.constantFrom(63, 127, 128, 133));
const inner: fc.Arbitrary<number> = fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constantFrom(255, 256, 259, 300));

/** A view of `[rows, cols]` standard normals somewhere in a larger array of them. */
function randomView(rows: number, cols: number, seed: number): View {
  const random = seededRandom(seed);
  const [offset, gap] = [seed % 5, (seed >> 3) % 4];
  const data = Float64Array.from({ length: offset + rows * (cols + gap) + 3 }, () => random.normal());
  return { data, offset, stride: cols + gap };
}

function operand(length: number, k: number, transposed: boolean, seed: number): View {
  return transposed ? randomView(k, length, seed) : randomView(length, k, seed);
}

const value = ({ data, offset, stride }: View, i: number, j: number): number => data[offset + i * stride + j] as number;

/** Σ a b and Σ |a| |b| by the plain loop. */
function dot(A: View, B: View, i: number, j: number, k: number, { left, right }: Layout): [number, number] {
  let [sum, size] = [0, 0];
  for (let t = 0; t < k; t++) {
    const product = (left ? value(A, t, i) : value(A, i, t)) * (right ? value(B, t, j) : value(B, j, t));
    sum += product;
    size += Math.abs(product);
  }
  return [sum, size];
}

/**
 * Two sums of the same k products in different orders differ by at most 2 k u Σ |a b| to first order, u = 2⁻⁵³; adding them to c
 * rounds twice more.
 */
const bound = (k: number, size: number, c: number): number => (2 * k + 4) * 2 ** -53 * (size + Math.abs(c));

function expectProduct(
  C: View,
  before: Float64Array,
  A: View,
  B: View,
  { m, n, k }: ProductSize,
  layout: Layout,
  sign = 1,
  upper = false,
): void {
  const expected = before.slice();
  const tolerance = new Float64Array(before.length);
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++) {
      const at = C.offset + i * C.stride + j;
      const [sum, size] = dot(A, B, i, j, k, layout);
      expected[at] = (before[at] as number) + sign * sum;
      tolerance[at] = upper && j < i ? Infinity : bound(k, size, before[at] as number);
    }
  const wrong = C.data.findIndex((got, at) => !(Math.abs(got - (expected[at] as number)) <= (tolerance[at] as number)));
  expect(wrong, `value ${wrong} is ${C.data[wrong]}, expected ${expected[wrong]}`).toBe(-1);
}

test("the kernel in use here is the one in WebAssembly", () => {
  expect(describePortableKernel()).toMatchObject({ kernel: "wasm", trouble: undefined });
});

test("addProductInTiles(C, A, B) is the plain loop's product within the rounding of two orders, in every layout, touching nothing else", () => {
  const layout = fc.record({ left: fc.boolean(), right: fc.boolean() });
  fc.assert(
    fc.property(
      size,
      size,
      inner,
      layout,
      fc.constantFrom(1 as const, -1 as const),
      fc.boolean(),
      fc.nat(),
      (m, n, k, transposed, sign, upper, seed) => {
        const A = operand(m, k, transposed.left, seed);
        const B = operand(n, k, transposed.right, seed + 1);
        const C = randomView(m, n, seed + 2);
        const before = C.data.slice();
        addProductInTiles(C, A, B, { m, n, k }, { sign, upper }, transposed);
        expectProduct(C, before, A, B, { m, n, k }, transposed, sign, upper);
      },
    ),
    { numRuns: 80 },
  );
});

test("addProductInTiles(C, A, A, {upper}) of one operand gives the bits of two equal ones", () => {
  for (const transposed of [rows, columns])
    for (const [m, k] of [
      [133, 300],
      [7, 5],
      [256, 64],
    ] as const) {
      const A = operand(m, k, transposed.left, m);
      const copy = { ...A, data: A.data.slice() };
      const [one, two] = [randomView(m, m, 3), randomView(m, m, 3)];
      addProductInTiles(one, A, A, { m, n: m, k }, { upper: true }, transposed);
      addProductInTiles(two, A, copy, { m, n: m, k }, { upper: true }, transposed);
      expect(one.data.findIndex((value, i) => value !== two.data[i])).toBe(-1);
    }
});

test("addProductInTiles(C, A, B) joins tiles and depths beyond 1024, upper triangles too", () => {
  for (const [m, n, k, upper] of [
    [1030, 1101, 5, false],
    [1101, 1030, 5, true],
    [1032, 1032, 3, true],
    [21, 34, 2500, false],
  ] as const) {
    const [A, B, C] = [operand(m, k, true, 1), operand(n, k, true, 2), randomView(m, n, 3)];
    const before = C.data.slice();
    addProductInTiles(C, A, B, { m, n, k }, { upper }, columns);
    expectProduct(C, before, A, B, { m, n, k }, columns, 1, upper);
  }
});

test("addPortableProduct(A Bᵀ), addPortableTransposedProduct(Aᵀ B) and addPortablePlainProduct(A B) agree with the plain loop, small and large", () => {
  // Either side of the size from which the WebAssembly kernel serves.
  for (const [m, n, k] of [
    [3, 5, 7],
    [26, 27, 28],
    [27, 28, 29],
    [70, 81, 92],
    [300, 2, 100],
    [200, 200, 3],
    [1, 1, 1],
  ] as const)
    for (const [add, layout] of [
      [addPortableProduct, rows],
      [addPortableTransposedProduct, columns],
      [addPortablePlainProduct, { left: false, right: true }],
    ] as const) {
      const A = operand(m, k, layout.left, m);
      const B = operand(n, k, layout.right, n);
      const C = randomView(m, n, k);
      const before = C.data.slice();
      add(C, A, B, { m, n, k });
      expectProduct(C, before, A, B, { m, n, k }, layout);
      const negative = { ...C, data: before.slice() };
      add(negative, A, B, { m, n, k }, { sign: -1 });
      expectProduct(negative, before, A, B, { m, n, k }, layout, -1);
    }
});

test("products with a size of zero change nothing", () => {
  const [A, B, C] = [randomView(40, 40, 1), randomView(40, 40, 2), randomView(40, 40, 3)];
  const before = C.data.slice();
  for (const empty of [{ m: 0 }, { n: 0 }, { k: 0 }]) {
    const sizes = { m: 40, n: 40, k: 40, ...empty };
    addPortableProduct(C, A, B, sizes);
    addPortableTransposedProduct(C, A, B, sizes);
    addProductInTiles(C, A, B, sizes, {}, rows);
  }
  expect(C.data).toEqual(before);
});

test("NaN and infinity reach their own rows and columns of the product, and no others", () => {
  for (const transposed of [rows, columns])
    for (const special of [Number.NaN, Infinity, -Infinity]) {
      // 33 and 41: the special row and column are in panels filled up with zeros.
      const [m, n, k] = [33, 41, 50];
      const [A, B] = [operand(m, k, transposed.left, 1), operand(n, k, transposed.right, 2)];
      const at = (view: View, i: number, t: number): number =>
        view.offset + (transposed.left ? t * view.stride + i : i * view.stride + t);
      A.data[at(A, 32, 49)] = special;
      B.data[at(B, 40, 3)] = special;
      const [tiles, loops] = [new Float64Array(m * n), new Float64Array(m * n)];
      addProductInTiles({ data: tiles, offset: 0, stride: n }, A, B, { m, n, k }, {}, transposed);
      const turned = (view: View, length: number): View => {
        const data = Float64Array.from(
          { length: length * k },
          (_, q) => view.data[at(view, Math.floor(q / k), q % k)] as number,
        );
        return { data, offset: 0, stride: k };
      };
      addProductInLoops({ data: loops, offset: 0, stride: n }, turned(A, m), turned(B, n), { m, n, k });
      for (let i = 0; i < m; i++)
        for (let j = 0; j < n; j++) {
          const [got, expected] = [tiles[i * n + j] as number, loops[i * n + j] as number];
          expect(Number.isFinite(got)).toBe(i !== 32 && j !== 40);
          if (!Number.isFinite(got)) expect(got).toBe(expected);
        }
    }
});
