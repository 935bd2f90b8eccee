import fc from "fast-check";
import { expect, test } from "vitest";
import { assembleStripKernel } from "../../src/linalg/portable/strip-kernel.ts";
import { compileModule, createSharedMemory, instantiateStrip } from "../../src/linalg/portable/wasm-host.ts";
import {
  addPairs,
  assembleModule,
  loadPair,
  loadTwice,
  multiplyPairs,
  plus,
  repeat,
  set,
  signed,
  storePair,
  unsigned,
} from "../../src/linalg/portable/wasm-writer.ts";

test("unsigned(value) and signed(value) write the specification's LEB128", () => {
  // The examples of the DWARF 4 standard, figures 22 and 23, which the WebAssembly specification refers to.
  expect([2, 127, 128, 129, 130, 12857].map(unsigned)).toEqual([
    [2],
    [127],
    [0x80, 1],
    [0x81, 1],
    [0x82, 1],
    [0xb9, 0x64],
  ]);
  expect([2, -2, 127, -127, 128, -128, 129, -129].map(signed)).toEqual([
    [2],
    [0x7e],
    [0xff, 0],
    [0x81, 0x7f],
    [0x80, 1],
    [0x80, 0x7f],
    [0x81, 1],
    [0xff, 0x7e],
  ]);
});

test("unsigned(value) and signed(value) keep every 32-bit integer", () => {
  const bits = (bytes: readonly number[]): bigint =>
    bytes.reduce((sum, byte, i) => sum | (BigInt(byte & 0x7f) << BigInt(7 * i)), 0n);
  fc.assert(
    fc.property(fc.nat({ max: 2 ** 32 - 1 }), fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), (natural, integer) => {
      expect(Number(bits(unsigned(natural)))).toBe(natural);
      const bytes = signed(integer);
      expect(Number(BigInt.asIntN(7 * bytes.length, bits(bytes)))).toBe(integer);
      for (const all of [unsigned(natural), bytes])
        expect(all.map((byte) => byte >= 128)).toEqual(all.map((_, i) => i < all.length - 1));
    }),
  );
});

test("assembleModule(function) writes a module that the engine compiles and that does what it says", () => {
  // y += x₀ x for `count` pairs: parameters x, y, count, and x₀ in a vector.
  const [x, y, count, first] = [0, 1, 2, 3];
  const module = assembleModule({
    name: "strip",
    parameters: 3,
    integers: 0,
    vectors: 1,
    body: [
      ...set(first, loadTwice(x, 0)),
      ...repeat(count, [
        ...storePair(y, 0, addPairs(loadPair(y, 0), multiplyPairs([0x20, first], loadPair(x, 0)))),
        ...set(x, plus(x, 16)),
        ...set(y, plus(y, 16)),
      ]),
    ],
  });
  const memory = createSharedMemory(4096);
  const run = instantiateStrip(compileModule(module), memory) as unknown as (x: number, y: number, n: number) => void;
  const values = new Float64Array(memory.buffer);
  values.set([3, 1, -2, 5, 0.5, 7], 0);
  values.set([1, 1, 1, 1, 1, 1], 64);
  run(0, 64 * 8, 2);
  expect([...values.subarray(64, 70)]).toEqual([10, 4, -5, 16, 1, 1]);
});

test("assembleStripKernel() adds one panel's products with several panels to blocks of C", () => {
  const memory = createSharedMemory(65_536);
  const strip = instantiateStrip(compileModule(assembleStripKernel()), memory);
  const values = new Float64Array(memory.buffer);
  const [a, b, c] = [0, 512, 2048];
  const at = (base: number, i: number): number => values[base + i] as number;
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 9 }), fc.nat(), (count, depth, seed) => {
      // Whole numbers: their sums are exact in any order.
      for (let i = 0; i < 4096; i++) values[i] = ((i * 7919 + seed) % 41) - 20;
      const before = values.slice();
      const expected = values.slice();
      strip(a * 8, b * 8, c * 8, count, depth);
      for (let block = 0; block < count; block++)
        for (let i = 0; i < 4; i++)
          for (let j = 0; j < 4; j++) {
            let sum = before[c + block * 16 + i * 4 + j] as number;
            for (let t = 0; t < depth; t++) sum += at(a, t * 4 + i) * at(b, (block * depth + t) * 4 + j);
            expected[c + block * 16 + i * 4 + j] = sum;
          }
      expect(values.findIndex((value, i) => value !== expected[i])).toBe(-1);
    }),
    { numRuns: 50 },
  );
});
