import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  formatSafetensors,
  parseSafetensors,
  readSafetensors,
  readSafetensorsHeader,
  type Tensor,
  writeSafetensors,
} from "../../src/formats/safetensors.ts";
import { onlyBadInput } from "./only-bad-input.ts";
import { temporaryFolder } from "./temporary-folder.ts";

const folder = temporaryFolder();

function file(header: unknown, dataBytes = 0): Uint8Array {
  const json = Buffer.from(typeof header === "string" ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, Buffer.alloc(dataBytes)]);
}

const f32 = (shape: number[], begin: number, end: number) => ({ dtype: "F32", shape, data_offsets: [begin, end] });

const anyTensor: fc.Arbitrary<Tensor> = fc.oneof(
  fc.float32Array({ maxLength: 6 }).map((data) => ({ shape: [data.length], data })),
  fc.float64Array({ maxLength: 6 }).map((data) => ({ shape: [1, data.length], data })),
  fc.int32Array({ maxLength: 6 }).map((data) => ({ shape: [data.length, 1], data })),
  fc.bigInt64Array({ maxLength: 6 }).map((data) => ({ shape: [data.length], data })),
  fc.uint8Array({ maxLength: 6 }).map((data) => ({ shape: [data.length], data })),
);
const anyName = fc.string().filter((name) => name !== "__metadata__");
const anyTensors = fc.array(fc.tuple(anyName, anyTensor), { maxLength: 5 }).map((entries) => new Map(entries));
const anyMetadata = fc.array(fc.tuple(fc.string(), fc.string({ unit: "grapheme" })), { maxLength: 3 });

describe("parseSafetensors(bytes)", () => {
  test("reads what formatSafetensors writes, names like __proto__ included", () => {
    const hostile = new Map<string, Tensor>([["__proto__", { shape: [1], data: Float32Array.of(1) }]]);
    fc.assert(
      fc.property(anyTensors, anyMetadata, (tensors, metadata) => {
        const { tensors: back, metadata: text } = parseSafetensors(formatSafetensors(tensors, new Map(metadata)));
        expect(new Map([...back].sort())).toEqual(new Map([...tensors].sort()));
        expect(new Map([...text].sort())).toEqual(new Map([...new Map(metadata)].sort()));
      }),
      { numRuns: 300, examples: [[hostile, [["__proto__", "x"]]]] },
    );
  });

  test("reads F16 and BF16 as floats", () => {
    const halves = Buffer.from([0x00, 0x3c, 0x00, 0xc0]); // 1, -2 as halves; 0.0078125, -2 as bfloat16
    for (const [dtype, expected] of [
      ["F16", [1, -2]],
      ["BF16", [0.0078125, -2]],
    ] as const) {
      const bytes = Buffer.concat([file({ t: { dtype, shape: [2], data_offsets: [0, 4] } }), halves]);
      expect([...(parseSafetensors(bytes).tensors.get("t")!.data as Float32Array)]).toEqual(expected);
    }
  });

  test.each([
    ["an empty file", new Uint8Array(0), "at least 8 bytes"],
    ["a header longer than the file", Buffer.from([200, 0, 0, 0, 0, 0, 0, 0, 0x7b]), "bytes before"],
    ["a header beyond 16 MiB", Buffer.from([0, 0, 0, 0, 1, 0, 0, 0, 0x7b]), "at most 16777216"],
    ["a header that is no object", file("[1]"), '"{" first'],
    ["a header that is no JSON", file("{nonsense}"), "JSON"],
    ["a name twice", file('{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"a":1}'), "each name once"],
    ["a key twice within a tensor", file('{"a":{"dtype":"F32","dtype":"F64","shape":[0]}}'), "each name once"],
    ["metadata that is no string", file({ __metadata__: { a: 1 } }), "a string"],
    ["a hole", file({ a: f32([1], 0, 4), b: f32([1], 8, 12) }, 12), "right after"],
    ["an overlap", file({ a: f32([1], 0, 4), b: f32([1], 0, 4) }, 4), "right after"],
    ["bytes after the last tensor", file({ a: f32([1], 0, 4) }, 8), "4 bytes of tensors"],
    ["missing bytes", file({ a: f32([4], 0, 16) }, 8), "16 bytes of tensors"],
    ["a shape that does not match", file({ a: f32([2], 0, 4) }, 4), "8 bytes for F32"],
    ["a negative size", file({ a: f32([-1], 0, 4) }, 4), "whole numbers"],
    ["a size of 1.5", file({ a: f32([1.5], 0, 4) }, 4), "whole numbers"],
    ["sizes beyond 2^53", file({ a: f32([2 ** 40, 2 ** 40], 0, 4) }, 4), "bytes for F32"],
    ["offsets backwards", file({ a: f32([1], 4, 0) }, 4), "data_offsets"],
    ["a number type of another world", file({ a: { ...f32([1], 0, 4), dtype: "constructor" } }, 4), "a type of F64"],
    ["a pickle", Buffer.from([0x80, 0x02, 0x7d, 0x71, 0x00, 0x58, 0, 0, 0, 0]), "pickle"],
    ["a ZIP archive", Buffer.from("PK\u0003\u0004 and so on"), "pickle inside"],
  ])("refuses %s", (_, bytes, message) => {
    expect(() => parseSafetensors(bytes)).toThrow(message);
    expect(onlyBadInput(() => parseSafetensors(bytes))).toBeUndefined();
  });

  test("is not misled by a sound header of 640 bytes, which begins like a pickle", () => {
    const json = `${JSON.stringify({ a: f32([0], 0, 0) })}`.padEnd(0x280);
    expect(parseSafetensors(file(json)).tensors.size).toBe(1);
  });

  test("says bad-input or returns, for random bytes, truncations and mutated files", () => {
    const valid = formatSafetensors(
      new Map([["a", { shape: [2, 2], data: new Float32Array(4) }]]),
      new Map([["k", "v"]]),
    );
    for (let length = 0; length < valid.length; length++)
      expect(onlyBadInput(() => parseSafetensors(valid.slice(0, length)))).toBeUndefined();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.json(), fc.nat(20), (bytes, json, extra) => {
        onlyBadInput(() => parseSafetensors(bytes));
        onlyBadInput(() => parseSafetensors(file(json, extra)));
        onlyBadInput(() => parseSafetensors(file({ a: JSON.parse(json) }, extra)));
      }),
      { numRuns: 500 },
    );
    const change = fc.record({ at: fc.nat(valid.length - 1), to: fc.nat(255) });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
        const bytes = valid.slice();
        for (const { at, to } of changes) bytes[at] = to;
        onlyBadInput(() => parseSafetensors(bytes));
      }),
      { numRuns: 1000 },
    );
  });
});

describe("readSafetensors(path)", () => {
  test("reads what writeSafetensors wrote, and its header alone", async () => {
    const path = join(folder.path, "a.safetensors");
    const tensors = new Map<string, Tensor>([
      ["f", { shape: [2], data: Float32Array.of(1, 2) }],
      ["d", { shape: [1, 2], data: Float64Array.of(Math.PI, -0) }],
    ]);
    await writeSafetensors(path, tensors, new Map([["format", "1"]]));
    const back = await readSafetensors(path);
    expect(back.tensors).toEqual(tensors);
    expect(back.metadata.get("format")).toBe("1");
    expect((await readSafetensorsHeader(path)).tensors.map(({ name }) => name)).toEqual(["d", "f"]);
  });

  test("names the file in errors", async () => {
    const path = folder.put("bad.safetensors", file({ a: f32([4], 0, 16) }, 8));
    await expect(readSafetensors(path)).rejects.toThrow(`${path}: safetensors`);
    await expect(readSafetensors(folder.path)).rejects.toMatchObject({ code: "bad-input" });
    await expect(readSafetensors(join(folder.path, "none"))).rejects.toMatchObject({ code: "not-found" });
  });

  test("formatSafetensors gives the same bytes in any order of insertion, tensors aligned to their type", () => {
    const a: [string, Tensor] = ["a", { shape: [3], data: Uint8Array.of(1, 2, 3) }];
    const b: [string, Tensor] = ["b", { shape: [1], data: Float64Array.of(1) }];
    const bytes = formatSafetensors(new Map([a, b]));
    expect(bytes).toEqual(formatSafetensors(new Map([b, a])));
    const headerBytes = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    expect(headerBytes % 8).toBe(0);
    expect(new DataView(bytes.buffer).getFloat64(8 + headerBytes, true)).toBe(1);
  });
});

test("parseSafetensors(bytes) refuses deep nesting without overflowing the stack", () => {
  const deep = "[".repeat(100_000) + "]".repeat(100_000);
  for (const header of [`{"a":${deep}}`, `{"a":{"dtype":"F32","shape":${deep}}}`, `{"__metadata__":{"a":${deep}}}`])
    expect(() => parseSafetensors(file(header))).toThrow(expect.objectContaining({ code: "bad-input" }));
});
