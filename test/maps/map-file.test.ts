import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { TrimtabError } from "../../src/errors.ts";
import { formatSafetensors, parseSafetensors, type Tensor } from "../../src/formats/safetensors.ts";
import { createMatrix } from "../../src/linalg/matrix.ts";
import { seededRandom } from "../../src/linalg/random.ts";
import { type AffineMap, applyMap, carryDirection } from "../../src/maps/affine-map.ts";
import { readMap, readMaps, writeMap, writeMaps } from "../../src/maps/map-file.ts";
import { mapBetween, sampleMap, madeUpScore as score } from "./made-up-map.ts";
import { mapRows, normalRows } from "./planted.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "trimtab-maps-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** The map's file with its metadata or tensors changed. */
async function altered(change: (metadata: Map<string, string>, tensors: Map<string, Tensor>) => void): Promise<string> {
  const path = join(folder, "altered.safetensors");
  await writeMap(path, sampleMap());
  const { metadata, tensors } = parseSafetensors(await readFile(path));
  const [newMetadata, newTensors] = [new Map(metadata), new Map(tensors)];
  change(newMetadata, newTensors);
  await writeFile(path, formatSafetensors(newTensors, newMetadata));
  return path;
}

test("readMap(path) gives back what writeMap(path, map) wrote, to the bit", async () => {
  const path = join(folder, "map.safetensors");
  await writeMap(path, sampleMap());
  expect(await readMap(path)).toEqual(sampleMap());
  const { createdAt: _, ...withoutDate } = sampleMap().fit;
  await writeMap(path, { ...sampleMap(), fit: withoutDate });
  expect((await readMap(path)).fit).toEqual(withoutDate);
});

test("readMaps(path) gives back the many maps that writeMaps(path, maps) wrote, in order, to the bit", async () => {
  const path = join(folder, "maps.safetensors");
  const { scores, fit } = sampleMap();
  const { r2ByDimension: _, explainedVariance: __, ...scarce } = scores;
  const full: AffineMap = {
    ...mapBetween([2, 0, 1], 3),
    fit: { ...fit, method: "reduced-rank", space: "whitened", rank: 4, choice: "cross-validation", folds: 5 },
    scores: {
      ...scores,
      effectiveRank: 3.5,
      nulls: { ...scores.nulls, untrained: score },
      learningCurve: [
        { rows: 350, r2: 0.3 },
        { rows: 700, r2: 0.4 },
      ],
      roundTrip: { r2: 0.8 },
      sourceGains: [{ site: "resid_post.2", r2: 0.3 }],
      weighted: true,
    },
  };
  const maps = [full, mapBetween([1], 0), { ...mapBetween([3], 1), scores: scarce }];
  await writeMaps(path, maps);
  expect(await readMaps(path)).toEqual(maps);
  await expect(readMap(path)).rejects.toThrow("expected a file of one map, got 3: 2+0+1:3, 1:0, 3:1");
  await writeMap(path, maps[1]!);
  expect(await readMaps(path)).toEqual([maps[1]]);
});

test("readMap(path) reads a file of version 1, and makes up nothing that it does not say", async () => {
  // Written by the writer of version 1, from round numbers; it then had fields of other names.
  const map = await readMap("test/fixtures/maps/version-1.safetensors");
  const { explainedVariance: _, r2ByDimension: __, ...scores } = sampleMap().scores;
  const { sources, target, fit } = sampleMap();
  expect(map).toEqual({
    sources: [{ ...sources[0], model: { ...sources[0]!.model, width: 2 } }],
    target: { ...target, model: { ...target.model, name: "L", width: 3 } },
    A: createMatrix(3, 2, Float64Array.of(1, 2, 3, 4, 5, 6)),
    p: Float64Array.of(-1, 0.5, 0.25),
    fit,
    scores,
  });
  expect(map.scores).not.toHaveProperty("explainedVariance");
});

test("writeMaps(path, maps) refuses two maps to one site, maps of other models, and none", async () => {
  const path = join(folder, "never.safetensors");
  const other = mapBetween([1], 3);
  const stranger = { ...other, target: { ...other.target, model: { ...other.target.model, name: "X" } } };
  const cases: [readonly AffineMap[], string][] = [
    [[], "expected 1 to 4096 maps, got 0"],
    [[mapBetween([1], 2), mapBetween([0], 2)], "expected each target site once, got resid_post.2 again"],
    [[sampleMap(), stranger], "expected maps from one model to one other"],
    [[mapBetween([1, 1], 2)], "expected at least one site, each once, got resid_post.1"],
    [[{ ...mapBetween([1, 2], 2), A: other.A }], "A: expected a matrix of 7 x 10, got 7 x 5"],
    [[sampleMap(), { ...other, p: new Float64Array(1) }], "map.1.p: expected 7 values, got 1"],
    [[{ ...other, scores: { ...other.scores, r2ByDimension: new Float64Array(2) } }], "r2: expected 7 values, got 2"],
  ];
  for (const [maps, message] of cases) await expect(writeMaps(path, maps)).rejects.toThrow(message);
  await expect(readFile(path)).rejects.toThrow(/ENOENT/);
});

test("writeMap(path, map) writes the same bytes every time", async () => {
  const [a, b] = [join(folder, "a.safetensors"), join(folder, "b.safetensors")];
  await writeMap(a, sampleMap());
  await writeMap(b, sampleMap());
  expect((await readFile(a)).equals(await readFile(b))).toBe(true);
});

test("writeMap(path, map) keeps an infinite condition, as null in the file", async () => {
  const path = join(folder, "infinite.safetensors");
  const map = sampleMap();
  await writeMap(path, { ...map, fit: { ...map.fit, condition: Number.POSITIVE_INFINITY } });
  expect((await readFile(path)).toString("latin1")).toContain('\\"condition\\":null');
  expect((await readMap(path)).fit.condition).toBe(Number.POSITIVE_INFINITY);
});

test("writeMap(path, map) refuses what it could not read back, and leaves no file", async () => {
  const path = join(folder, "never.safetensors");
  const map = sampleMap();
  await expect(writeMap(path, { ...map, fit: { ...map.fit, lambda: Number.NaN } })).rejects.toThrow(/fit\.lambda/);
  await expect(writeMap(path, { ...map, p: new Float64Array(3) })).rejects.toThrow("p: expected 7 values, got 3");
  map.A.data[0] = Number.POSITIVE_INFINITY;
  await expect(writeMap(path, map)).rejects.toThrow(/finite values/);
  await expect(readFile(path)).rejects.toThrow(/ENOENT/);
});

test("readMap(path) refuses other kinds of file by name", async () => {
  const vector = await altered((metadata) => metadata.set("format", "trimtab-vector"));
  await expect(readMap(vector)).rejects.toThrow("expected a trimtab-map file, got a trimtab-vector file");
  const stranger = await altered((metadata) => metadata.clear());
  await expect(readMap(stranger)).rejects.toThrow(/another program's safetensors file \(tensor "map.0.A"\)/);
  const newer = await altered((metadata) => metadata.set("version", "4"));
  await expect(readMap(newer)).rejects.toMatchObject({ code: "unsupported", hint: "update trimtab" });
  await expect(readMap(join(folder, "none"))).rejects.toMatchObject({ code: "not-found" });
});

test("readMap(path) names the field that is missing or of another kind", async () => {
  const edit = (key: string, from: string | RegExp, to: string): Promise<string> =>
    altered((metadata) => metadata.set(key, metadata.get(key)!.replace(from, to)));
  await expect(readMap(await edit("map.0", '"seed":3', '"seed":-3'))).rejects.toThrow(
    "fit.seed: expected an integer of at least 0, got -3",
  );
  await expect(readMap(await edit("map.0", '"mse":1.5', '"mse":"1.5"'))).rejects.toThrow(
    "scores.mse: expected a finite number",
  );
  await expect(readMap(await edit("map.0", '"site":"resid_post.1"', '"site":"resid_post.9"'))).rejects.toThrow(
    /a layer below 4, got 9/,
  );
  await expect(readMap(await edit("map.0", '"ridge"', '"voodoo"'))).rejects.toThrow(/ridge or ols/);
  await expect(readMap(await edit("target", '"width":7', '"width":8'))).rejects.toThrow(
    "A: expected a matrix of 8 x 5, got 7 x 5",
  );
  await expect(readMap(await edit("target", "cdcd", "ffff"))).rejects.toThrow(/one tokenizer/);
  await expect(readMap(await altered((metadata) => metadata.set("map.0", "{")))).rejects.toThrow(
    /map\.0: expected JSON/,
  );
  for (const count of ["", "0", "2", "1e9", "99999"])
    await expect(readMap(await altered((metadata) => metadata.set("maps", count)))).rejects.toThrow(/map/);
  await expect(readMap(await edit("map.0", '"choice":"validation"', '"choice":"dice"'))).rejects.toMatchObject({
    code: "unsupported",
  });
  await expect(
    readMap(await edit("map.0", '"rowSelection":"all"', `"rowSelection":"${"x".repeat(1001)}"`)),
  ).rejects.toThrow(/at most 1000 characters/);
  await expect(readMap(await altered((_, tensors) => tensors.delete("map.0.p")))).rejects.toThrow(
    "expected a tensor map.0.p, got map.0.A",
  );
  await expect(
    readMap(await altered((_, tensors) => tensors.set("map.0.p", { shape: [7], data: new Float32Array(7) }))),
  ).rejects.toThrow("p: expected F64 of 1 dimensions, got Float32Array [7]");
});

test.each(["1", "2"])(
  "readMaps(path) answers damaged bytes of version %s with a TrimtabError that is not ours to blame, never a crash",
  async (version) => {
    const path = join(folder, "fuzzed.safetensors");
    await writeMaps(path, [sampleMap(), mapBetween([0, 3], 3)]);
    const bytes = await readFile(version === "1" ? "test/fixtures/maps/version-1.safetensors" : path);
    await fc.assert(
      fc.asyncProperty(
        fc.nat(bytes.length - 1),
        fc.nat(255),
        fc.option(fc.nat(bytes.length)),
        async (at, value, cut) => {
          const damaged = Buffer.from(bytes);
          damaged[at] = value;
          await writeFile(path, damaged.subarray(0, cut ?? damaged.length));
          try {
            await readMaps(path);
          } catch (error) {
            expect(error).toBeInstanceOf(TrimtabError);
            expect((error as TrimtabError).code).not.toBe("internal");
          }
        },
      ),
      { numRuns: 150 },
    );
  },
);

test("applyMap(map, X) carries rows by A x + p, and carryDirection(map, v) carries their differences by A alone", () => {
  const random = seededRandom(3);
  const map = sampleMap();
  const X = normalRows(6, 5, random);
  const Y = applyMap(map, X);
  const expected = mapRows(X, map.A, map.p, 0, random);
  Y.forEach((value, at) => {
    expect(value).toBeCloseTo(expected[at]!, 6);
  });
  const difference = Float32Array.from({ length: 5 }, (_, j) => X[j]! - X[5 + j]!);
  carryDirection(map, difference).forEach((value, i) => {
    expect(value).toBeCloseTo(Y[i]! - Y[7 + i]!, 5); // float32 rows of size 3
  });
  expect(() => applyMap(map, new Float32Array(6))).toThrow("hidden states: expected rows of width 5, got 6 values");
  expect(() => carryDirection(map, new Float32Array(7))).toThrow(
    "direction: expected width 5, the map's source, got 7",
  );
});
