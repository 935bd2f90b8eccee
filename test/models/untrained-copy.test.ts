import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { openModel } from "../../src/engine/open.ts";
import { formatGguf } from "../../src/formats/format-gguf.ts";
import { parseGgufHeader } from "../../src/formats/gguf.ts";
import { toGgufNumbers } from "../../src/formats/gguf-numbers.ts";
import { floatsToBfloats } from "../../src/formats/half.ts";
import { writeUntrainedCopy } from "../../src/models/untrained-copy.ts";
import { demoPath } from "../engine/demo-models.ts";
import { syntheticModel } from "../engine/synthetic-model.ts";
import { temporaryFolder } from "../formats/temporary-folder.ts";

const folder = temporaryFolder();
const q8 = resolve("test/fixtures/trimtab-stories-xs-q8_0.gguf");

/** Type and numbers of every tensor. */
function readTensors(path: string): Map<string, { typeName: string; numbers: Float32Array }> {
  const bytes = readFileSync(path);
  const header = parseGgufHeader(bytes);
  return new Map(
    header.tensors.map(({ name, typeName, offset, sizeBytes }) => {
      const start = header.dataOffset + offset;
      return [name, { typeName, numbers: toGgufNumbers(bytes.subarray(start, start + sizeBytes), typeName)! }];
    }),
  );
}

function describeNumbers(numbers: Float32Array): { mean: number; deviation: number } {
  const mean = numbers.reduce((sum, value) => sum + value / numbers.length, 0);
  return { mean, deviation: Math.sqrt(numbers.reduce((sum, value) => sum + (value - mean) ** 2 / numbers.length, 0)) };
}

function correlation(a: Float32Array, b: Float32Array): number {
  const [x, y] = [describeNumbers(a), describeNumbers(b)];
  return (
    a.reduce((sum, value, i) => sum + (value - x.mean) * (b[i]! - y.mean), 0) / a.length / x.deviation / y.deviation
  );
}

/** States of one sentence at every block, and the tokenizer's fingerprint. */
async function readSentence(path: string): Promise<{ fingerprint: string; name: string; states: Float32Array[] }> {
  await using model = await openModel(path, { threads: 1 });
  const { blocks, capabilities, tokenizer, name } = model.description;
  expect(capabilities).toMatchObject({ tap: true, steer: true });
  const tokens = await model.tokenize("Once upon a time there was a little dog.", { addSpecial: true });
  const sites = Array.from({ length: blocks }, (_, layer) => ({ layer, point: "resid_post" as const }));
  for await (const { states } of model.readStates([tokens], { sites }))
    return { fingerprint: tokenizer.fingerprint, name, states: [...states] };
  throw new Error("no window came back");
}

for (const [label, path, type] of [
  ["F16", demoPath("xs"), "F16"],
  ["Q8_0", q8, "F16"],
  ["F32", resolve("test/fixtures/trimtab-stories-xs-f32.gguf"), "F32"],
] as const)
  describe(`writeUntrainedCopy of a model in ${label}`, () => {
    const out = join(folder.path, `${label}.gguf`);

    test(`draws every weight matrix anew in ${type} with its own standard deviation, and keeps the vectors`, async () => {
      const report = await writeUntrainedCopy(path, out, { seed: 3 });
      const [before, after] = [readTensors(path), readTensors(out)];
      expect([...after.keys()]).toEqual([...before.keys()]);
      expect([...report.redrawn, ...report.kept].sort()).toEqual([...before.keys()].sort());
      expect(report.drawnFromShape).toEqual([]);
      for (const name of report.kept) expect(after.get(name)).toEqual(before.get(name));
      expect(report.kept.every((name) => name.includes("norm"))).toBe(true);
      expect(report.redrawn).toContain("token_embd.weight");
      for (const name of report.redrawn) {
        const [old, fresh] = [before.get(name)!.numbers, after.get(name)!];
        const [trained, drawn] = [describeNumbers(old), describeNumbers(fresh.numbers)];
        expect(fresh.typeName).toBe(type);
        // The smallest matrix has 9216 numbers: a drawn deviation scatters by 1/√(2 · 9216) = 0.7 %, a mean by σ/96, a correlation by
        // 1/96; five times that.
        expect(Math.abs(drawn.deviation / trained.deviation - 1)).toBeLessThan(0.037);
        expect(Math.abs(drawn.mean)).toBeLessThan((5 / 96) * trained.deviation);
        expect(Math.abs(correlation(old, fresh.numbers))).toBeLessThan(5 / 96);
      }
    });

    test("opens, taps and steers with the same tokenizer and other states, all finite", async () => {
      const [trained, untrained] = [await readSentence(path), await readSentence(out)];
      expect(untrained.fingerprint).toBe(trained.fingerprint);
      expect(untrained.name).toBe(`${trained.name}, untrained`);
      untrained.states.forEach((states, layer) => {
        expect(states).toHaveLength(trained.states[layer]!.length);
        expect(states.every(Number.isFinite)).toBe(true);
        expect(Math.abs(correlation(states, trained.states[layer]!))).toBeLessThan(0.5);
        const ratio = describeNumbers(states).deviation / describeNumbers(trained.states[layer]!).deviation;
        expect(ratio).toBeGreaterThan(0.05); // plausible norms, so that float16 neither overflows nor vanishes
        expect(ratio).toBeLessThan(20);
      });
    });
  });

test("writeUntrainedCopy copies keys byte for byte but for name, file type and seed", async () => {
  const out = join(folder.path, "keys.gguf");
  await writeUntrainedCopy(q8, out, { seed: 2 ** 40 });
  const [before, after] = [parseGgufHeader(readFileSync(q8)), parseGgufHeader(readFileSync(out))];
  const changed = ["general.name", "general.file_type"];
  for (const [key, value] of before.metadata)
    if (!changed.includes(key)) expect(after.metadata.get(key)).toEqual(value);
  expect([...after.metadata.keys()].filter((key) => !before.metadata.has(key))).toEqual(["trimtab.untrained.seed"]);
  expect(after.metadata.get("trimtab.untrained.seed")).toEqual({ type: "u64", value: 2n ** 40n });
  if (before.metadata.has("general.file_type")) expect(after.metadata.get("general.file_type")?.value).toBe(1);

  // Some vocabularies hold pieces of characters, which are no text; they must not become U+FFFD.
  const broken = Buffer.from(
    formatGguf({ metadata: new Map([["tokens", { type: "string", value: "xyz" }]]), tensors: weights }),
  );
  broken[broken.indexOf("xyz")] = 0xff;
  await writeUntrainedCopy(folder.put("broken.gguf", broken), out);
  expect(readFileSync(out).includes(Buffer.from([0xff, 0x79, 0x7a]))).toBe(true);
});

const weights = [{ name: "a.weight", dims: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) }];

test("writeUntrainedCopy gives the same file for the same seed and another for another, and two tensors other numbers", async () => {
  const write = async (name: string, seed: number): Promise<Buffer> => {
    await writeUntrainedCopy(demoPath("xs"), join(folder.path, name), { seed });
    return readFileSync(join(folder.path, name));
  };
  const first = await write("a.gguf", 1);
  expect((await write("b.gguf", 1)).equals(first)).toBe(true);
  expect((await write("c.gguf", 2)).equals(first)).toBe(false);
  const tensors = readTensors(join(folder.path, "a.gguf"));
  const [q, k] = ["q", "k"].map((part) => tensors.get(`blk.0.attn_${part}.weight`)!.numbers);
  expect(Math.abs(correlation(q!, k!))).toBeLessThan(5 / 96);
});

test("writeUntrainedCopy keeps biases, keeps BF16, and draws types that it cannot read from their shape", async () => {
  const path = folder.put("qwen2.gguf", await syntheticModel("qwen2", { width: 64, blocks: 2 }));
  const out = join(folder.path, "qwen2-untrained.gguf");
  const report = await writeUntrainedCopy(path, out);
  expect(report.kept).toContain("blk.1.attn_q.bias");
  expect((await readSentence(out)).states).toHaveLength(2);

  // One matrix of 64 x 8 in BF16, and one of 256 x 2 in a type that only its size is known of.
  const header = formatGguf({ metadata: new Map(), tensors: [] });
  expect(header).toHaveLength(24);
  const bf16 = floatsToBfloats(Float32Array.from({ length: 512 }, (_, i) => (i % 2 ? 3 : -3)));
  const file = Buffer.concat([
    Buffer.from("GGUF"),
    integers(4, 3),
    integers(8, 2, 0),
    tensorInfo("a.weight", [64, 8], 30, 0),
    tensorInfo("b.weight", [256, 2], 11, 1024),
  ]);
  const padded = Buffer.concat([file, Buffer.alloc((32 - (file.length % 32)) % 32), bf16, Buffer.alloc(2 * 110)]);
  const other = await writeUntrainedCopy(folder.put("types.gguf", padded), out);
  expect(other).toEqual({ redrawn: ["a.weight"], drawnFromShape: ["b.weight"], kept: [] });
  const tensors = readTensors(out);
  expect([...tensors.values()].map(({ typeName }) => typeName)).toEqual(["BF16", "F16"]);
  // 512 numbers: 5/√1024 = 16 %.
  expect(Math.abs(describeNumbers(tensors.get("a.weight")!.numbers).deviation / 3 - 1)).toBeLessThan(0.16);
  expect(Math.abs(describeNumbers(tensors.get("b.weight")!.numbers).deviation * 16 - 1)).toBeLessThan(0.16);
});

function integers(bytes: 4 | 8, ...values: number[]): Buffer {
  const buffer = Buffer.alloc(bytes * values.length);
  values.forEach((value, i) => {
    if (bytes === 4) buffer.writeUInt32LE(value, 4 * i);
    else buffer.writeBigUInt64LE(BigInt(value), 8 * i);
  });
  return buffer;
}

function tensorInfo(name: string, dims: number[], type: number, offset: number): Buffer {
  return Buffer.concat([
    integers(8, name.length),
    Buffer.from(name),
    integers(4, dims.length),
    integers(8, ...dims),
    integers(4, type),
    integers(8, offset),
  ]);
}

test("writeUntrainedCopy refuses split models, its own source, files without weights, and leaves nothing after an abort", async () => {
  const bytes = formatGguf({ metadata: new Map(), tensors: weights });
  const split = folder.put("model-00001-of-00002.gguf", bytes);
  const out = join(folder.path, "refused.gguf");
  await expect(writeUntrainedCopy(split, out)).rejects.toMatchObject({
    code: "unsupported",
    message: `${split}: expected a model in one file, got a part of a split one`,
    hint: expect.stringContaining("llama-gguf-split --merge"),
  });
  const counted = new Map([["split.count", { type: "u16", value: 2 } as const]]);
  const part = folder.put("part.gguf", formatGguf({ metadata: counted, tensors: weights }));
  await expect(writeUntrainedCopy(part, out)).rejects.toMatchObject({ code: "unsupported" });
  const own = folder.put("own.gguf", bytes);
  await expect(writeUntrainedCopy(own, join(folder.path, ".", "own.gguf"))).rejects.toThrow(
    "expected another file than the model itself",
  );
  expect(readFileSync(own).equals(bytes)).toBe(true);
  const none = folder.put("none.gguf", formatGguf({ metadata: new Map(), tensors: [] }));
  await expect(writeUntrainedCopy(none, out)).rejects.toThrow("expected a model with weight matrices, got 0 tensors");
  const bad = [{ ...weights[0]!, data: new Float32Array(6).fill(Number.NaN) }];
  const damaged = folder.put("damaged.gguf", formatGguf({ metadata: new Map(), tensors: bad }));
  await expect(writeUntrainedCopy(damaged, out)).rejects.toThrow('tensor "a.weight": expected finite numbers');
  await expect(writeUntrainedCopy(own, out, { seed: -1 })).rejects.toThrow("seed: expected an integer");

  const controller = new AbortController();
  const running = writeUntrainedCopy(demoPath("m"), out, { signal: controller.signal });
  setTimeout(() => controller.abort(), 5);
  await expect(running).rejects.toMatchObject({ code: "aborted" });
  expect(existsSync(out)).toBe(false);
  expect(readdirSync(folder.path).filter((name) => name.endsWith(".tmp"))).toEqual([]);
});
