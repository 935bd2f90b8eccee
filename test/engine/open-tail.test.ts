import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { EngineModel } from "../../src/engine/engine-model.ts";
import { openModel } from "../../src/engine/open.ts";
import { residPost } from "../../src/engine/site.ts";
import { openTail } from "../../src/engine/tail/open-tail.ts";
import { demoPath, maxDifference, openDemo } from "./demo-models.ts";
import { syntheticModel } from "./synthetic-model.ts";

let folder: string;
let whole: EngineModel;
const path = demoPath("xs");
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "trimtab-open-tail-"));
  whole = await openDemo("xs");
});
afterAll(async () => {
  await whole.close();
  await rm(folder, { recursive: true });
});

describe("openTail(path, { layer })", () => {
  test.each(["memory", "file", "whole"] as const)(
    "gives the whole model's logits and final states by way of %s",
    async (way) => {
      const file = { path: join(folder, "tail.gguf"), isTemporary: true };
      await using tail = await openTail(path, { layer: 1, way, whole, threads: 1, file });
      expect(tail).toMatchObject({ way, layer: 1, proof: { maxDifference: 0, scale: 1 } });
      expect(tail.weightBytes < whole.description.sizeBytes).toBe(true);
      const tokens = await whole.tokenize("A cat sat on the mat.");
      const sites = [residPost(1), residPost(2)];
      for await (const { states } of whole.readStates([tokens], { sites })) {
        const inputs = [{ tokens, rows: states[0]! }];
        const [final] = await tail.states(inputs, [residPost(2)]);
        expect(maxDifference(final![0]!, states[1]!)).toBeLessThan(1e-4);
        const [logits] = await tail.logits(inputs);
        expect(maxDifference(logits!, (await whole.logits([tokens]))[0]!)).toBeLessThan(1e-4);
      }
    },
  );

  test("takes a file that is there again, refuses another under its name, and removes a temporary one", async () => {
    const place = join(folder, "kept.gguf");
    let written = 0;
    const file = { path: place, onWrite: () => void written++ };
    for (let time = 0; time < 2; time++)
      await (await openTail(path, { layer: 0, way: "file", whole, threads: 1, file })).close();
    expect(written).toBe(1);
    await expect(
      openTail(path, { layer: 1, way: "file", whole, threads: 1, file: { path: place } }),
    ).rejects.toMatchObject({ code: "bad-input", message: /another file/ });
    await expect(openTail(path, { layer: 0, way: "file", whole, threads: 1, file: { path } })).rejects.toThrow(
      /the same/,
    );
    await (
      await openTail(path, { layer: 0, way: "file", whole, threads: 1, file: { path: place, isTemporary: true } })
    ).close();
    expect((await readdir(folder)).includes("kept.gguf")).toBe(false);
  });

  test("runs the whole model where a tail cannot be proven, and refuses where the tail was asked for", async () => {
    // √48 is no float: what gemma multiplies again is another number than what was divided.
    const gemma = join(folder, "gemma2.gguf");
    await writeFile(gemma, await syntheticModel("gemma2", { width: 48, blocks: 2 }));
    await using model = await openModel(gemma, { threads: 1 });
    await using tail = await openTail(gemma, { layer: 0, whole: model, threads: 1 });
    expect(tail.way).toBe("whole");
    expect(tail.notes[0]).toMatch(/last blocks from memory: /);
    const asked = openTail(gemma, { layer: 0, way: "memory", whole: model, threads: 1 });
    await expect(asked).rejects.toMatchObject({ code: "unsupported", hint: /whole/ });
  });

  test("is proven at every opening, without the whole model from the second on, and anew when what was kept is damaged", async () => {
    const cache = process.env["TRIMTAB_CACHE"];
    process.env["TRIMTAB_CACHE"] = join(folder, "cache");
    try {
      const open = () => openTail(path, { layer: 1, threads: 1, cache: "f32" });
      const tokens = await whole.tokenize("A dog ran.");
      const inputs = [{ tokens, rows: new Float32Array(tokens.length * 96).fill(0.1) }];
      const logitsOf = async () => {
        await using tail = await open();
        expect(tail).toMatchObject({ way: "memory", proof: { maxDifference: 0 }, notes: [] });
        expect(tail.firstRow?.row.length).toBe(96);
        return [...(await tail.logits(inputs))[0]!];
      };
      const first = await logitsOf();
      const kept = (await readdir(join(folder, "cache", "tails"))).filter((name) => name.endsWith(".safetensors"));
      expect(kept.length).toBe(1);
      expect(await logitsOf()).toEqual(first);
      await writeFile(join(folder, "cache", "tails", kept[0]!), "nonsense");
      expect(await logitsOf()).toEqual(first);
    } finally {
      if (cache === undefined) delete process.env["TRIMTAB_CACHE"];
      else process.env["TRIMTAB_CACHE"] = cache;
    }
  });

  test("refuses layers, rows and sequences that are not the model's", async () => {
    await expect(openTail(path, { layer: 3, whole })).rejects.toThrow(/from 0 to 2/);
    await using tail = await openTail(path, { layer: 1, whole, threads: 1 });
    const tokens = Int32Array.of(1, 2);
    const rows = new Float32Array(2 * 96);
    await expect(tail.logits([{ tokens, rows: rows.subarray(1) }])).rejects.toThrow(/2 states of width 96/);
    await expect(tail.logits([{ tokens, rows: rows.map(() => Number.NaN) }])).rejects.toThrow(/finite/);
    await expect(tail.logits([{ tokens: Int32Array.of(1, 99_999), rows }])).rejects.toThrow(/token ids/);
    await expect(tail.logits([{ tokens, rows }], { positions: [[2]] })).rejects.toThrow(/from 0 to 1/);
    await expect(tail.states([{ tokens, rows }], [residPost(1)])).rejects.toThrow(/beyond the cut/);
  });
});

describe("startStates(sites)", () => {
  test("reads what readStates reads, token by token", async () => {
    const tokens = await whole.tokenize("The dog ran to the park.");
    const sites = [residPost(0), residPost(1)];
    await using sequence = await whole.startStates(sites);
    const head = await sequence.append(tokens.slice(0, 3));
    const parts = [head];
    for (const token of tokens.slice(3)) parts.push(await sequence.append(Int32Array.of(token)));
    expect(sequence.length).toBe(tokens.length);
    for await (const { states } of whole.readStates([tokens], { sites }))
      states.forEach((rows, site) => {
        const joined = Float32Array.from(parts.flatMap((part) => [...part[site]!]));
        // Cached keys are float16, and rows of other batches round differently.
        expect(maxDifference(joined, rows)).toBeLessThan(0.02);
      });
    await expect(whole.startStates([])).rejects.toThrow(/at least one/);
    await sequence.close();
    await expect(sequence.append(tokens)).rejects.toThrow(/closed/);
  });
});
