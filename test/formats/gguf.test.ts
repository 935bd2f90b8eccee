import { closeSync, ftruncateSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatGguf } from "../../src/formats/format-gguf.ts";
import { parseGgufHeader, readGgufHeader } from "../../src/formats/gguf.ts";
import { readGgufTensor } from "../../src/formats/gguf-tensor.ts";
import { ggmlTypes } from "../../src/formats/gguf-tensor-types.ts";
import {
  type GgufScalarType,
  type GgufValue,
  ggufNumber,
  ggufNumbers,
  ggufString,
  ggufStrings,
} from "../../src/formats/gguf-value.ts";
import { onlyBadInput } from "./only-bad-input.ts";
import { temporaryFolder } from "./temporary-folder.ts";

const folder = temporaryFolder();

const metadata = new Map<string, GgufValue>([
  ["general.architecture", { type: "string", value: "llama" }],
  ["llama.block_count", { type: "u32", value: 4 }],
  ["tokens", { type: "array", of: "string", value: ["<s>", "é", "猫"] }],
  ["scores", { type: "array", of: "f32", value: [0, -1.5, 2] }],
  ["big", { type: "u64", value: 2n ** 60n }],
]);
const tensors = [
  { name: "direction.1", dims: [3], data: Float32Array.of(1, -2, 3.5) },
  { name: "matrix", dims: [2, 2], data: Float32Array.of(1, 2, 3, 4) },
];
const valid = formatGguf({ metadata, tensors });

/** A header of raw fields, to write what formatGguf refuses to. */
function raw(...parts: (string | number | bigint)[]): Uint8Array {
  return Buffer.concat(
    parts.map((part) => {
      if (typeof part === "string") return Buffer.from(part);
      const bytes = Buffer.alloc(typeof part === "bigint" ? 8 : 4);
      if (typeof part === "bigint") bytes.writeBigUInt64LE(part);
      else bytes.writeUInt32LE(part);
      return bytes;
    }),
  );
}

const text = (value: string): (string | bigint)[] => [BigInt(value.length), value];

describe("parseGgufHeader(bytes)", () => {
  test("reads what formatGguf writes, for any metadata and tensors", () => {
    const scalar: Record<GgufScalarType, fc.Arbitrary<unknown>> = {
      u8: fc.integer({ min: 0, max: 255 }),
      i8: fc.integer({ min: -128, max: 127 }),
      u16: fc.integer({ min: 0, max: 65_535 }),
      i16: fc.integer({ min: -32_768, max: 32_767 }),
      u32: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      i32: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
      f32: fc.float({ noNaN: true }),
      f64: fc.double({ noNaN: true }),
      bool: fc.boolean(),
      string: fc.string({ unit: "grapheme", maxLength: 12 }),
      u64: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      i64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    };
    const types = Object.keys(scalar) as GgufScalarType[];
    const value = fc.constantFrom(...types).chain((type) =>
      fc.oneof(
        scalar[type].map((value) => ({ type, value })),
        fc.array(scalar[type], { maxLength: 5 }).map((value) => ({ type: "array", of: type, value })),
      ),
    ) as fc.Arbitrary<GgufValue>;
    const key = fc.string({ minLength: 1, maxLength: 20 }).filter((name) => name !== "general.alignment");
    const sizes = fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 4 });
    fc.assert(
      fc.property(fc.array(fc.tuple(key, value), { maxLength: 6 }), sizes, (entries, lengths) => {
        const metadata = new Map(entries);
        const tensors = lengths.map((n, i) => ({ name: `t${i}`, dims: [n], data: new Float32Array(n).fill(i) }));
        const bytes = formatGguf({ metadata, tensors });
        const header = parseGgufHeader(bytes);
        expect([...header.metadata]).toEqual([...metadata]);
        expect(header.tensors.map(({ name, dims }) => ({ name, dims }))).toEqual(
          tensors.map(({ name, dims }) => ({ name, dims })),
        );
        for (const [i, { offset, sizeBytes }] of header.tensors.entries()) {
          const start = header.dataOffset + offset;
          expect(new Float32Array(bytes.slice(start, start + sizeBytes).buffer)).toEqual(tensors[i]!.data);
        }
      }),
      { numRuns: 200 },
    );
  });

  test("refuses every truncation and says how many bytes are missing", () => {
    for (let length = 0; length < valid.length - 16; length++)
      expect(() => parseGgufHeader(valid.slice(0, length)), `cut at ${length}`).toThrow(
        expect.objectContaining({ code: "bad-input" }),
      );
    // The last tensor's 16 bytes are followed by 16 of padding that no reader needs.
    expect(parseGgufHeader(valid.slice(0, valid.length - 16)).tensors).toHaveLength(2);
    expect(() => parseGgufHeader(valid.slice(0, valid.length - 21))).toThrow("5 bytes are missing");
  });

  test("says bad-input or returns, for random bytes and for mutated files", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        onlyBadInput(() => parseGgufHeader(bytes));
        onlyBadInput(() => parseGgufHeader(Buffer.concat([raw("GGUF", 3), bytes])));
      }),
      { numRuns: 500 },
    );
    const change = fc.record({ at: fc.nat(valid.length - 1), to: fc.oneof(fc.constant(255), fc.nat(255)) });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const bytes = valid.slice();
        for (const { at, to } of changes) bytes[at] = to;
        const header = onlyBadInput(() => parseGgufHeader(bytes));
        for (const { offset, sizeBytes } of header?.tensors ?? [])
          expect(header!.dataOffset + offset + sizeBytes).toBeLessThanOrEqual(bytes.length);
      }),
      { numRuns: 2000 },
    );
  });

  test.each([
    ["another magic", raw("PK\u0003\u0004", 3, 0n, 0n), "ZIP"],
    ["version 1", raw("GGUF", 1, 0, 0, 0, 0), "version: expected 2 or 3, got 1"],
    ["version 4", raw("GGUF", 4, 0n, 0n), "got 4"],
    ["big-endian byte order", raw("GGUF", 0x03000000, 0n, 0n), "big-endian"],
    ["2^63 tensors", raw("GGUF", 3, 2n ** 63n, 0n), "tensor count"],
    ["2^63 keys", raw("GGUF", 3, 0n, 2n ** 63n), "key count"],
    ["a key of 2^40 bytes", raw("GGUF", 3, 0n, 1n, 2n ** 40n), "key 1"],
    ["an empty key", raw("GGUF", 3, 0n, 1n, 0n, 4, 1), "a name"],
    ["a value type 13", raw("GGUF", 3, 0n, 1n, ...text("k"), 13, 1), "type number"],
    ["an array of arrays", raw("GGUF", 3, 0n, 1n, ...text("k"), 9, 9, 1n, 4, 0n), "array of arrays"],
    ["an array of 2^62 strings", raw("GGUF", 3, 0n, 1n, ...text("k"), 9, 8, 2n ** 62n), "at most"],
    ["an array longer than the file", raw("GGUF", 3, 0n, 1n, ...text("k"), 9, 12, 10_000_000n), "bytes before"],
    ["a key twice", raw("GGUF", 3, 0n, 2n, ...text("k"), 4, 1, ...text("k"), 4, 2), "each key once"],
    ["an alignment of 24", raw("GGUF", 3, 0n, 1n, ...text("general.alignment"), 4, 24), "power of two"],
    ["an alignment of 0", raw("GGUF", 3, 0n, 1n, ...text("general.alignment"), 4, 0), "power of two"],
    ["five dimensions", raw("GGUF", 3, 1n, 0n, ...text("t"), 5, 1n, 1n, 1n, 1n, 1n, 0, 0n), "4 dimensions"],
    ["a product beyond 2^53", raw("GGUF", 3, 1n, 0n, ...text("t"), 2, 2n ** 40n, 2n ** 40n, 0, 0n), "size below"],
    ["tensor type 99", raw("GGUF", 3, 1n, 0n, ...text("t"), 1, 32n, 99, 0n), "type 99"],
    ["a removed tensor type", raw("GGUF", 3, 1n, 0n, ...text("t"), 1, 32n, 4, 0n), "type 4"],
    ["half a block", raw("GGUF", 3, 1n, 0n, ...text("t"), 1, 33n, 8, 0n), "multiple of 32"],
    [
      "an offset beyond the file",
      raw("GGUF", 3, 1n, 0n, ...text("t"), 1, 8n, 0, 64n, ...text(" ".repeat(200))),
      "offset 0",
    ],
    [
      "overlapping tensors",
      raw("GGUF", 3, 2n, 0n, ...text("a"), 1, 8n, 0, 0n, ...text("b"), 1, 8n, 0, 0n, " ".repeat(200)),
      "right after the tensor before it",
    ],
    [
      "a tensor name twice",
      raw("GGUF", 3, 2n, 0n, ...text("a"), 1, 8n, 0, 0n, ...text("a"), 1, 8n, 0, 32n, " ".repeat(200)),
      "each tensor once",
    ],
    ["a tensor name of 64 bytes", raw("GGUF", 3, 1n, 0n, ...text("n".repeat(64)), 1, 8n, 0, 0n), "at most 63"],
  ])("refuses %s", (_, bytes, message) => {
    expect(() => parseGgufHeader(bytes)).toThrow(message);
    expect(onlyBadInput(() => parseGgufHeader(bytes))).toBeUndefined();
  });

  test("sizes every tensor type as ggml does", () => {
    // Bits per number as llama.cpp prints them.
    const bits = new Map([...ggmlTypes.values()].map((type) => [type.name, (8 * type.blockBytes) / type.blockSize]));
    expect(bits.get("Q4_0")).toBe(4.5);
    expect(bits.get("Q4_K")).toBe(4.5);
    expect(bits.get("Q6_K")).toBe(6.5625);
    expect(bits.get("Q8_0")).toBe(8.5);
    expect(bits.get("IQ1_S")).toBe(1.5625);
    expect(bits.get("MXFP4")).toBe(4.25);
    expect(ggmlTypes.size).toBe(35);
  });
});

describe("readGgufHeader(path)", () => {
  test("reads a header longer than its first piece, and only the header of a huge file", async () => {
    const tokens = Array.from({ length: 300_000 }, (_, i) => `token-${i}`);
    const bytes = formatGguf({ metadata: new Map([["t", { type: "array", of: "string", value: tokens }]]), tensors });
    const path = folder.put("long.gguf", bytes);
    expect(ggufStrings(await readGgufHeader(path), "t")).toEqual(tokens);

    // One tensor of 60 GB in a sparse file: reading it would fail, since no buffer is that large.
    const rows = 15_000_000_000n;
    const sparse = folder.put("sparse.gguf", raw("GGUF", 3, 1n, 0n, ...text("w"), 1, rows, 0, 0n));
    const file = openSync(sparse, "r+");
    ftruncateSync(file, 64 + Number(rows) * 4);
    closeSync(file);
    expect((await readGgufHeader(sparse)).tensors[0]).toMatchObject({ dims: [Number(rows)], sizeBytes: 6e10 });
  });

  test("names the file in errors, and refuses folders and missing files", async () => {
    const path = folder.put("cut.gguf", valid.slice(0, 100));
    await expect(readGgufHeader(path)).rejects.toThrow(`${path}: GGUF`);
    await expect(readGgufHeader(folder.path)).rejects.toMatchObject({ code: "bad-input" });
    await expect(readGgufHeader(join(folder.path, "none.gguf"))).rejects.toMatchObject({ code: "not-found" });
    await expect(readGgufHeader(folder.put("empty.gguf", ""))).rejects.toMatchObject({ code: "bad-input" });
    mkdirSync(join(folder.path, "dir.gguf"));
    await expect(readGgufHeader(join(folder.path, "dir.gguf"))).rejects.toThrow("a folder");
  });
});

describe("readGgufTensor(path, header, name)", () => {
  test("returns the numbers of F32 and F16 tensors", async () => {
    const path = folder.put("tensors.gguf", valid);
    const header = await readGgufHeader(path);
    expect([...(await readGgufTensor(path, header, "direction.1"))]).toEqual([1, -2, 3.5]);
    expect([...(await readGgufTensor(path, header, "matrix"))]).toEqual([1, 2, 3, 4]);
    await expect(readGgufTensor(path, header, "none")).rejects.toMatchObject({ code: "not-found" });

    // Halves: 1, -2, smallest subnormal 2^-24, largest 65504, infinity.
    const head = raw("GGUF", 3, 1n, 0n, ...text("h"), 1, 5n, 1, 0n);
    const halves = Buffer.from([0x00, 0x3c, 0x00, 0xc0, 0x01, 0x00, 0xff, 0x7b, 0x00, 0x7c]);
    const half = folder.put("half.gguf", Buffer.concat([head, Buffer.alloc(64 - head.length), halves]));
    expect([...(await readGgufTensor(half, await readGgufHeader(half), "h"))]).toEqual([
      1,
      -2,
      2 ** -24,
      65504,
      Number.POSITIVE_INFINITY,
    ]);
  });
});

describe("typed accessors", () => {
  const header = parseGgufHeader(valid);

  test("return the value, or undefined if the key is missing", () => {
    expect(ggufString(header, "general.architecture")).toBe("llama");
    expect(ggufNumber(header, "llama.block_count")).toBe(4);
    expect(ggufStrings(header, "tokens")).toEqual(["<s>", "é", "猫"]);
    expect(ggufNumbers(header, "scores")).toEqual([0, -1.5, 2]);
    expect([ggufString, ggufNumber, ggufStrings].map((read) => read(header, "none"))).toEqual(Array(3).fill(undefined));
  });

  test("refuse another type and integers that a double cannot hold", () => {
    expect(() => ggufString(header, "llama.block_count")).toThrow("expected a string, got u32");
    expect(() => ggufNumber(header, "tokens")).toThrow("expected a number, got an array of string");
    expect(() => ggufStrings(header, "scores")).toThrow("an array of strings");
    expect(() => ggufNumber(header, "big")).toThrow("±2^53");
  });
});

test("formatGguf refuses dims that do not match and values that do not fit", () => {
  expect(() =>
    formatGguf({ metadata: new Map(), tensors: [{ name: "t", dims: [4], data: new Float32Array(3) }] }),
  ).toThrow("tensor t");
  expect(() => formatGguf({ metadata: new Map([["k", { type: "u8", value: 256 }]]), tensors: [] })).toThrow("type u8");
});
