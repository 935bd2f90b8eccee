import { join, resolve } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseReadPosition } from "../../src/activations/read-position.ts";
import { residPost } from "../../src/engine/site.ts";
import { createMatrix, type Matrix } from "../../src/linalg/matrix.ts";
import { addVectors, scaleVector } from "../../src/vectors/combine.ts";
import { type CarryingMap, transferVector } from "../../src/vectors/transfer.ts";
import { readVector, writeVector } from "../../src/vectors/vector-file.ts";
import { temporaryFolder } from "../formats/temporary-folder.ts";
import { madeUpIdentity, madeUpVector } from "./made-up-vector.ts";

const folder = temporaryFolder();

/** A map between models of width 2 and 3; x₀, x₁ of each source in turn. */
function mapBetween(layers: readonly number[], target: number, values: readonly number[]): CarryingMap {
  return {
    sources: layers.map((layer) => ({ model: madeUpIdentity(2), site: residPost(layer), medianNorm: 5 })),
    target: { model: madeUpIdentity(3, "large"), site: residPost(target), medianNorm: 40 },
    A: createMatrix(3, 2 * layers.length, Float64Array.from(values)),
    p: Float64Array.of(0, 0, 8),
  };
}

const map = mapBetween([3], 6, [1, 2, 0, -1, 0.5, 0]);
const identity = [1, 0, 0, 1, 0, 0];

describe("transferVector(vector, map)", () => {
  test("is A v at the map's target, without the bias unless asked for", () => {
    const vector = madeUpVector({ 3: [2, 1] });
    const carried = transferVector(vector, map);
    expect(carried.vector.directions).toEqual([
      { site: residPost(6), vector: Float32Array.of(4, -1, 1), medianNorm: 40 },
    ]);
    expect(carried.carried).toEqual([
      {
        sources: [residPost(3)],
        target: residPost(6),
        sourceNorm: expect.closeTo(Math.sqrt(5), 12),
        targetNorm: expect.closeTo(Math.sqrt(18), 12),
        biasRatio: expect.closeTo(8 / Math.sqrt(18), 12),
      },
    ]);
    expect(carried.warnings).toEqual([]);
    const withBias = transferVector(vector, map, { withBias: true });
    expect([...withBias.vector.directions[0]!.vector]).toEqual([4, -1, 9]);
    expect(withBias.vector.provenance.source!.withBias).toBe(true);
  });

  test("reverses and scales with the vector", () => {
    const [once, twice] = [1, -2].map((factor) =>
      transferVector(scaleVector(madeUpVector({ 3: [2, 1] }), factor), map),
    );
    expect(twice!.vector.directions[0]!.vector).toEqual(once!.vector.directions[0]!.vector.map((value) => -2 * value));
  });

  test("names the model it steers, what was carried and by which map", () => {
    const { provenance } = transferVector(madeUpVector({ 3: [2, 1] }), map).vector;
    expect(provenance).toMatchObject({
      kind: "transferred",
      model: { name: "large" },
      concept: "happy",
      source: {
        vector: { kind: "native", model: { name: "small" } },
        maps: {
          source: { name: "small" },
          target: { name: "large" },
          sites: [{ sources: ["resid_post.3"], target: "resid_post.6" }],
        },
      },
    });
  });

  test("reports sites that the map does not start from, and another file of the same model", () => {
    const vector = madeUpVector({ 3: [2, 1], 4: [1, 1] }, { model: { ...madeUpIdentity(2), sha256: "other" } });
    const { leftOut, warnings } = transferVector(vector, map);
    expect(leftOut).toEqual([residPost(4)]);
    expect(warnings[0]).toContain("another file");
    expect(transferVector(madeUpVector({ 3: [2, 1] }, { model: undefined }), map).warnings[0]).toContain(
      "does not say",
    );
  });

  test.each([
    ["a vector of another site", madeUpVector({ 2: [1, 1] }), "resid_post.3, where the map starts, got resid_post.2"],
    [
      "another tokenizer",
      madeUpVector({ 3: [1, 1] }, { model: { ...madeUpIdentity(2), tokenizerFingerprint: "x" } }),
      "small",
    ],
    ["another depth", madeUpVector({ 3: [1, 1] }, { model: { ...madeUpIdentity(2), blocks: 9 } }), "small"],
    ["another width", madeUpVector({ 3: [1, 1, 1] }, { model: undefined }), "width 2"],
  ])("refuses %s", (_, vector, message) => {
    expect(() => transferVector(vector, map)).toThrow(message);
    expect(() => transferVector(vector, map)).toThrow(expect.objectContaining({ code: "incompatible" }));
  });

  test("refuses a vector that the map sends to nothing", () => {
    const blind = mapBetween([3], 6, [1, 0, 1, 0, 1, 0]);
    expect(() => transferVector(madeUpVector({ 3: [0, 1] }), blind)).toThrow("a length above 0");
  });
});

describe("transferVector(vector, maps)", () => {
  const vector = madeUpVector({ 1: [1, 0], 2: [0, 2], 3: [3, 4] });

  test("gives a direction at every target whose sources the vector has, by layer, and says what each came from", () => {
    const maps = [mapBetween([3], 6, identity), mapBetween([5], 7, identity), mapBetween([1], 4, identity)];
    const { vector: carried, carried: parts, unused, leftOut } = transferVector(vector, maps);
    expect(carried.directions.map(({ site, vector: values }) => [site.layer, ...values])).toEqual([
      [4, 1, 0, 0],
      [6, 3, 4, 0],
    ]);
    expect(parts.map(({ sourceNorm, targetNorm }) => [sourceNorm, targetNorm])).toEqual([
      [1, 1],
      [5, 5],
    ]);
    expect(parts.map(({ biasRatio }) => biasRatio)).toEqual([8, 1.6]);
    expect(unused).toEqual([{ sources: [residPost(5)], target: residPost(7), missing: [residPost(5)] }]);
    expect(leftOut).toEqual([residPost(2)]);
    expect(carried.provenance.source!.maps.sites).toEqual([
      { sources: ["resid_post.1"], target: "resid_post.4" },
      { sources: ["resid_post.3"], target: "resid_post.6" },
    ]);
  });

  test("takes the directions of a map from several sites in the map's order", () => {
    // Columns: x of layer 3, then of layer 1.
    const joined = mapBetween([3, 1], 6, [1, 0, 0, 0, 0, 0, 100, 0, 0, 1, 0, 10]);
    const { vector: carried, carried: parts, leftOut } = transferVector(vector, joined);
    expect([...carried.directions[0]!.vector]).toEqual([3, 100, 4]);
    expect(parts[0]!.sourceNorm).toBeCloseTo(Math.sqrt(26), 12);
    expect(leftOut).toEqual([residPost(2)]);
  });

  test("is the sum of what the parts of a map from several sites carry by themselves", () => {
    const number = fc.integer({ min: -8, max: 8 });
    const values = (length: number) => fc.array(number, { minLength: length, maxLength: length });
    fc.assert(
      fc.property(values(12), values(2), values(2), (columns, first, second) => {
        fc.pre([...first, ...second].some((value) => value !== 0));
        const part = (from: number): Matrix =>
          createMatrix(
            3,
            2,
            Float64Array.from({ length: 6 }, (_, at) => columns[(at >> 1) * 4 + from + (at & 1)]!),
          );
        const expected = [0, 1, 2].map((i) => {
          const [a, b] = [part(0).data, part(2).data];
          return (
            a[2 * i]! * first[0]! + a[2 * i + 1]! * first[1]! + b[2 * i]! * second[0]! + b[2 * i + 1]! * second[1]!
          );
        });
        fc.pre(expected.some((value) => value !== 0));
        const both = transferVector(madeUpVector({ 1: first, 2: second }), mapBetween([1, 2], 5, columns));
        expect([...both.vector.directions[0]!.vector].map((value) => value + 0)).toEqual(expected.map((v) => v + 0));
      }),
    );
  });

  test("is linear: the sum of two vectors carries to the sum of the carried", () => {
    const maps = [map, mapBetween([1, 2], 4, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])];
    const other = madeUpVector({ 1: [-2, 5], 2: [1, 1], 3: [0, -3] });
    const sum = transferVector(addVectors(vector, other), maps).vector;
    const parts = addVectors(transferVector(vector, maps).vector, transferVector(other, maps).vector);
    expect(sum.directions).toEqual(parts.directions);
  });

  test("leaves a map out that needs a direction the vector lacks, though it has the others", () => {
    const { unused } = transferVector(vector, [map, mapBetween([0, 1, 2], 7, Array(18).fill(1))]);
    expect(unused[0]!.missing).toEqual([residPost(0)]);
  });

  test("says which map knows nothing of its direction, and uses the others", () => {
    const blind = mapBetween([1], 7, [0, 1, 0, 1, 0, 1]);
    const { vector: carried, unused, leftOut, warnings } = transferVector(vector, [map, blind]);
    expect(carried.directions.map(({ site }) => site.layer)).toEqual([6]);
    expect(unused).toEqual([{ sources: [residPost(1)], target: residPost(7), missing: [] }]);
    expect(leftOut).toEqual([residPost(1), residPost(2)]);
    expect(warnings).toEqual([expect.stringContaining("resid_post.7 knows nothing of this direction")]);
  });

  test("refuses a vector that no map starts from, naming layers and what to do", () => {
    const maps = [mapBetween([5], 6, identity), mapBetween([6, 7], 7, Array(12).fill(1))];
    expect(() => transferVector(vector, maps)).toThrow(
      "vector: expected directions at every source layer of one of the maps, 5:6, 6+7:7, got resid_post.1, resid_post.2, resid_post.3",
    );
    expect(() => transferVector(vector, maps)).toThrow(
      expect.objectContaining({ code: "incompatible", hint: expect.stringContaining("fit a map from the vector's") }),
    );
    // Every layer but the first is what control vectors have.
    const layers = Object.fromEntries([1, 2, 3, 4, 5, 6, 7].map((layer) => [layer, [1, 1]]));
    const all = mapBetween([0, 1, 2, 3, 4, 5, 6, 7], 6, Array(48).fill(1));
    expect(() => transferVector(madeUpVector(layers), all)).toThrow(
      expect.objectContaining({
        hint: "a control vector has no layer 0: fit the map from the others, such as --layers 1-7:6",
      }),
    );
  });

  test("refuses no map, two with one target site and maps of several models", () => {
    const foreign = { ...map, target: { ...map.target, model: madeUpIdentity(3, "other"), site: residPost(7) } };
    expect(() => transferVector(vector, [])).toThrow("expected at least one");
    expect(() => transferVector(vector, [map, map])).toThrow("each target site once, got resid_post.6 again");
    expect(() => transferVector(vector, [map, foreign])).toThrow("from one model to one other");
  });

  test.each([
    ["last", "all", "--rows all,pairs@last*20 --pairs FILE, its own contrast set"],
    ["end-2", "all,last", "--rows all,pairs@end-2*20 --pairs FILE"],
    ["difference-mean", "last", "--rows all,pairs@difference-mean*20 --pairs FILE, its own contrast set or --rows all"],
    ["last", "pattern:/[.!?]/", "--rows all,pairs@last*20"],
  ])("warns of a vector read at %s and a map of rows %s", (readAt, rowSelection, advice) => {
    const read = madeUpVector({ 3: [1, 1] }, { readAt: parseReadPosition(readAt) });
    const { warnings } = transferVector(read, [{ ...map, fit: { rowSelection } }]);
    expect(warnings).toEqual([expect.stringContaining(advice)]);
    expect(warnings[0]).toContain(`read at ${readAt} and the map fitted on rows "${rowSelection}"`);
  });

  test("does not warn where the map saw such rows, or where the vector does not say", () => {
    const warningsOf = (readAt: string | undefined, rowSelection: string) =>
      transferVector(
        madeUpVector({ 3: [1, 1] }, { readAt: readAt === undefined ? undefined : parseReadPosition(readAt) }),
        {
          ...map,
          fit: { rowSelection },
        },
      ).warnings;
    expect(warningsOf("difference-mean", "all")).toEqual([]);
    expect(warningsOf("last", "all,last*4")).toEqual([]);
    expect(warningsOf("end-2", "pairs@end-2")).toEqual([]);
    expect(warningsOf(undefined, "last")).toEqual([]);
  });

  test("warns once of many maps of the same rows, and not of those left unused", () => {
    const fit = { rowSelection: "all" };
    const read = madeUpVector({ 1: [1, 0], 3: [3, 4] }, { readAt: "last" });
    const maps = [{ ...map, fit }, { ...mapBetween([1], 4, identity), fit }, mapBetween([2], 5, identity)];
    expect(
      transferVector(read, [...maps, { ...mapBetween([6], 7, identity), fit: { rowSelection: "last*2" } }]).warnings,
    ).toHaveLength(1);
  });
});

describe("a control vector of several layers by another program", () => {
  /** Of widths 8 → 5: y_i = s x_i, so that the layers can be told apart. */
  const scaled = (source: number, target: number, s: number): CarryingMap => ({
    sources: [{ model: madeUpIdentity(8), site: residPost(source), medianNorm: 5 }],
    target: { model: madeUpIdentity(5, "large"), site: residPost(target), medianNorm: 10 * target },
    A: createMatrix(
      5,
      8,
      Float64Array.from({ length: 40 }, (_, at) => (at % 8 === Math.floor(at / 8) ? s : 0)),
    ),
    p: new Float64Array(5),
  });

  test.each(["repeng.gguf", "cvector-generator.gguf"])(
    "%s becomes one of the large model and reads back",
    async (name) => {
      const small = await readVector(resolve("test/fixtures/vectors", name));
      expect(small.directions.map(({ site }) => site.layer)).toEqual([1, 2, 3]);
      const maps = [scaled(1, 2, 1), scaled(2, 4, 2), scaled(3, 5, -4), scaled(0, 1, 1)];
      const { vector, unused, leftOut, warnings } = transferVector(small, maps);
      expect(unused).toEqual([{ sources: [residPost(0)], target: residPost(1), missing: [residPost(0)] }]);
      expect(leftOut).toEqual([]);
      expect(warnings).toEqual(["the vector does not say which model it is of; the map starts from small"]);
      const path = join(folder.path, name);
      await writeVector(path, vector);
      const back = await readVector(path);
      expect(back).toEqual(vector);
      expect(back.provenance).toMatchObject({
        kind: "transferred",
        model: { name: "large" },
        source: { vector: { kind: "imported" } },
      });
      // make_files.py: direction l is (−l … 7 − l)/4.
      for (const [k, s] of [1, 2, -4].entries()) {
        const { site, vector: values, medianNorm } = back.directions[k]!;
        expect(site.layer).toBe([2, 4, 5][k]);
        expect(medianNorm).toBe(10 * site.layer);
        expect([...values]).toEqual([0, 1, 2, 3, 4].map((i) => (s * (i - (k + 1))) / 4 + 0));
      }
    },
  );
});
