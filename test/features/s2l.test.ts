import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createCodeMoments } from "../../src/features/s2l/code-moments.ts";
import { applyFeatureMap, featureDirection } from "../../src/features/s2l/feature-map.ts";
import { fitCodes } from "../../src/features/s2l/fit-codes.ts";
import { createSparseGram, toDense } from "../../src/features/s2l/sparse-gram.ts";
import type { SparseRows } from "../../src/features/sparse-rows.ts";
import { factorCholesky, solveCholesky } from "../../src/linalg/cholesky.ts";
import { createMatrix, transpose } from "../../src/linalg/matrix.ts";
import { multiply, transposedMultiply } from "../../src/linalg/multiply.ts";
import { type Random, seededRandom } from "../../src/linalg/random.ts";

/** Rows of codes in which each feature is active with the given chance. */
function drawCodes(rows: number, features: number, { chance, random }: { chance: number; random: Random }): SparseRows {
  const offsets = new Int32Array(rows + 1);
  const [indices, values]: [number[], number[]] = [[], []];
  for (let row = 0; row < rows; row++) {
    for (let j = 0; j < features; j++)
      if (random.uniform() < chance) {
        indices.push(j);
        values.push(Math.fround(0.2 + Math.abs(random.normal())));
      }
    offsets[row + 1] = indices.length;
  }
  return { rows, cols: features, offsets, indices: Int32Array.from(indices), values: Float32Array.from(values) };
}

function toMatrix({ rows, cols, offsets, indices, values }: SparseRows) {
  const result = createMatrix(rows, cols);
  for (let row = 0; row < rows; row++)
    for (let k = offsets[row]!; k < offsets[row + 1]!; k++) result.data[row * cols + indices[k]!] = values[k]!;
  return result;
}

/** States that are an exact image of the codes: y = f B + p, with noise. */
function plant(codes: SparseRows, width: number, { noise, random }: { noise: number; random: Random }) {
  const B = createMatrix(
    codes.cols,
    width,
    Float64Array.from({ length: codes.cols * width }, () => random.normal()),
  );
  const p = Float64Array.from({ length: width }, () => 3 * random.normal());
  const Y = Float32Array.from(applyFeatureMap({ B, p }, codes).data, (value) => value + noise * random.normal());
  return { B, p, Y };
}

const worst = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a, (value, i) => Math.abs(value - b[i]!)).reduce((most, value) => Math.max(most, value), 0);

describe("a map from features to hidden states", () => {
  test("createSparseGram().add(codes) sums f fᵀ of any sparse rows, whatever the parts they come in", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 30 }), fc.integer({ min: 1, max: 90 }), (seed, features) => {
        const random = seededRandom(seed);
        const gram = createSparseGram(features);
        const whole = createMatrix(features, features);
        for (const rows of [1, 7, 30]) {
          const codes = drawCodes(rows, features, { chance: 0.2, random });
          gram.add(codes);
          const F = toMatrix(codes);
          transposedMultiply(F, F).data.forEach((value, at) => {
            whole.data[at] = whole.data[at]! + value;
          });
        }
        // Both sum products of float32 numbers in float64, in another order.
        expect(worst(toDense(gram).data, whole.data)).toBeLessThan(1e-10);
      }),
      { numRuns: 25 },
    );
  });

  test("createSparseGram refuses more pairs than its memory allows, with a hint", () => {
    const gram = createSparseGram(50, { maxPairs: 100 });
    const codes = drawCodes(20, 50, { chance: 0.5, random: seededRandom(1) });
    expect(() => gram.add(codes)).toThrow("at most 100 pairs");
  });

  test("fitCodes(moments) finds the planted map, from sums added in parts", () => {
    const random = seededRandom(3);
    const codes = drawCodes(4000, 40, { chance: 0.1, random });
    const { B, p, Y } = plant(codes, 6, { noise: 0, random });
    const growing = createCodeMoments(40, 6);
    const cut = codes.offsets[1000]!;
    growing.add(
      {
        ...codes,
        rows: 1000,
        offsets: codes.offsets.slice(0, 1001),
        indices: codes.indices.slice(0, cut),
        values: codes.values.slice(0, cut),
      },
      Y.subarray(0, 6000),
    );
    growing.add(
      {
        ...codes,
        rows: 3000,
        offsets: codes.offsets.slice(1000).map((at) => at - cut),
        indices: codes.indices.slice(cut),
        values: codes.values.slice(cut),
      },
      Y.subarray(6000),
    );
    const fitted = fitCodes(growing.view(), { lambda: 1e-9 });
    // The states are float32; the penalty pulls by a billionth.
    expect(worst(fitted.B.data, B.data)).toBeLessThan(1e-4);
    expect(worst(fitted.p, p)).toBeLessThan(1e-4);
    expect(
      worst(featureDirection({ B: fitted.B, active: growing.view().active }, 7), B.data.slice(42, 48)),
    ).toBeLessThan(1e-4);
  });

  test("fitCodes by factor and by gradients agree with the dense formula", () => {
    const random = seededRandom(4);
    const codes = drawCodes(500, 60, { chance: 0.08, random });
    const { Y } = plant(codes, 4, { noise: 0.5, random });
    const growing = createCodeMoments(60, 4);
    growing.add(codes, Y);
    const moments = growing.view();
    const lambda = 0.05;
    // (Fcᵀ Fc + n λ v̄ I)⁻¹ Fcᵀ Yc with centred matrices, the textbook's form.
    const F = toMatrix(codes);
    const centre = (M: ReturnType<typeof createMatrix>) => {
      const result = createMatrix(M.rows, M.cols, M.data.slice());
      for (let j = 0; j < M.cols; j++) {
        let mean = 0;
        for (let i = 0; i < M.rows; i++) mean += M.data[i * M.cols + j]! / M.rows;
        for (let i = 0; i < M.rows; i++) result.data[i * M.cols + j]! -= mean;
      }
      return result;
    };
    const [Fc, Yc] = [centre(F), centre(createMatrix(500, 4, Float64Array.from(Y)))];
    const S = transposedMultiply(Fc, Fc);
    let trace = 0;
    for (let j = 0; j < 60; j++) trace += S.data[j * 61]!;
    for (let j = 0; j < 60; j++) S.data[j * 61]! += lambda * (trace / 60);
    const factor = factorCholesky(S);
    if (!factor.isPositiveDefinite) throw new Error("no factor");
    const expected = transpose(solveCholesky(factor.L, transpose(transposedMultiply(Fc, Yc))));
    expect(worst(fitCodes(moments, { lambda, solver: "factor" }).B.data, expected.data)).toBeLessThan(1e-10);
    // Conjugate gradients stop at a relative residual of 1e-9.
    expect(worst(fitCodes(moments, { lambda, solver: "gradients" }).B.data, expected.data)).toBeLessThan(1e-7);
  });

  test("fitCodes of shuffled pairs finds nothing; a feature never active gets 0 and has no direction", () => {
    const random = seededRandom(5);
    const codes = drawCodes(3000, 30, { chance: 0.1, random });
    const { Y } = plant(codes, 5, { noise: 0, random });
    const growing = createCodeMoments(31, 5);
    const wider = { ...codes, cols: 31 };
    growing.add(wider, Y);
    const order = random.shuffle(Array.from({ length: 3000 }, (_, row) => row));
    growing.addShuffled(wider, Float32Array.from(order.flatMap((row) => [...Y.subarray(row * 5, row * 5 + 5)])));
    const moments = growing.view();
    const [real, shuffled] = [fitCodes(moments, { lambda: 1e-3 }), fitCodes(moments, { lambda: 1e-3, shuffled: true })];
    const size = (M: { data: Float64Array }) =>
      Math.sqrt(multiply(createMatrix(1, M.data.length, M.data), createMatrix(M.data.length, 1, M.data)).data[0]!);
    // 30 coefficients a dimension from 3000 rows: a tenth is what noise alone gives.
    expect(size(shuffled.B)).toBeLessThan(0.2 * size(real.B));
    expect([...real.B.data.slice(150)]).toEqual([0, 0, 0, 0, 0]);
    expect(() => featureDirection({ B: real.B, active: moments.active }, 30)).toThrow("one that never was");
    expect(() => featureDirection({ B: real.B, active: moments.active }, 31)).toThrow("an index from 0 to 30");
  });

  test("fitCodes of shuffled pairs that are fewer than the rows, or none, finds nothing either", () => {
    const random = seededRandom(6);
    const part = () => drawCodes(1500, 20, { chance: 0.3, random });
    const [first, second] = [part(), part()];
    const { B, p, Y } = plant(first, 5, { noise: 0, random });
    const growing = createCodeMoments(20, 5);
    growing.add(first, Y);
    growing.add(second, Float32Array.from(applyFeatureMap({ B, p }, second).data));
    const size = () => Math.hypot(...fitCodes(growing.view(), { lambda: 1e-3, shuffled: true }).B.data);
    expect(size()).toBe(0);
    const order = random.shuffle(Array.from({ length: 1500 }, (_, row) => row));
    growing.addShuffled(first, Float32Array.from(order.flatMap((row) => [...Y.subarray(row * 5, row * 5 + 5)])));
    // Means of the rows that were shuffled, not of all: else what is missing looks like a relation turned round.
    expect(size()).toBeLessThan(0.25 * Math.hypot(...B.data));
  });

  test("bad input is refused by name", () => {
    const growing = createCodeMoments(3, 2);
    expect(() => fitCodes(growing.view(), { lambda: 1 })).toThrow("at least 2");
    const codes = drawCodes(4, 3, { chance: 0.5, random: seededRandom(1) });
    expect(() => growing.add(codes, new Float32Array(7))).toThrow("equally many");
    growing.add(codes, new Float32Array(8));
    expect(() => fitCodes(growing.view(), { lambda: 0 })).toThrow("a number above 0");
    expect(() => applyFeatureMap({ B: createMatrix(2, 2), p: new Float64Array(2) }, codes)).toThrow(
      "rows of 2 features",
    );
  });
});
