import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { carryProbe, pullBackPlane, pushForwardPlane } from "../../src/features/probes/carry-probe.ts";
import { fitProbe, recalibrate } from "../../src/features/probes/fit-probe.ts";
import { readLabelledTexts } from "../../src/features/probes/labelled-texts.ts";
import { measureScores } from "../../src/features/probes/measure-scores.ts";
import { applyProbe, type Probe } from "../../src/features/probes/probe.ts";
import { readProbe, writeProbe } from "../../src/features/probes/probe-file.ts";
import { splitRows } from "../../src/features/probes/split-rows.ts";
import { createMatrix } from "../../src/linalg/matrix.ts";
import { seededRandom } from "../../src/linalg/random.ts";
import { areaUnderCurve } from "../../src/vectors/area-under-curve.ts";
import type { LabelledRows } from "../../src/vectors/logistic-rows.ts";
import { onlyBadInput } from "../formats/only-bad-input.ts";
import { temporaryFolder } from "../formats/temporary-folder.ts";
import { sampleMap } from "../maps/made-up-map.ts";

interface Fixture {
  readonly logistic: { width: number; rows: number[]; labels: number[]; lam: number; weights: number[]; bias: number };
  readonly auroc: readonly { scores: number[]; labels: number[]; auroc: number }[];
  readonly maps: { A: number[]; p: number[]; B: number[]; q: number[]; old: number; new: number };
  readonly Y: number[];
  readonly probe: { weights: number[]; bias: number; centre: number[]; backward: number[]; forward: number[] };
}

const fixture = JSON.parse(readFileSync(join("test", "fixtures", "features", "carry.json"), "utf8")) as Fixture;
const folder = temporaryFolder();
const floats = (values: readonly number[]): Float64Array => Float64Array.from(values);

const { maps } = fixture;
const forward = { A: createMatrix(maps.new, maps.old, floats(maps.A)), p: floats(maps.p) };
const backward = { A: createMatrix(maps.old, maps.new, floats(maps.B)), p: floats(maps.q) };
const plane = {
  weights: floats(fixture.probe.weights),
  bias: fixture.probe.bias,
  centre: floats(fixture.probe.centre),
};

function closeTo(found: ArrayLike<number>, expected: readonly number[], digits: number): void {
  expect(found.length).toBe(expected.length);
  for (const [i, value] of expected.entries()) expect(found[i]!).toBeCloseTo(value, digits);
}

describe("agreement with numpy and scipy", () => {
  test("fitProbe() of unequal classes is the minimum that BFGS finds", () => {
    const { width, rows, labels, lam, weights, bias } = fixture.logistic;
    const found = fitProbe(
      { rows: labels.length, width, data: Float32Array.from(rows), labels: Uint8Array.from(labels) },
      { kind: "logistic", lambda: lam },
    );
    // BFGS stops at a gradient of 1e-10; the weights follow it to some 1e-8.
    closeTo(found.weights, weights, 6);
    expect(found.bias).toBeCloseTo(bias, 6);
  });

  test("areaUnderCurve() is Mann and Whitney's, ties half", () => {
    for (const { scores, labels, auroc } of fixture.auroc) {
      const found = measureScores(floats(scores), Uint8Array.from(labels)).auroc;
      expect(found).toBeCloseTo(auroc, 12);
    }
    expect(areaUnderCurve([1, 1], [1])).toBe(0.5);
    expect(areaUnderCurve([], [1])).toBeNaN();
  });

  test("pullBackPlane() scores the mapped state and pushForwardPlane() the carried direction", () => {
    const Y = Float32Array.from(fixture.Y);
    closeTo(applyProbe(pullBackPlane(plane, backward), Y), fixture.probe.backward, 10);
    closeTo(applyProbe(pushForwardPlane(plane, forward), Y), fixture.probe.forward, 10);
  });
});

/** Two classes along a direction of a noisy space. */
function planted(n: number, width: number, seed: number): LabelledRows {
  const random = seededRandom(seed);
  const labels = Uint8Array.from({ length: n }, (_, i) => i % 2);
  const data = Float32Array.from({ length: n * width }, (_, at) => {
    const isPositive = labels[Math.floor(at / width)] === 1;
    return random.normal() + (at % width === 0 && isPositive ? 3 : 0) + 5;
  });
  return { rows: n, width, data, labels };
}

describe("fitProbe() and splitRows()", () => {
  test("both kinds find a planted direction on rows they did not see, and not where labels are shuffled", () => {
    const [trained, held] = [planted(200, 6, 1), planted(400, 6, 2)];
    for (const kind of ["logistic", "mean-difference"] as const) {
      const found = measureScores(applyProbe(fitProbe(trained, { kind }), held.data), held.labels);
      // Classes 3 deviations apart: Φ(1.5) = 0.933 of rows are on their side, AUROC Φ(3/√2) = 0.983.
      expect(found.accuracy).toBeGreaterThan(0.88);
      expect(found.auroc).toBeGreaterThan(0.96);
      const labels = Uint8Array.from(seededRandom(3).shuffle(trained.labels));
      const nothing = fitProbe({ ...trained, labels }, { kind });
      expect(Math.abs(measureScores(applyProbe(nothing, held.data), held.labels).auroc - 0.5)).toBeLessThan(0.45);
    }
  });

  test("recalibrate() keeps the order of scores and puts 0 between the classes", () => {
    const rows = planted(200, 6, 5);
    const off = { ...fitProbe(rows, { kind: "mean-difference" }), bias: 1000 };
    const scores = applyProbe(off, rows.data);
    const moved = applyProbe(recalibrate(off, scores, rows.labels), rows.data);
    expect(measureScores(scores, rows.labels).accuracy).toBe(0.5);
    expect(measureScores(moved, rows.labels).accuracy).toBeGreaterThan(0.9);
    expect(measureScores(moved, rows.labels).auroc).toBe(measureScores(scores, rows.labels).auroc);
  });

  test("splitRows() keeps groups whole, shares them out by seed, and refuses a side without a class", () => {
    const labels = Uint8Array.from({ length: 40 }, (_, i) => i % 2);
    const groups = Int32Array.from({ length: 40 }, (_, i) => i >> 1);
    const { trained, heldOut } = splitRows({ labels, groups }, { share: 0.25, seed: 7 });
    expect([...trained, ...heldOut].sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, i) => i));
    expect(heldOut).toHaveLength(10);
    const held = new Set(Array.from(heldOut, (i) => groups[i]));
    expect(Array.from(trained, (i) => groups[i]).some((group) => held.has(group))).toBe(false);
    expect(() => splitRows({ labels: new Uint8Array(4), groups: groups.slice(0, 4) }, { seed: 0 })).toThrow(
      /both labels/,
    );
  });
});

const model = { ...sampleMap().sources[0]!.model };
const probe: Probe = {
  site: { layer: 1, point: "resid_post" },
  weights: floats([1, -2, 0.5, 0, 3]),
  bias: -0.25,
  centre: floats([1, 1, 1, 1, 1]),
  provenance: {
    kind: "mean-difference",
    model,
    concept: "past",
    readAt: { fromEnd: 2 },
    parseSpecial: false,
    texts: { name: "past.jsonl", sha256: "ab", trained: 160, heldOut: 160 },
    lambda: undefined,
    seed: 3,
    scores: { model: "S", rows: 160, accuracy: 0.9, auroc: 0.95, shuffledAuroc: 0.51 },
    carried: [],
    recalibrated: undefined,
    trimtab: "0.1.0",
  },
};

describe("carryProbe()", () => {
  const map = sampleMap();
  const back = { ...map, sources: [map.target], target: map.sources[0]!, A: createMatrix(5, 7).data };

  test("goes backward where a map leads to the probe's layer, else forward, and says so", () => {
    const lead = {
      ...back,
      A: createMatrix(
        5,
        7,
        Float64Array.from(back.A, (_, i) => i % 3),
      ),
      p: new Float64Array(5),
    };
    const both = carryProbe(probe, [map, lead]);
    expect([both.by, both.probe.weights.length, both.probe.site.layer]).toEqual(["backward", 7, 2]);
    const only = carryProbe(probe, [map]);
    expect(only.by).toBe("forward");
    expect(only.probe.provenance.carried).toEqual([
      {
        by: "forward",
        from: { name: "S", sha256: model.sha256, site: "resid_post.1" },
        map: { r2: map.scores.r2, corpus: "stories.txt" },
      },
    ]);
    expect(only.probe.provenance.model.name).toBe(map.target.model.name);
  });

  test("refuses maps elsewhere, and a logistic probe forward, with what to do", () => {
    expect(() => carryProbe({ ...probe, site: { layer: 3, point: "resid_post" } }, [map])).toThrow(
      /one that begins or ends at resid_post.3 of S/,
    );
    expect(() => carryProbe({ ...probe, centre: undefined }, [map])).toThrow(/a difference of means to carry forward/);
  });

  test("warns of another file of the same model", () => {
    const other = { ...probe, provenance: { ...probe.provenance, model: { ...model, sha256: "other" } } };
    expect(carryProbe(other, [map]).warnings[0]).toMatch(/another file/);
  });
});

describe("files", () => {
  test("readProbe(writeProbe(probe)) is the probe, to the bit, carried and not", async () => {
    for (const [i, each] of [
      probe,
      carryProbe(probe, [sampleMap()]).probe,
      {
        ...probe,
        centre: undefined,
        provenance: {
          ...probe.provenance,
          kind: "logistic" as const,
          lambda: 0.5,
          concept: undefined,
          recalibrated: 16,
          scores: undefined,
        },
      },
    ].entries()) {
      const path = join(folder.path, `probe-${i}.safetensors`);
      await writeProbe(path, each);
      expect(await readProbe(path)).toEqual(each);
    }
  });

  test("readProbe() refuses truncated and mutated files without crashing, and writeProbe() what is not sound", async () => {
    const path = join(folder.path, "whole.safetensors");
    await writeProbe(path, probe);
    const whole = readFileSync(path);
    const random = seededRandom(11);
    const damaged = join(folder.path, "damaged.safetensors");
    for (let round = 0; round < 120; round++) {
      const bytes = Buffer.from(whole);
      if (round % 2) await writeFile(damaged, bytes.subarray(0, random.integer(bytes.length)));
      else {
        for (let k = 0; k < 3; k++) bytes[random.integer(bytes.length)] = random.integer(256);
        await writeFile(damaged, bytes);
      }
      const error = await readProbe(damaged).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      onlyBadInput(() => {
        if (error !== undefined) throw error;
      });
    }
    await expect(writeProbe(path, { ...probe, weights: floats([1, Number.NaN, 0, 0, 0]) })).rejects.toThrow(/finite/);
    await expect(writeProbe(path, { ...probe, weights: new Float64Array(5) })).rejects.toThrow(/some weight/);
    await expect(writeProbe(path, { ...probe, weights: floats([1]) })).rejects.toThrow(/width 5/);
  });

  test("readLabelledTexts() reads labels and groups, and names the line of what it refuses", async () => {
    const path = join(folder.path, "texts.jsonl");
    const write = (...rows: unknown[]) => writeFile(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
    await write({ text: "a", label: true, group: 7 }, { text: "b", label: 0 });
    expect(await readLabelledTexts(path)).toEqual([
      { text: "a", label: true, group: "7", where: `${path}:1` },
      { text: "b", label: false, group: undefined, where: `${path}:2` },
    ]);
    await write({ text: "a", label: true }, { text: "b", label: "no" });
    await expect(readLabelledTexts(path)).rejects.toThrow(/texts.jsonl:2: expected "label" as true, false, 1 or 0/);
    await write({ text: "a", label: true });
    await expect(readLabelledTexts(path)).rejects.toThrow(/texts of both labels, got 1 positive of 1/);
    await write({ text: "  ", label: true });
    await expect(readLabelledTexts(path)).rejects.toThrow(/"text" as a string that is not empty/);
  });
});
