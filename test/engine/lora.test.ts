import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { checkAdapter } from "../../src/engine/adapter.ts";
import { openModel } from "../../src/engine/open.ts";
import { TrimtabError } from "../../src/errors.ts";
import { formatGguf } from "../../src/formats/format-gguf.ts";
import { type GgufHeader, readGgufHeader } from "../../src/formats/gguf.ts";
import { readGgufTensor } from "../../src/formats/gguf-tensor.ts";
import type { GgufValue } from "../../src/formats/gguf-value.ts";
import { seededRandom } from "../../src/linalg/random.ts";

// All weights in F32: beside an F16 weight the engine rounds what it multiplies to F16, and adapter and merged weight would differ by that.
const base = "test/fixtures/trimtab-stories-xs-f32.gguf";
const tokens = Int32Array.of(3071, 640, 1204, 77, 2001, 15);

let folder: string;
let model: GgufHeader;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "trimtab-lora-"));
  model = await readGgufHeader(base);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

const text = (value: string): GgufValue => ({ type: "string", value });

interface Pair {
  readonly name: string;
  /** `[rank, in]` and `[out, rank]`, row-major. */
  readonly a: Float32Array;
  readonly b: Float32Array;
  readonly rank: number;
}

const keys = (alpha: number): [string, GgufValue][] => [
  ["general.type", text("adapter")],
  ["general.architecture", text("llama")],
  ["adapter.type", text("lora")],
  ["adapter.lora.alpha", { type: "f32", value: alpha }],
];

function toAdapter(pairs: readonly Pair[], alpha: number, metadata = new Map(keys(alpha))): Uint8Array {
  const tensors = pairs.flatMap(({ name, a, b, rank }) => [
    { name: `${name}.lora_a`, dims: [a.length / rank, rank], data: a },
    { name: `${name}.lora_b`, dims: [rank, b.length / rank], data: b },
  ]);
  return formatGguf({ metadata, tensors });
}

async function save(name: string, bytes: Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, bytes);
  return path;
}

/** A random pair of the shape of a weight, large enough to move logits by their own size. */
function drawPair(name: string, rank: number, seed: number): Pair {
  const random = seededRandom(seed);
  const { dims } = model.tensors.find((tensor) => tensor.name === name)!;
  const draw = (length: number) => Float32Array.from({ length }, () => 0.3 * random.normal());
  return { name, rank, a: draw(rank * dims[0]!), b: draw(dims[1]! * rank) };
}

/** The model with W + factor · B A written into its file, added up here. */
async function merge(changes: readonly { readonly pair: Pair; readonly factor: number }[]): Promise<Uint8Array> {
  const tensors = [];
  for (const { name, dims } of model.tensors) {
    const data = await readGgufTensor(base, model, name);
    for (const { pair, factor } of changes) {
      if (pair.name !== name) continue;
      const wide = dims[0]!;
      for (let i = 0; i < dims[1]!; i++)
        for (let j = 0; j < wide; j++) {
          let sum = 0;
          for (let r = 0; r < pair.rank; r++) sum += pair.b[i * pair.rank + r]! * pair.a[r * wide + j]!;
          data[i * wide + j]! += factor * sum;
        }
    }
    tensors.push({ name, dims, data });
  }
  return formatGguf({ metadata: model.metadata, tensors });
}

async function logitsOf(path: string, lora: readonly { path: string; scale?: number }[] = []): Promise<Float32Array> {
  await using open = await openModel(path, { threads: 1, cache: "f32", lora });
  return (await open.logits([tokens]))[0]!;
}

const distance = (a: Float32Array, b: Float32Array) => Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));

describe("openModel(path, { lora }) opens a model with adapters", () => {
  test("as if W + scale · alpha / rank · B A stood in the file, at every matrix, several adapters adding up", async () => {
    const [q, down, up] = [
      drawPair("blk.0.attn_q.weight", 1, 1),
      drawPair("blk.2.ffn_down.weight", 1, 2),
      drawPair("blk.1.ffn_up.weight", 3, 3),
    ] as const;
    const one = await save("one.gguf", toAdapter([q, down], 2));
    // Without alpha the product is taken as it is.
    const other = await save("other.gguf", toAdapter([up], 0, new Map(keys(0).slice(0, 3))));
    const merged = await merge([
      { pair: q, factor: (0.5 * 2) / 1 },
      { pair: down, factor: (0.5 * 2) / 1 },
      { pair: up, factor: -1 },
    ]);
    const expected = await logitsOf(await save("merged.gguf", merged));
    const got = await logitsOf(base, [
      { path: one, scale: 0.5 },
      { path: other, scale: -1 },
    ]);
    expect(distance(await logitsOf(base), expected)).toBeGreaterThan(1);
    // Sums in float32 in another order, through three blocks of logits about 10 in size.
    expect(distance(got, expected)).toBeLessThan(2e-4);
  });

  test("in the tapped context and in batches too", async () => {
    const path = await save("tapped.gguf", toAdapter([drawPair("blk.0.attn_v.weight", 2, 5)], 4));
    await using open = await openModel(base, { threads: 1, cache: "f32", lora: [{ path }] });
    const zero = { layer: 1, point: "resid_post" } as const;
    const plain = (await open.logits([tokens]))[0]!;
    const edits = [{ kind: "add", site: zero, vector: new Float32Array(96) }] as const;
    const tapped = (await open.logits([tokens], { edits }))[0]!;
    // The same sums through other graphs.
    expect(distance(plain, tapped)).toBeLessThan(1e-4);
    const [generation] = await open.generateMany([tokens], { maxTokens: 3, temperature: 0 });
    const best = plain.indexOf(Math.max(...plain));
    expect(generation!.tokens[0] ?? -1).toBe(best);
    await using batch = await open.openBatch({ slots: 1 });
    const written: number[] = [];
    for await (const { token } of batch.generate(tokens, { maxTokens: 3, temperature: 0 }))
      if (token >= 0) written.push(token);
    expect(written).toEqual([...generation!.tokens]);
  });

  test("says so in its description, and is another model than without them by its digest", async () => {
    // The file of the test before: one that was opened once is not tried in a process of its own again.
    const path = join(folder, "tapped.gguf");
    await using plain = await openModel(base, { threads: 1 });
    await using once = await openModel(base, { threads: 1, lora: [{ path }] });
    await using twice = await openModel(base, { threads: 1, lora: [{ path, scale: 2 }] });
    expect(once.description.adapters).toMatchObject([{ path, scale: 1, alpha: 4, rank: 2, tensors: 1 }]);
    expect(once.description.name).toBe(`${plain.description.name} + ${path}`);
    expect(plain.description.adapters).toBeUndefined();
    expect(new Set([await plain.sha256(), await once.sha256(), await twice.sha256()]).size).toBe(3);
  });
});

describe("checkAdapter(choice, headers) refuses, before the engine sees it,", () => {
  const refuse = async (bytes: Uint8Array, scale?: number) => {
    const path = await save("bad.gguf", bytes);
    return checkAdapter({ path, ...(scale !== undefined && { scale }) }, [model]);
  };
  const pair = (): Pair => drawPair("blk.0.attn_q.weight", 2, 11);
  const withKey = (key: string, value: GgufValue | undefined) => {
    const metadata = new Map(keys(4));
    if (value) metadata.set(key, value);
    else metadata.delete(key);
    return toAdapter([pair()], 4, metadata);
  };

  test.each([
    ["a file that says no type", () => withKey("general.type", undefined), "bad-input", /adapter/],
    [
      "another architecture",
      () => withKey("general.architecture", text("gemma2")),
      "incompatible",
      /"llama".*"gemma2"/,
    ],
    ["another kind of adapter", () => withKey("adapter.type", text("ia3")), "unsupported", /"lora", got "ia3"/],
    // The engine ends the process for these two.
    [
      "alpha as a whole number",
      () => withKey("adapter.lora.alpha", { type: "u32", value: 4 }),
      "bad-input",
      /f32, got u32/,
    ],
    [
      "a type that is no string",
      () => withKey("general.type", { type: "u32", value: 4 }),
      "bad-input",
      /string, got u32/,
    ],
    [
      "alpha that is no number",
      () => withKey("adapter.lora.alpha", { type: "f32", value: Number.NaN }),
      "bad-input",
      /NaN/,
    ],
    [
      "words that switch it on",
      () => withKey("adapter.alora.invocation_tokens", { type: "array", of: "u32", value: [1] }),
      "unsupported",
      /aLoRA/,
    ],
    [
      "weights of another model",
      () => toAdapter([{ ...pair(), name: "blk.7.attn_q.weight" }], 4),
      "incompatible",
      /blk\.7/,
    ],
    [
      "weights of another shape",
      () => toAdapter([{ ...pair(), name: "blk.0.ffn_down.weight" }], 4),
      "incompatible",
      /256/,
    ],
    [
      "numbers that are not finite",
      () => toAdapter([{ ...pair(), b: pair().b.fill(Number.NaN, 3, 4) }], 4),
      "bad-input",
      /NaN/,
    ],
    ["no tensors", () => toAdapter([], 4), "bad-input", /at least one pair/],
    [
      "the embedding where it is the output head too",
      () => {
        const [rank, vocabulary, width] = [2, 3072, 96];
        const tensors = [
          { name: "token_embd.weight.lora_a", dims: [rank, vocabulary], data: new Float32Array(rank * vocabulary) },
          { name: "token_embd.weight.lora_b", dims: [rank, width], data: new Float32Array(rank * width) },
        ];
        return formatGguf({ metadata: new Map(keys(4)), tensors });
      },
      "unsupported",
      /shares it/,
    ],
    [
      "half a pair",
      () =>
        formatGguf({
          metadata: new Map(keys(4)),
          tensors: [{ name: "blk.0.attn_q.weight.lora_a", dims: [96, 1], data: new Float32Array(96) }],
        }),
      "bad-input",
      /only lora_a/,
    ],
    [
      "gains of a norm",
      () =>
        formatGguf({
          metadata: new Map(keys(4)),
          tensors: [{ name: "blk.0.attn_norm.weight", dims: [96], data: new Float32Array(96) }],
        }),
      "unsupported",
      /norm/,
    ],
    ["a file cut short", () => toAdapter([pair()], 4).slice(0, -40), "bad-input", /missing/],
  ] as const)("%s", async (_, make, code, message) => {
    const error = await refuse(make()).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(TrimtabError);
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
  });

  test("a model in its place, a scale of 0, and one file given twice", async () => {
    await expect(checkAdapter({ path: base }, [model])).rejects.toMatchObject({ code: "bad-input" });
    await expect(refuse(toAdapter([pair()], 4), 0)).rejects.toThrow(/other than 0/);
    const path = await save("twice.gguf", toAdapter([pair()], 4));
    await expect(openModel(base, { lora: [{ path }, { path }] })).rejects.toThrow(/each file once/);
  });

  test("or takes, and never with another error, a file with bytes changed at random", async () => {
    const whole = toAdapter([pair()], 4);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat({ max: 500 }), fc.nat({ max: 255 })), { minLength: 1, maxLength: 4 }),
        async (changes) => {
          const bytes = whole.slice();
          for (const [at, value] of changes) bytes[at] = value;
          const outcome = await refuse(bytes).catch((error: unknown) => error);
          if (outcome instanceof Error) expect(outcome).toBeInstanceOf(TrimtabError);
        },
      ),
      { numRuns: 100 },
    );
  });
});
