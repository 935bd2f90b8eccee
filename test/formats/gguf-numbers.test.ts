import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { toGgufNumbers } from "../../src/formats/gguf-numbers.ts";
import {
  bfloatsToFloats,
  floatsToBfloats,
  floatsToHalves,
  halfToNumber,
  halvesToFloats,
} from "../../src/formats/half.ts";

/** What llama.cpp's Python package says: test/fixtures/formats/make_quants.py. */
const quants = JSON.parse(readFileSync(resolve("test/fixtures/formats/quants.json"), "utf8")) as Record<
  string,
  { bytes: string; numbers: number[] }
>;

describe("toGgufNumbers(bytes, type)", () => {
  for (const [type, { bytes, numbers }] of Object.entries(quants))
    test(`${type}: blocks of random bytes mean what they mean to llama.cpp`, () => {
      const read = toGgufNumbers(Buffer.from(bytes, "base64"), type)!;
      expect(read).toHaveLength(numbers.length);
      const largest = Math.max(...numbers.map(Math.abs));
      // Three float32 roundings there and seven digits in the file, relative to the largest since offsets are subtracted.
      numbers.forEach((number, i) => {
        expect(Math.abs(read[i]! - number)).toBeLessThan(4e-7 * largest);
      });
    });

  test("reads F32, F16 and BF16, and does not pretend to know other types", () => {
    const floats = Float32Array.of(1, -2.5, 0.25);
    expect(toGgufNumbers(new Uint8Array(floats.buffer), "F32")).toEqual(floats);
    // A piece of a Buffer, at an odd place of its memory.
    const odd = Buffer.concat([Buffer.alloc(1), new Uint8Array(floats.buffer), Buffer.alloc(9)]).subarray(1, 13);
    expect(toGgufNumbers(odd, "F32")).toEqual(floats);
    expect(toGgufNumbers(floatsToHalves(floats), "F16")).toEqual(floats);
    expect(toGgufNumbers(floatsToBfloats(floats), "BF16")).toEqual(floats);
    expect(toGgufNumbers(new Uint8Array(110), "Q3_K")).toBeUndefined();
  });
});

describe("floatsToHalves(floats)", () => {
  const one = (value: number): number => halvesToFloats(floatsToHalves(Float32Array.of(value)))[0]!;

  test("is the inverse of halvesToFloats for every half", () => {
    const words = Uint16Array.from({ length: 2 ** 16 }, (_, i) => i).filter((bits) => (bits & 0x7fff) <= 0x7c00);
    const bytes = new Uint8Array(words.buffer);
    expect(Buffer.compare(floatsToHalves(halvesToFloats(bytes)), bytes)).toBe(0);
    expect(one(Number.NaN)).toBeNaN();
  });

  test("rounds to the nearest half, ties to the even one", () => {
    const finite = fc.float({ min: -65504, max: 65504, noNaN: true });
    fc.assert(
      fc.property(finite, (value) => {
        const back = floatsToHalves(Float32Array.of(value));
        const bits = back[0]! | (back[1]! << 8);
        const chosen = Math.abs(halfToNumber(bits) - value);
        for (const other of [bits - 1, bits + 1]) {
          const sameSign = other >= 0 && (other & 0x8000) === (bits & 0x8000) && (other & 0x7fff) < 0x7c00;
          if (!sameSign) continue;
          const distance = Math.abs(halfToNumber(other) - value);
          expect(chosen).toBeLessThanOrEqual(distance);
          if (chosen === distance) expect(bits % 2).toBe(0);
        }
      }),
      { numRuns: 1000 },
    );
    expect(one(2049)).toBe(2048);
    expect(one(2051)).toBe(2052);
    expect(one(2 ** -25)).toBe(0);
    expect(one(65519)).toBe(65504);
    expect(one(65520)).toBe(Infinity);
  });
});

test("floatsToBfloats(floats) is the inverse of bfloatsToFloats and rounds to nearest, ties to even", () => {
  const words = Uint16Array.from({ length: 2 ** 16 }, (_, i) => i).filter((bits) => (bits & 0x7fff) <= 0x7f80);
  const bytes = new Uint8Array(words.buffer);
  expect(Buffer.compare(floatsToBfloats(bfloatsToFloats(bytes)), bytes)).toBe(0);
  const one = (value: number): number => bfloatsToFloats(floatsToBfloats(Float32Array.of(value)))[0]!;
  expect([one(257), one(259), one(-1.00390625)]).toEqual([256, 260, -1]);
  expect(one(Number.NaN)).toBeNaN();
});
