import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { formatGguf } from "../../src/formats/format-gguf.ts";
import { parseGgufHeader, readGgufHeader } from "../../src/formats/gguf.ts";
import { planGgufTail } from "../../src/formats/gguf-tail.ts";
import type { GgufValue } from "../../src/formats/gguf-value.ts";
import { writeGgufTail } from "../../src/formats/write-gguf-tail.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "trimtab-tail-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** A model of so many blocks whose tensors hold their own number. */
async function put(name: string, architecture: string, blocks: number, more: Record<string, GgufValue> = {}) {
  const metadata = new Map<string, GgufValue>([
    ["general.architecture", { type: "string", value: architecture }],
    [`${architecture}.block_count`, { type: "u32", value: blocks }],
    ...Object.entries(more).map(([key, value]): [string, GgufValue] => [`${architecture}.${key}`, value]),
    ["split.count", { type: "u16", value: 0 }],
  ]);
  const tensor = (tensorName: string, value: number) => ({
    name: tensorName,
    dims: [5],
    data: new Float32Array(5).fill(value),
  });
  const tensors = [
    tensor("token_embd.weight", -1),
    ...Array.from({ length: blocks }, (_, block) => tensor(`blk.${block}.attn_q.weight`, block)),
    tensor("output_norm.weight", -2),
  ];
  const path = join(folder, name);
  await writeFile(path, formatGguf({ metadata, tensors }));
  return [{ path, header: await readGgufHeader(path) }];
}

const list = (value: number[]): GgufValue => ({ type: "array", of: "u32", value });
const count = (value: number): GgufValue => ({ type: "u32", value });

describe("planGgufTail(files, layer)", () => {
  test("renumbers what is behind the layer and keeps what is no block's", async () => {
    const plan = planGgufTail(await put("a.gguf", "llama", 5), 1);
    expect([plan.blocks, plan.layer]).toEqual([3, 1]);
    expect(plan.tensors.map(({ name }) => name)).toEqual([
      "token_embd.weight",
      ...[0, 1, 2].map((block) => `blk.${block}.attn_q.weight`),
      "output_norm.weight",
    ]);
    expect(plan.changes.get("llama.block_count")).toEqual(count(3));
    expect(plan.changes.has("split.count")).toBe(true);
  });

  test("cuts lists by block, and leaves others of that length alone", async () => {
    const more = {
      "attention.head_count": list([1, 2, 3, 4]),
      "rope.dimension_sections": list([8, 8, 8, 0]),
      leading_dense_block_count: count(3),
    };
    const { changes } = planGgufTail(await put("b.gguf", "deepseek2", 4, more), 0);
    expect(changes.get("deepseek2.attention.head_count")).toEqual(list([2, 3, 4]));
    expect(changes.has("deepseek2.rope.dimension_sections")).toBe(false);
    expect(changes.get("deepseek2.leading_dense_block_count")).toEqual(count(2));
  });

  // Gemma 2: block 0 of 2 has a window, of gemma 3 the first five of six; behind an odd cut the parity is another.
  test.each([
    ["gemma2", 6, 0, [false, true, false, true, false]],
    ["gemma2", 6, 1, [true, false, true, false]],
    ["gemma3", 8, 3, [true, false, true, true]],
    ["smallthinker", 6, 2, [true, false, true]],
  ])("writes out which blocks of %s have a window, of %i cut after %i", async (kind, blocks, layer, expected) => {
    const plan = planGgufTail(
      await put(`${kind}-${layer}.gguf`, kind, blocks, { "attention.sliding_window": count(32) }),
      layer,
    );
    expect(plan.changes.get(`${kind}.attention.sliding_window_pattern`)).toEqual({
      type: "array",
      of: "bool",
      value: expected,
    });
  });

  test("refuses a cut that leaves no block, patterns it does not know, and blocks that go by their number", async () => {
    const files = await put("c.gguf", "llama", 3);
    for (const layer of [2, 3, -1, 0.5])
      expect(() => planGgufTail(files, layer)).toThrow(expect.objectContaining({ code: "bad-input" }));
    const unknown = await put("d.gguf", "nonesuch", 3, { "attention.sliding_window": count(8) });
    expect(() => planGgufTail(unknown, 0)).toThrow(expect.objectContaining({ code: "unsupported" }));
    const stepped = await put("e.gguf", "llama4", 3, { interleave_moe_layer_step: count(2) });
    expect(() => planGgufTail(stepped, 0)).toThrow(expect.objectContaining({ code: "unsupported" }));
  });
});

describe("writeGgufTail(path, files, tail)", () => {
  test("writes the numbers of the blocks behind the layer under their new names, and leaves nothing half-written", async () => {
    const files = await put("f.gguf", "llama", 4);
    const out = join(folder, "tail.gguf");
    const told: number[] = [];
    await writeGgufTail(out, files, planGgufTail(files, 1), { onBytes: (done) => told.push(done) });
    const bytes = new Uint8Array(await readFile(out));
    const header = parseGgufHeader(bytes);
    expect(header.metadata.get("trimtab.tail.layer")).toEqual(count(1));
    expect(header.metadata.has("split.count")).toBe(false);
    const first = (name: string) => {
      const { offset } = header.tensors.find((each) => each.name === name)!;
      return new DataView(bytes.buffer).getFloat32(header.dataOffset + offset, true);
    };
    expect([first("blk.0.attn_q.weight"), first("blk.1.attn_q.weight"), first("output_norm.weight")]).toEqual([
      2, 3, -2,
    ]);
    expect(told.at(-1)).toBe(4 * 20);
    const abort = new AbortController();
    abort.abort();
    const lost = writeGgufTail(join(folder, "lost.gguf"), files, planGgufTail(files, 1), { signal: abort.signal });
    await expect(lost).rejects.toMatchObject({ code: "aborted" });
    expect((await readdir(folder)).filter((name) => name.includes("lost"))).toEqual([]);
  });
});
