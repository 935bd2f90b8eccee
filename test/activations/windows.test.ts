import fc from "fast-check";
import { expect, test } from "vitest";
import { toCorpus } from "../../src/activations/corpus.ts";
import { checkSameTokenizer, type TokenWindow, toWindows } from "../../src/activations/windows.ts";
import { bos, plantedModel } from "./planted-model.ts";

async function windowsOf(texts: readonly string[], context: number, addsBos = true): Promise<TokenWindow[]> {
  const windows: TokenWindow[] = [];
  for await (const window of toWindows(plantedModel({ addsBos }), toCorpus("c", texts).documents(), { context }))
    windows.push(window);
  return windows;
}

test("toWindows(model, documents, {context}) starts every window with BOS and joins no documents", async () => {
  const windows = await windowsOf(["abcdefg", "xy"], 4);
  const text = (...codes: string[]): number[] => codes.map((c) => c.charCodeAt(0));
  expect(windows.map(({ tokens }) => [...tokens])).toEqual([
    [bos, ...text("a", "b", "c")],
    [bos, ...text("d", "e", "f")],
    [bos, ...text("g")],
    [bos, ...text("x", "y")],
  ]);
  expect(windows.map(({ index, document }) => [index, document.index])).toEqual([
    [0, 0],
    [1, 0],
    [2, 0],
    [3, 1],
  ]);
});

test("toWindows drops pieces that would give no row when the model adds no BOS", async () => {
  expect((await windowsOf(["abcde"], 2, false)).map(({ tokens }) => tokens.length)).toEqual([2, 2]);
});

test("toWindows keeps every token of a document, in order, in windows of at most the context", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ minLength: 1, maxLength: 50 }), { maxLength: 4 }),
      fc.integer({ min: 2, max: 20 }),
      async (texts, context) => {
        const windows = await windowsOf(texts, context);
        for (const { tokens } of windows) expect(tokens.length).toBeLessThanOrEqual(context);
        const kept = windows.flatMap(({ tokens }) => [...tokens.subarray(1)]);
        expect(kept).toEqual(texts.filter((t) => t.trim() !== "").flatMap((t) => [...Buffer.from(t)]));
      },
    ),
    { numRuns: 50 },
  );
});

test("toWindows refuses a context that the model was not opened for", async () => {
  for (const context of [1, 65, 2.5])
    await expect(windowsOf(["ab"], context)).rejects.toThrow(
      `context: expected an integer from 2 to 64, the context of planted, got ${context}`,
    );
});

test("checkSameTokenizer(source, target) refuses different tokenizers and names both models", () => {
  const [a, b] = [plantedModel({ name: "small" }), plantedModel({ name: "large", fingerprint: "other" })];
  expect(() => checkSameTokenizer(a.description, b.description)).toThrow(/small.*large/);
  expect(() => checkSameTokenizer(a.description, b.description)).toThrow(
    expect.objectContaining({ code: "incompatible" }),
  );
  const c = plantedModel({ name: "bare", addsBos: false });
  expect(() => checkSameTokenizer(a.description, c.description)).toThrow(/BOS added by small only/);
  expect(checkSameTokenizer(a.description, plantedModel().description)).toBeUndefined();
});
