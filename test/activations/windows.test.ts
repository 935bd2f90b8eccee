import fc from "fast-check";
import { expect, test } from "vitest";
import { type CorpusDocument, toCorpus } from "../../src/activations/corpus.ts";
import {
  checkSameTokenizer,
  groupWindows,
  resolveContext,
  type TokenWindow,
  toWindows,
  unitTokens,
} from "../../src/activations/windows.ts";
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

test("toWindows and resolveContext refuse a context beyond the one that the model was trained with", async () => {
  const planted = plantedModel({ name: "short" });
  const short = { ...planted, description: { ...planted.description, trainedContext: 32 } };
  const documents = toCorpus("c", ["ab"]).documents();
  const message = "context: expected an integer from 2 to 32, the context that short was trained with, got 33";
  await expect(toWindows(short, documents, { context: 33 }).next()).rejects.toMatchObject({
    code: "bad-input",
    message,
    hint: expect.stringMatching(/never learned/),
  });
  expect(() => resolveContext(33, [plantedModel(), short])).toThrow(message);
  expect([resolveContext(undefined, [plantedModel(), short]), resolveContext(20, [short])]).toEqual([32, 20]);
  const silent = { ...short, description: { ...short.description, trainedContext: 0 } };
  expect(resolveContext(undefined, [silent])).toBe(64); // the file does not say: what it was opened for
});

test("toWindows closes a unit when the next window would take it above 8192 tokens, and a group after 8 windows or a document", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 20, max: 64 }),
      async (lengths, context) => {
        const windows = await windowsOf(
          lengths.map((length) => "x".repeat(length)),
          context,
        );
        const sizes = new Map<number, number>();
        let run = 0; // windows of the group so far
        for (const [at, { unit, group, document, tokens, endsDocument }] of windows.entries()) {
          const [before, next] = [windows[at - 1], windows[at + 1]];
          const size = sizes.get(unit) ?? 0;
          sizes.set(unit, size + tokens.length);
          if (!before) {
            expect([unit, group]).toEqual([0, 0]);
            run = 1;
            continue;
          }
          const full = (sizes.get(before.unit) ?? 0) + (before.unit === unit ? 0 : tokens.length);
          expect(unit - before.unit).toBe(before.unit !== unit ? 1 : 0);
          if (before.unit === unit) expect(full).toBeLessThanOrEqual(unitTokens);
          else expect(full).toBeGreaterThan(unitTokens);
          const isNew = before.document !== document || run === groupWindows;
          run = isNew ? 1 : run + 1;
          expect(group - before.group).toBe(isNew ? 1 : 0);
          expect(endsDocument).toBe(next?.document !== document);
        }
      },
    ),
    { numRuns: 30 },
  );
});

test("toWindows tokenises ahead of its caller, within a bound, and gives the windows before a failure first", async () => {
  let asked = 0;
  const model = plantedModel();
  const counting = {
    ...model,
    tokenize: (text: string) => {
      asked++;
      return model.tokenize(text);
    },
  };
  async function* documents(count: number): AsyncGenerator<CorpusDocument> {
    for (let index = 0; index < count; index++) yield { index, text: "x".repeat(1000), source: "s", fraction: 0 };
    throw new Error("disk broke");
  }
  const endless = toWindows(counting, documents(1e6), { context: 64 });
  await endless.next();
  expect(asked).toBe(66); // 65 of 1000 characters stay below 2¹⁶, one more reaches it
  await endless.return();
  const failing = toWindows(counting, documents(3), { context: 64 });
  let windows = 0;
  await expect(
    (async () => {
      for await (const _ of failing) windows++;
    })(),
  ).rejects.toThrow("disk broke");
  expect(windows).toBe(3 * 16); // 1000 tokens in windows of 63 and BOS
  const mute = { ...model, tokenize: () => Promise.reject(new Error("engine broke")) };
  await expect(toWindows(mute, documents(3), { context: 64 }).next()).rejects.toThrow("engine broke");
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
