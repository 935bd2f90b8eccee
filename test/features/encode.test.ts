import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeRows } from "../../src/features/decode.ts";
import { encodeRows } from "../../src/features/encode.ts";
import type { Sae } from "../../src/features/sae.ts";
import { sliceSparseRows } from "../../src/features/slice-sparse-rows.ts";
import { toUnitDecoder } from "../../src/features/unit-decoder.ts";
import { seededRandom } from "../../src/linalg/random.ts";

const [width, features] = [3, 9];
// Small whole numbers: products are exact, and ties common.
const whole = (length: number) => fc.array(fc.integer({ min: -2, max: 2 }), { minLength: length, maxLength: length });
const anySae: fc.Arbitrary<Sae> = fc
  .record({
    activation: fc.constantFrom("relu", "jumprelu", "topk", "batchtopk", "gated"),
    encoder: whole(features * width).map((values) => Float32Array.from(values)),
    encoderBias: whole(features).map((values) => Float32Array.from(values)),
    decoder: whole(features * width).map((values) => Float32Array.from(values)),
    decoderBias: whole(width).map((values) => Float32Array.from(values)),
    limits: whole(features).map((values) => Float32Array.from(values)),
    gateBias: whole(features).map((values) => Float32Array.from(values)),
    k: fc.integer({ min: 1, max: features }),
    subtractsDecoderBias: fc.boolean(),
    inputScale: fc.constantFrom(1, 2, 0.5),
  })
  .map(({ limits, gateBias, ...rest }) => ({
    ...rest,
    width,
    features,
    threshold: limits,
    gate: { bias: gateBias, logScale: new Float32Array(features) },
    origin: { format: "trimtab", model: undefined, modelSha256: undefined, site: undefined, facts: {} },
  }));

/** The definition in the type's comment, feature by feature. */
function byDefinition(sae: Sae, row: readonly number[]): number[] {
  const { activation, encoder, encoderBias, decoderBias, threshold, gate, k, inputScale, subtractsDecoderBias } = sae;
  const inside = row.map((value, j) => inputScale * value - (subtractsDecoderBias ? decoderBias[j]! : 0));
  const products = Array.from({ length: features }, (_, f) =>
    inside.reduce((sum, value, j) => sum + value * encoder[f * width + j]!, 0),
  );
  const pre = products.map((value, f) => value + encoderBias[f]!);
  const relu = pre.map((value) => Math.max(0, value));
  if (activation === "relu") return relu;
  if (activation === "topk") {
    const order = [...pre.keys()].sort((a, b) => pre[b]! - pre[a]! || a - b).slice(0, k);
    return relu.map((value, f) => (order.includes(f) ? value : 0));
  }
  if (activation === "gated") return relu.map((value, f) => (products[f]! + gate!.bias[f]! > 0 ? value : 0));
  return relu.map((value, f) => (pre[f]! > threshold![f]! ? value : 0));
}

test("encodeRows() and decodeRows() are what the type says, for every activation and any ties", () => {
  fc.assert(
    fc.property(anySae, fc.array(whole(width), { minLength: 1, maxLength: 5 }), (sae, rows) => {
      const F = encodeRows(sae, Float32Array.from(rows.flat()));
      const X = decodeRows(sae, F);
      rows.forEach((row, i) => {
        const wanted = byDefinition(sae, row);
        const found = new Array<number>(features).fill(0);
        for (let at = F.offsets[i]!; at < F.offsets[i + 1]!; at++) {
          expect(at === F.offsets[i] || F.indices[at]! > F.indices[at - 1]!).toBe(true);
          found[F.indices[at]!] = F.values[at]!;
        }
        // Whole numbers and halves: exact.
        expect(found).toEqual(wanted);
        for (let j = 0; j < width; j++) {
          const sum = wanted.reduce(
            (total, value, f) => total + value * sae.decoder[f * width + j]!,
            sae.decoderBias[j]!,
          );
          expect(X[i * width + j]).toBe(sum / sae.inputScale);
        }
      });
    }),
    { numRuns: 500, seed: 7 },
  );
});

test("encodeRows() of many rows and features goes by blocks to the same result", () => {
  const random = seededRandom(4);
  const draw = (n: number): Float32Array => Float32Array.from({ length: n }, () => random.normal());
  // Wide enough for two tiles of the encoder, of 2²⁰ values each.
  const [d, M, n] = [1024, 1100, 20];
  const sae: Sae = {
    width: d,
    features: M,
    activation: "topk",
    encoder: draw(M * d),
    encoderBias: draw(M),
    decoder: new Float32Array(M * d),
    decoderBias: draw(d),
    threshold: undefined,
    k: 7,
    gate: undefined,
    subtractsDecoderBias: true,
    inputScale: 1,
    origin: { format: "trimtab", model: undefined, modelSha256: undefined, site: undefined, facts: {} },
  };
  const X = draw(n * d);
  const F = encodeRows(sae, X);
  expect(F.values).toHaveLength(7 * n);
  for (const at of [0, 11, 139]) {
    const row = Math.floor(at / 7);
    const feature = F.indices[at]!;
    let sum = sae.encoderBias[feature]!;
    for (let j = 0; j < d; j++) sum += (X[row * d + j]! - sae.decoderBias[j]!) * sae.encoder[feature * d + j]!;
    // float64 in another order, then rounded to float32: values of about 100.
    expect(F.values[at]).toBeCloseTo(sum, 4);
  }
});

test("toUnitDecoder() keeps reconstructions and makes activations lengths", () => {
  fc.assert(
    fc.property(anySae, whole(width), (any, row) => {
      const sae = { ...any, activation: "relu" as const };
      const unit = toUnitDecoder(sae);
      const X = Float32Array.from(row);
      const [before, after] = [decodeRows(sae, encodeRows(sae, X)), decodeRows(unit, encodeRows(unit, X))];
      // Rounded to float32 twice more.
      before.forEach((value, j) => {
        expect(Math.abs(value - after[j]!)).toBeLessThan(1e-4);
      });
      for (let f = 0; f < features; f++) {
        const norm = Math.hypot(...unit.decoder.subarray(f * width, (f + 1) * width));
        expect(norm === 0 || Math.abs(norm - 1) < 1e-6).toBe(true);
      }
    }),
    { seed: 7 },
  );
});

test("sliceSparseRows() gives the rows of a part, and refuses rows that are not there", () => {
  const F = {
    rows: 3,
    cols: 4,
    offsets: Int32Array.of(0, 2, 2, 3),
    indices: Int32Array.of(0, 3, 1),
    values: Float32Array.of(1, 2, 3),
  };
  expect(sliceSparseRows(F, 1, 3)).toEqual({
    rows: 2,
    cols: 4,
    offsets: Int32Array.of(0, 0, 1),
    indices: Int32Array.of(1),
    values: Float32Array.of(3),
  });
  expect(sliceSparseRows(F, 3, 3).values).toHaveLength(0);
  expect(() => sliceSparseRows(F, 2, 4)).toThrow("rows: expected 0 ≤ from ≤ to ≤ 3, got 2 to 4");
});
