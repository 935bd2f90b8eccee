import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { carrySae } from "../../src/features/carry-sae.ts";
import { checkCarryingMaps } from "../../src/features/carry-sae-maps.ts";
import { decodeRows } from "../../src/features/decode.ts";
import { encodeRows } from "../../src/features/encode.ts";
import type { Sae, SaeActivation } from "../../src/features/sae.ts";
import type { SparseRows } from "../../src/features/sparse-rows.ts";
import { toRowSource } from "../../src/features/train/row-source.ts";
import { trainSae } from "../../src/features/train/train-sae.ts";
import { createMatrix, type Matrix } from "../../src/linalg/matrix.ts";
import { applyMap } from "../../src/maps/affine-map.ts";
import { plantedMap } from "../../src/maps/latent-truth.ts";
import { createLatentWorld } from "../../src/maps/latent-world.ts";
import { measureSurvival } from "../../src/study/sae/feature-survival.ts";
import { explainedVariance, type HeldRows } from "../../src/study/sae/held-rows.ts";
import { sampleMap } from "../maps/made-up-map.ts";

interface Fixture {
  readonly maps: { A: number[]; p: number[]; B: number[]; q: number[]; old: number; new: number };
  readonly Y: number[];
  readonly saes: readonly {
    kind: SaeActivation;
    subtracts: boolean;
    scale: number;
    encoder: number[];
    encoderBias: number[];
    decoder: number[];
    decoderBias: number[];
    threshold: number[];
    gateBias: number[];
    gateScale: number[];
    codes: number[];
    rows: number[];
  }[];
}

const fixture = JSON.parse(readFileSync(join("test", "fixtures", "features", "carry.json"), "utf8")) as Fixture;
const { old, new: width } = fixture.maps;
const maps = {
  forward: { A: createMatrix(width, old, Float64Array.from(fixture.maps.A)), p: Float64Array.from(fixture.maps.p) },
  backward: { A: createMatrix(old, width, Float64Array.from(fixture.maps.B)), p: Float64Array.from(fixture.maps.q) },
};
const origin = { format: "trimtab", model: undefined, modelSha256: undefined, site: undefined, facts: {} } as const;

function toSae(of: Fixture["saes"][number]): Sae {
  const floats = (values: number[]): Float32Array => Float32Array.from(values);
  const hasThreshold = of.kind === "jumprelu" || of.kind === "batchtopk";
  return {
    width: old,
    features: of.encoderBias.length,
    activation: of.kind,
    encoder: floats(of.encoder),
    encoderBias: floats(of.encoderBias),
    decoder: floats(of.decoder),
    decoderBias: floats(of.decoderBias),
    threshold: hasThreshold ? floats(of.threshold) : undefined,
    k: of.kind === "topk" ? 3 : undefined,
    gate: of.kind === "gated" ? { bias: floats(of.gateBias), logScale: floats(of.gateScale) } : undefined,
    subtractsDecoderBias: of.subtracts,
    inputScale: of.scale,
    origin,
  };
}

function toDense({ rows, cols, offsets, indices, values }: SparseRows): Float64Array {
  const dense = new Float64Array(rows * cols);
  for (let i = 0; i < rows; i++)
    for (let at = offsets[i]!; at < offsets[i + 1]!; at++) dense[i * cols + indices[at]!] = values[at]!;
  return dense;
}

/** Parameters are stored in float32 and values are of size 1 to 10: a few units in their last place. */
const rounding = 2e-5;

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  let most = 0;
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs(a[i]! - b[i]!));
  return most;
}

const Y = Float32Array.from(fixture.Y);

describe("carrySae()", () => {
  for (const of of fixture.saes)
    test(`of ${of.kind}${of.subtracts ? ", subtracting its decoder's bias," : ""} codes and writes what numpy says: map back, encode, decode, map forward`, () => {
      const carried = carrySae(toSae(of), maps, { isUnit: false });
      const codes = encodeRows(carried, Y);
      expect(largestDifference(toDense(codes), of.codes)).toBeLessThan(rounding);
      expect(largestDifference(decodeRows(carried, codes), of.rows)).toBeLessThan(5 * rounding);
    });

  for (const of of fixture.saes.filter(({ kind }) => kind !== "topk"))
    test(`with a unit decoder, of ${of.kind}${of.subtracts ? ", subtracting," : ""} writes the same and scales each feature by its row's length`, () => {
      const plain = carrySae(toSae(of), maps, { isUnit: false });
      const unit = carrySae(toSae(of), maps, { isUnit: true });
      const codes = encodeRows(unit, Y);
      expect(largestDifference(decodeRows(unit, codes), of.rows)).toBeLessThan(10 * rounding);
      const length = (sae: Sae, j: number): number => Math.hypot(...sae.decoder.subarray(j * width, (j + 1) * width));
      const dense = toDense(codes);
      for (let j = 0; j < unit.features; j++) {
        expect(length(unit, j)).toBeCloseTo(1, 5);
        for (let i = 0; i < Y.length / width; i++)
          expect(dense[i * unit.features + j]!).toBeCloseTo(length(plain, j) * of.codes[i * unit.features + j]!, 3);
      }
    });

  test("refuses maps of other widths, one way and the other", () => {
    const sae = toSae(fixture.saes[0]!);
    expect(() => carrySae(sae, { forward: maps.backward, backward: maps.forward })).toThrow(
      /map: expected one from width 3/,
    );
    expect(() => carrySae(sae, { forward: maps.forward, backward: maps.forward })).toThrow(/map back: expected/);
  });
});

describe("in a latent world", () => {
  // Orthogonal projections keep lengths, so that shares of variance are those of the universal space in both models.
  const models = [20, 28].map((width) => ({ width, projection: "orthogonal" as const }));
  const sizes = { features: 40, universalWidth: 16, active: 3, seed: 4 };
  const world = createLatentWorld({ ...sizes, models });
  const floats = ({ data }: Matrix): Float32Array => Float32Array.from(data);
  const training = world.draw(4000, { seed: 1 });
  const held = world.draw(1500, { seed: 2 });
  const [X, T] = [held.states[0]!, held.states[1]!].map(floats) as [Float32Array, Float32Array];
  const heldOf = (rows: Float32Array, of: number): HeldRows => ({
    rows,
    width: of,
    groups: new Int32Array(rows.length / of),
    groupCount: 1,
  });
  const explain = (sae: Sae, rows: Float32Array): number =>
    explainedVariance(heldOf(rows, sae.width), decodeRows(sae, encodeRows(sae, rows)));
  const there = { forward: plantedMap(world, 0, 1), backward: plantedMap(world, 1, 0) };
  const settings = { features: 60, k: 4, steps: 250, batch: 256, learningRate: 3e-3, seed: 1 };
  const trained = trainSae(toRowSource("x", floats(training.states[0]!), 20), settings);

  test("carried by exact maps an autoencoder has the same codes as on the source, to rounding, and survives whole", async () => {
    const sae = await trained;
    expect(there.forward.isExact && there.backward.isExact).toBe(true);
    const carried = carrySae(sae, there);
    const [before, after] = [encodeRows(sae, X), encodeRows(carried, T)];
    const [a, b] = [toDense(before), toDense(after)];
    // The k-th and the next may change places where they are equal to rounding: a handful of 90,000.
    const differing = a.filter((value, at) => Math.abs(value - b[at]!) > 1e-3).length;
    expect(differing).toBeLessThan(20);
    const { survives, silent, correlation } = measureSurvival(before, after);
    expect(silent).toBe(0);
    expect(survives).toBe(1);
    expect(correlation.lower).toBeGreaterThan(0.999);
  });

  test("and explains on the target what mapping the source's reconstructions forward explains", async () => {
    const sae = await trained;
    const made = decodeRows(sae, encodeRows(sae, X));
    const mapped = explainedVariance(heldOf(T, 28), applyMap(there.forward, made));
    const carried = explain(carrySae(sae, there), T);
    expect(carried).toBeCloseTo(mapped, 4);
    // What the source's reconstructions hold beside its states the map drops: no less is explained than on the source, and hardly more.
    const source = explain(sae, X);
    expect(source).toBeGreaterThan(0.6);
    expect(carried).toBeGreaterThan(source - 1e-4);
    expect(carried).toBeLessThan(source + 0.1);
  });

  test("explains nothing of a model of another world: the map back tells it nothing", async () => {
    const other = createLatentWorld({ ...sizes, seed: 99, models });
    const unrelated = floats(other.draw(1500, { seed: 3 }).states[1]!);
    expect(explain(carrySae(await trained, there), unrelated)).toBeLessThan(0.05);
  });

  test("trainSae({ initial }) begins where the autoencoder is, and shows it at the steps asked for", async () => {
    const sae = await trained;
    const seen: { step: number; explained: number }[] = [];
    const rows = toRowSource("y", floats(training.states[1]!), 28);
    const carried = carrySae(sae, there);
    await trainSae(rows, {
      ...settings,
      steps: 20,
      initial: carried,
      snapshots: {
        atSteps: [0, 20],
        onSnapshot: (now, step) => void seen.push({ step, explained: explain(now, T) }),
      },
    });
    expect(seen.map(({ step }) => step)).toEqual([0, 20]);
    // Training holds decoder rows of length 1, by which other features may be among the largest.
    expect(seen[0]!.explained).toBeCloseTo(explain(carrySae(sae, there, { isUnit: true }), T), 4);
    expect(seen[1]!.explained).toBeGreaterThan(seen[0]!.explained);
    await expect(trainSae(rows, { ...settings, initial: sae })).rejects.toThrow(/width 28, that of the rows/);
    await expect(trainSae(rows, { ...settings, features: 61, initial: carried })).rejects.toThrow(
      /expected 61 features/,
    );
    await expect(trainSae(rows, { ...settings, kind: "jumprelu", initial: carried })).rejects.toThrow(/kind jumprelu/);
  });
});

describe("checkCarryingMaps()", () => {
  const forward = sampleMap();
  const [end] = forward.sources as readonly [(typeof forward.sources)[0]];
  const backward = {
    ...forward,
    sources: [forward.target],
    target: end,
    A: createMatrix(5, 7),
    p: new Float64Array(5),
  };
  const sae = {
    ...toSae(fixture.saes[0]!),
    width: 5,
    origin: { ...origin, model: "S", modelSha256: end.model.sha256, site: end.site },
  };

  test("finds the maps both ways", () => {
    expect(checkCarryingMaps(sae, [forward], [backward])).toEqual({ forward, backward, warnings: [] });
  });

  test("refuses maps that do not begin where it reads, or do not lead back, and warns of another file", () => {
    const elsewhere = { ...sae, origin: { ...sae.origin, site: { layer: 0, point: "resid_post" } as const } };
    expect(() => checkCarryingMaps(elsewhere, [forward], [backward])).toThrow(/one from resid_post.0 of S, width 5/);
    expect(() => checkCarryingMaps(sae, [forward], [forward])).toThrow(/map back: expected one from resid_post.2/);
    const unknown = { ...sae, origin };
    expect(checkCarryingMaps(unknown, [forward], [backward]).warnings).toHaveLength(1);
  });
});
