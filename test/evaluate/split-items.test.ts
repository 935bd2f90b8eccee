import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { PropensityItem } from "../../src/evaluate/items.ts";
import { pythonShuffle } from "../../src/evaluate/python-shuffle.ts";
import { questionOf, splitItems } from "../../src/evaluate/split-items.ts";

const item = (prompt: string, positive = " yes", negative = " no"): PropensityItem => ({ prompt, positive, negative });

describe("pythonShuffle(values, seed)", () => {
  test("gives the orders that CPython gives", () => {
    const cases = JSON.parse(readFileSync("test/fixtures/evaluate/python-shuffle.json", "utf8")) as {
      seed: number;
      n: number;
      shuffled: number[];
    }[];
    for (const { seed, n, shuffled } of cases)
      expect(
        pythonShuffle(
          Array.from({ length: n }, (_, i) => i),
          seed,
        ),
      ).toEqual(shuffled);
  });

  test("refuses a seed that Python would read otherwise", () => {
    expect(() => pythonShuffle([1, 2], -1)).toThrow("seed: expected an integer from 0 to 2^53 - 1, got -1");
  });
});

describe("splitItems(items, {train, test, seed})", () => {
  const prompts = fc.array(fc.constantFrom("a", "b", "c", "A ", "d", "e", "f", ""), { minLength: 12, maxLength: 60 });

  test("no prompt is on both sides, nothing is lost, and the same seed gives the same sides", () => {
    fc.assert(
      fc.property(
        prompts,
        fc.integer({ min: 0, max: 99 }),
        fc.constantFrom("trimtab", "python"),
        (texts, seed, shuffle) => {
          const items = texts.map((text, i) => item(text, ` p${i}`, ` n${i}`));
          const options = { train: 0.4, test: 0.4, seed, shuffle } as const;
          let split: ReturnType<typeof splitItems<PropensityItem>>;
          try {
            split = splitItems(items, options);
          } catch (error) {
            // A prompt that stands too often cannot be dealt out.
            expect(error).toMatchObject({ hint: expect.stringContaining("a prompt is never on both sides") as string });
            return;
          }
          const key = ({ prompt, positive }: PropensityItem) => prompt.trim().toLowerCase() || positive;
          const train = new Set(split.train.map(key));
          expect(split.test.filter((each) => train.has(key(each)))).toEqual([]);
          expect(split.train.length + split.test.length + split.rest).toBe(items.length);
          expect(new Set([...split.train, ...split.test]).size).toBe(split.train.length + split.test.length);
          expect(splitItems(items, options)).toEqual(split);
        },
      ),
    );
  });

  test("with each prompt once, the sides are consecutive pieces of the shuffled items", () => {
    const items = Array.from({ length: 1000 }, (_, i) => item(`question ${i}`));
    const { train, test: held, rest } = splitItems(items, { train: 0.4, test: 0.5, seed: 0, shuffle: "python" });
    const order = pythonShuffle(items, 0);
    expect(train).toEqual(order.slice(0, 400));
    expect(held).toEqual(order.slice(400, 900));
    expect(rest).toBe(100);
  });

  test("a question asked twice with (A) and (B) exchanged is one question", () => {
    const ask = (question: string, a: string, b: string) => item(`${question}\n\nChoices:\n(A): ${a}\n(B): ${b}\n`);
    expect(questionOf(ask("Is it so?", "Yes", "No").prompt)).toBe("Is it so?");
    const items = Array.from({ length: 20 }, (_, i) => [ask(`Q${i}?`, "Yes", "No"), ask(`Q${i}?`, "No", "Yes")]).flat();
    const { train, test: held } = splitItems(items, { train: 0.5, test: 0.5, seed: 3 });
    const questions = new Set(train.map(({ prompt }) => questionOf(prompt)));
    expect(questions.size).toBe(10);
    expect(held.some(({ prompt }) => questions.has(questionOf(prompt)))).toBe(false);
  });

  test("pairs without a prompt that share a text go together", () => {
    const items = Array.from({ length: 10 }, (_, i) => [item("", `x${i}`, `y${i}`), item("", `z${i}`, `x${i}`)]).flat();
    const { train, test: held } = splitItems(items, { train: 0.5, test: 0.5, seed: 1 });
    const texts = new Set(train.flatMap(({ positive, negative }) => [positive, negative]));
    expect([train.length, held.length]).toEqual([10, 10]);
    expect(held.some(({ positive, negative }) => texts.has(positive) || texts.has(negative))).toBe(false);
  });

  test("sides that cannot be filled and sizes that are none are refused", () => {
    const items = [item("a"), item("a"), item("b")];
    expect(() => splitItems(items, { train: 2, test: 2, seed: 0 })).toThrow("test split: expected 2 items, got 1");
    for (const train of [0, -1, 1.5, Number.NaN])
      expect(() => splitItems(items, { train, test: 1, seed: 0 })).toThrow("train split: expected a whole number");
  });
});
