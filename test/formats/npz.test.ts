import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { crc32, deflateRawSync } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { TrimtabError } from "../../src/errors.ts";
import { readFloats } from "../../src/formats/lazy-tensor.ts";
import { parseNpyHeader } from "../../src/formats/npy-header.ts";
import { openNpz } from "../../src/formats/open-npz.ts";
import { openSafetensors } from "../../src/formats/open-safetensors.ts";
import { writeSafetensors } from "../../src/formats/safetensors.ts";
import { onlyBadInput } from "./only-bad-input.ts";
import { temporaryFolder } from "./temporary-folder.ts";

const folder = temporaryFolder();
const file = (name: string): string => join(folder.path, name);

// Made by make.py beside them.
const fixtures = "test/fixtures/npz";

const whole = Array.from({ length: 35 }, (_, i) => i);
const turned = Array.from({ length: 35 }, (_, i) => (i % 5) * 7 + Math.floor(i / 5));

test.each(["stored", "deflated"])(
  "readFloats(openNpz(%s.npz)) gives numpy's arrays in either order, and transposed",
  async (name) => {
    await using npz = await openNpz(`${fixtures}/${name}.npz`);
    const read = async (key: string, transpose = false): Promise<number[]> => [
      ...(await readFloats(npz.tensors.get(key)!, { transpose })),
    ];
    for (const key of ["c", "f", "half", "double"]) {
      expect(npz.tensors.get(key)?.shape).toEqual([5, 7]);
      expect(await read(key)).toEqual(whole);
      expect(await read(key, true)).toEqual(turned);
    }
    expect(await read("one")).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(await read("scalar")).toEqual([2.5]);
    expect(await read("empty")).toEqual([]);
    await expect(read("whole")).rejects.toThrow("tensor whole: expected floats (F64, F32, F16 or BF16), got I64");
  },
);

test("readFloats({ transpose }) turns matrices that are larger than a block", async () => {
  await using npz = await openNpz(`${fixtures}/strip.npz`);
  const values = await readFloats(npz.tensors.get("w")!, { transpose: true });
  values.forEach((value, at) => {
    expect(value).toBe(((at % 40) * 70 + Math.floor(at / 40)) % 2048);
  });
});

test("openSafetensors() reads what writeSafetensors() writes, whole and transposed", async () => {
  const data = Float32Array.from(whole);
  await writeSafetensors(file("a.safetensors"), new Map([["a", { shape: [5, 7], data }]]), new Map([["of", "test"]]));
  await using open = await openSafetensors(file("a.safetensors"));
  expect(open.metadata.get("of")).toBe("test");
  expect([...(await readFloats(open.tensors.get("a")!))]).toEqual(whole);
  expect([...(await readFloats(open.tensors.get("a")!, { transpose: true }))]).toEqual(turned);
});

test.each([
  ["objects", "unsupported", "arrays of objects hold pickle"],
  ["records", "unsupported", "an array of records"],
  ["big-endian", "unsupported", "little-endian"],
])("openNpz(%s.npz) is refused", async (name, code, text) => {
  const error = await openNpz(`${fixtures}/${name}.npz`).then(
    () => undefined,
    (thrown: unknown) => thrown as TrimtabError,
  );
  expect(error?.code).toBe(code);
  expect(`${error?.message} ${error?.hint}`).toContain(text);
});

test("openNpz() refuses what is no archive, and archives of other things", async () => {
  await writeFile(file("text.npz"), "hello");
  await expect(openNpz(file("text.npz"))).rejects.toThrow("expected a sound ZIP archive");
  await expect(openNpz(`${fixtures}/torch.npz`)).rejects.toThrow('got an entry "archive/data.pkl"');
  await expect(openNpz(file("none.npz"))).rejects.toMatchObject({ code: "not-found" });
});

test("openNpz() refuses a large array of a small file before any of it is unpacked", async () => {
  const header = Buffer.from("\x93NUMPY\x01\0\x76\0", "latin1");
  const text = "{'descr': '<f4', 'fortran_order': False, 'shape': (17039360,), }".padEnd(117);
  const array = Buffer.concat([header, Buffer.from(`${text}\n`), Buffer.alloc(4 * 17_039_360)]);
  await writeFile(file("bomb.npz"), toZip("w.npy", array));
  await expect(openNpz(file("bomb.npz"))).rejects.toThrow("w.npy: expected at most 32 times");
});

/** A ZIP archive of one deflated entry. */
function toZip(name: string, bytes: Uint8Array): Buffer {
  const packed = deflateRawSync(bytes, { level: 1 });
  // Version, flags, method, time and date, checksum, sizes, length of the name, length of extra fields.
  const common = Buffer.alloc(26);
  common.writeUInt16LE(20, 0);
  common.writeUInt16LE(8, 4);
  common.writeUInt32LE(crc32(bytes), 10);
  common.writeUInt32LE(packed.length, 14);
  common.writeUInt32LE(bytes.length, 18);
  common.writeUInt16LE(name.length, 22);
  const local = Buffer.concat([Buffer.from("PK\x03\x04"), common, Buffer.from(name), packed]);
  const central = Buffer.concat([Buffer.from("PK\x01\x02\x14\0"), common, Buffer.alloc(14), Buffer.from(name)]);
  const end = Buffer.concat([Buffer.from("PK\x05\x06"), Buffer.alloc(18)]);
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(local.length, 16);
  return Buffer.concat([local, central, end]);
}

test("readFloats(openNpz()) finds a changed number by the checksum", async () => {
  const bytes = await readFile(`${fixtures}/strip.npz`);
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] as number) ^ 1;
  await writeFile(file("changed.npz"), bytes);
  await using npz = await openNpz(file("changed.npz"));
  await expect(readFloats(npz.tensors.get("w")!)).rejects.toThrow("expected the bytes of its checksum");
});

test("openNpz() says bad-input or returns, for truncated and mutated archives", async () => {
  const whole = await readFile(`${fixtures}/deflated.npz`);
  await fc.assert(
    fc.asyncProperty(
      fc.nat(whole.length),
      fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 6 }),
      async (length, changes) => {
        const bytes = Buffer.from(changes.length === 0 ? whole.subarray(0, length) : whole);
        for (const [at, value] of changes) bytes[at] = value;
        await writeFile(file("fuzz.npz"), bytes);
        try {
          await using npz = await openNpz(file("fuzz.npz"));
          for (const tensor of npz.tensors.values()) await readFloats(tensor);
        } catch (error) {
          if (!(error instanceof TrimtabError) || !["bad-input", "unsupported"].includes(error.code)) throw error;
        }
      },
    ),
    { numRuns: 150, seed: 7 },
  );
});

test("parseNpyHeader() says bad-input or returns, for any header text", () => {
  const part = fc.constantFrom(
    "{",
    "}",
    "'descr'",
    "'<f4'",
    "'|O'",
    ":",
    ",",
    "(",
    ")",
    "'shape'",
    "'fortran_order'",
    "True",
    "False",
    "3",
    "99999999999999999",
    "[",
    "'",
    " ",
  );
  const text = fc.oneof(
    fc.array(part, { maxLength: 24 }).map((parts) => parts.join("")),
    fc.string(),
  );
  fc.assert(
    fc.property(text, fc.constantFrom(1, 2, 3, 4), fc.nat(8), (header, major, cut) => {
      const body = Buffer.from(header, "utf8");
      const length =
        major === 1
          ? Buffer.from([body.length & 255, body.length >> 8])
          : Buffer.from(Uint32Array.of(body.length).buffer);
      const bytes = Buffer.concat([Buffer.from("\x93NUMPY", "latin1"), Buffer.from([major, 0]), length, body]);
      onlyBadInput(() => parseNpyHeader(bytes.subarray(0, bytes.length - cut)));
    }),
    { numRuns: 2000, seed: 7 },
  );
});
