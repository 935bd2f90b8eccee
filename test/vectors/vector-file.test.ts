import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { residPost } from "../../src/engine/site.ts";
import { TrimtabError } from "../../src/errors.ts";
import { formatGguf } from "../../src/formats/format-gguf.ts";
import { parseGgufHeader } from "../../src/formats/gguf.ts";
import { ggufString } from "../../src/formats/gguf-value.ts";
import { formatSafetensors } from "../../src/formats/safetensors.ts";
import { formatControlVector } from "../../src/vectors/control-vector.ts";
import { randomLike } from "../../src/vectors/null-vectors.ts";
import { parseProvenance } from "../../src/vectors/provenance.ts";
import { checkVectorPath, readVector, writeVector } from "../../src/vectors/vector-file.ts";
import { temporaryFolder } from "../formats/temporary-folder.ts";
import { madeUpIdentity, madeUpVector } from "./made-up-vector.ts";

const folder = temporaryFolder();
const plain = madeUpVector({ 1: [1, -2.5, 3], 12: [0, 1e-8, -7] });
const source = {
  vector: plain.provenance,
  maps: {
    source: { name: "small", sha256: "a" },
    target: { name: "large", sha256: "b" },
    sites: [
      { sources: ["resid_post.3"], target: "resid_post.6" },
      { sources: ["resid_post.2", "resid_post.0"], target: "resid_post.7" },
    ],
  },
  withBias: true,
};
const carried = madeUpVector({ 6: [4, 5, 6] }, { kind: "transferred", model: madeUpIdentity(3, "large"), source });
const unknown = madeUpVector({ 2: [1, 2, 3] }, { model: undefined, concept: undefined, readAt: undefined }, undefined);
const noNorms = { ...unknown, directions: unknown.directions.map((d) => ({ ...d, medianNorm: undefined })) };

describe.each([".safetensors", ".gguf"])("writeVector(path, vector) and readVector(path), %s", (ending) => {
  test.each([
    ["several layers", plain],
    ["a carried vector", carried],
    ["a random one", randomLike(plain, 3)],
    ["one without norms and model", noNorms],
  ])("keep %s, to the bit and with all provenance", async (_, vector) => {
    const path = join(folder.path, `vector${ending}`);
    await writeVector(path, vector);
    expect(await readVector(path)).toEqual(vector);
  });

  test("say bad-input or return, for every truncation and for mutated files", async () => {
    const path = join(folder.path, `mutated${ending}`);
    await writeVector(path, carried);
    const valid = readFileSync(path);
    const change = fc.record({ at: fc.nat(valid.length - 1), to: fc.nat(255) });
    const mutated = fc.array(change, { minLength: 1, maxLength: 3 }).map((changes) => {
      const bytes = Buffer.from(valid);
      for (const { at, to } of changes) bytes[at] = to;
      return bytes;
    });
    const cut = fc.nat(valid.length - 1).map((length) => valid.subarray(0, length));
    await fc.assert(
      fc.asyncProperty(fc.oneof(mutated, cut), async (bytes) => {
        writeFileSync(path, bytes);
        try {
          for (const { vector } of (await readVector(path)).directions)
            for (const value of vector) expect(value).toSatisfy(Number.isFinite);
        } catch (error) {
          expect(error).toBeInstanceOf(TrimtabError);
          expect(["bad-input", "unsupported"]).toContain((error as TrimtabError).code);
          expect((error as TrimtabError).message).toContain(path);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe("formatControlVector(vector)", () => {
  test("writes what llama.cpp and repeng look for", () => {
    const header = parseGgufHeader(formatControlVector(plain));
    expect(ggufString(header, "general.architecture")).toBe("controlvector");
    expect(ggufString(header, "controlvector.model_hint")).toBe("llama");
    expect(header.metadata.get("controlvector.layer_count")).toEqual({ type: "u32", value: 2 });
    expect(header.tensors.map(({ name, dims, typeName }) => ({ name, dims, typeName }))).toEqual([
      { name: "direction.1", dims: [3], typeName: "F32" },
      { name: "direction.12", dims: [3], typeName: "F32" },
    ]);
    expect([...header.metadata.keys()].slice(3).every((key) => key.startsWith("controlvector.trimtab."))).toBe(true);
  });

  test("refuses layer 0 and leaves no file", async () => {
    const path = join(folder.path, "zero.gguf");
    await expect(writeVector(path, madeUpVector({ 0: [1], 1: [1] }))).rejects.toMatchObject({
      code: "unsupported",
      hint: expect.stringContaining(".safetensors"),
    });
    expect(existsSync(path)).toBe(false);
    await writeVector(join(folder.path, "zero.safetensors"), madeUpVector({ 0: [1], 1: [1] }));
  });
});

describe("readVector(path) of files by other programs", () => {
  const row = (layer: number) => Float32Array.from({ length: 8 }, (_, i) => (i - layer) / 4);

  test.each([
    ["repeng.gguf", "mistral"],
    ["cvector-generator.gguf", "llama"],
  ])("reads %s", async (name, modelHint) => {
    const { directions, provenance } = await readVector(resolve("test/fixtures/vectors", name));
    expect(directions).toEqual([1, 2, 3].map((n) => ({ site: residPost(n), vector: row(n), medianNorm: undefined })));
    expect(provenance).toMatchObject({ kind: "imported", modelHint, model: undefined });
  });

  test("reads one tensor a layer from safetensors, in half precision", async () => {
    const { directions, provenance } = await readVector(resolve("test/fixtures/vectors/layers.safetensors"));
    expect(directions.map(({ site }) => site.layer)).toEqual([0, 1, 2, 3]);
    expect(directions[2]!.vector).toEqual(row(2));
    expect(provenance.kind).toBe("imported");
  });

  const tensor = (name: string, dims = [2]) => ({
    name,
    dims,
    data: new Float32Array(dims.reduce((a, b) => a * b)).fill(1),
  });
  test.each([
    ["layer 0", [tensor("direction.0")], "a layer from 1"],
    ["no layer", [tensor("direction.x")], "direction.<layer>"],
    ["a negative layer", [tensor("direction.-1")], "direction.<layer>"],
    ["another tensor", [tensor("direction.1"), tensor("output.weight")], "another name"],
    ["two dimensions", [tensor("direction.1", [2, 1])], "one dimension, got 2"],
    ["unequal widths", [tensor("direction.1"), tensor("direction.2", [3])], "width 2"],
    ["the same layer written twice", [tensor("direction.1"), tensor("direction.01")], "resid_post.1 again"],
    ["no direction", [], "1 to 4096 directions"],
  ])("refuses a control vector with %s, as llama.cpp does", async (_, tensors, message) => {
    const path = folder.put("bad.gguf", formatGguf({ metadata: new Map(), tensors }));
    await expect(readVector(path)).rejects.toThrow(message);
    await expect(readVector(path)).rejects.toMatchObject({ code: "bad-input" });
  });

  test("refuses a model, a map, a later format, pickle by name and by content", async () => {
    const model = formatGguf({
      metadata: new Map([["general.architecture", { type: "string", value: "llama" }]]),
      tensors: [],
    });
    await expect(readVector(folder.put("model.gguf", model))).rejects.toThrow('architecture "llama"');
    const A = new Map([["A", { shape: [1], data: new Float32Array(1) }]]);
    await expect(readVector(folder.put("map.safetensors", formatSafetensors(A)))).rejects.toMatchObject({
      hint: expect.stringContaining("a map or a model"),
    });
    const later = new Map([
      ["format", "trimtab-vector"],
      ["version", "2"],
    ]);
    await expect(readVector(folder.put("later.safetensors", formatSafetensors(A, later)))).rejects.toThrow("version 1");
    await expect(readVector(folder.put("v.pt", "x"))).rejects.toMatchObject({
      hint: expect.stringContaining("pickle"),
    });
    const pickle = folder.put("v.safetensors", Buffer.from([0x80, 4, 0x95, 1, 2, 3, 4, 5, 6, 7]));
    await expect(readVector(pickle)).rejects.toThrow("Python pickle");
    await expect(readVector(join(folder.path, "none.gguf"))).rejects.toMatchObject({ code: "not-found" });
    await expect(readVector(folder.path)).rejects.toMatchObject({ code: "unsupported" });
  });
});

test("checkVectorPath(path) returns names that can be written, in any case of the ending", () => {
  expect(checkVectorPath("a/b.GGUF")).toBe("a/b.GGUF");
  expect(() => checkVectorPath("a/b.txt")).toThrow(".safetensors or .gguf");
  expect(() => checkVectorPath("gguf")).toThrow("no ending");
});

test("parseProvenance(text) says bad-input or returns, for any JSON, and does not nest for ever", () => {
  fc.assert(
    fc.property(fc.json(), fc.jsonValue(), (text, value) => {
      for (const candidate of [text, JSON.stringify({ kind: "native", method: "m", trimtab: "", model: value })])
        try {
          parseProvenance(candidate, "file");
        } catch (error) {
          expect(error).toMatchObject({ name: "TrimtabError", code: "bad-input" });
        }
    }),
  );
  let nested: object = { kind: "native", method: "m", trimtab: "" };
  for (let i = 0; i < 40; i++) nested = { ...nested, source: { ...source, vector: nested } };
  expect(() => parseProvenance(JSON.stringify(nested), "file")).toThrow("at most 16 transfers");
});

test("parseProvenance(text) reads the single map that a transferred vector once named", () => {
  const old = {
    kind: "transferred",
    method: "m",
    trimtab: "0.1.0",
    source: {
      vector: { kind: "native", method: "m", trimtab: "0.1.0" },
      map: {
        source: { model: "small", sha256: "a", site: "resid_post.3" },
        target: { model: "large", sha256: "b", site: "resid_post.6" },
      },
      withBias: false,
    },
  };
  expect(parseProvenance(JSON.stringify(old), "file").source!.maps).toEqual({
    source: { name: "small", sha256: "a" },
    target: { name: "large", sha256: "b" },
    sites: [{ sources: ["resid_post.3"], target: "resid_post.6" }],
  });
  const spoil = (maps: unknown): string => JSON.stringify({ ...old, source: { ...old.source, map: undefined, maps } });
  for (const maps of [
    3,
    {},
    { ...source.maps, sites: [] },
    { ...source.maps, sites: [{ sources: ["a"] }] },
    { ...source.maps, sites: [{ sources: [], target: "a" }] },
    { ...source.maps, source: "small" },
    { ...source.maps, sites: Array(5000).fill(source.maps.sites[0]) },
  ])
    expect(() => parseProvenance(spoil(maps), "file")).toThrow(expect.objectContaining({ code: "bad-input" }));
});

test("fixtures stay small, and nothing is left behind", () => {
  for (const name of readdirSync(resolve("test/fixtures/vectors")))
    expect(statSync(resolve("test/fixtures/vectors", name)).size).toBeLessThan(100_000);
  expect(readdirSync(folder.path).filter((name) => name.endsWith(".tmp"))).toEqual([]);
});
