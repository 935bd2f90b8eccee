import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { EngineModel } from "../../src/engine/engine-model.ts";
import { openDemo } from "./demo-models.ts";

let model: EngineModel;
beforeAll(async () => {
  model = await openDemo("s");
});
afterAll(() => model.close());

describe("text and token ids", () => {
  test("detokenize(tokenize(text)) is the text, whatever its characters", async () => {
    const texts = [
      "Once upon a time, there was a little girl named Anna.",
      " leading and trailing ",
      "Il était une fois… une forêt — œuvre, ça, naïve",
      "tabs\tand\nnew lines\n\n",
      "emoji 🦊🌲 and 漢字",
      "",
    ];
    for (const text of texts)
      expect(await model.detokenize(await model.tokenize(text, { addSpecial: false }))).toBe(text);
  });

  test("tokenize(text) starts with BOS, and without addSpecial it does not", async () => {
    const { bos } = model.description.tokenizer;
    expect((await model.tokenize("Hello"))[0]).toBe(bos);
    expect((await model.tokenize("Hello", { addSpecial: false }))[0]).not.toBe(bos);
  });

  test("tokenize(text, { parseSpecial }) reads <|endoftext|> as one id, and as plain text otherwise", async () => {
    const { eos } = model.description.tokenizer;
    const text = "<|endoftext|>";
    expect([...(await model.tokenize(text, { addSpecial: false, parseSpecial: true }))]).toEqual([eos]);
    const plain = await model.tokenize(text, { addSpecial: false });
    expect(plain.length).toBeGreaterThan(1);
    expect(await model.detokenize(plain)).toBe(text);
    expect(await model.detokenize(Int32Array.of(eos!), { special: true })).toBe(text);
    expect(await model.detokenize(Int32Array.of(eos!))).toBe("");
    expect((await model.specialTokens()).has(eos!)).toBe(true);
  });

  test("a token id outside the vocabulary is refused before the engine sees it", async () => {
    const bad = Int32Array.of(0, model.description.vocabulary);
    await expect(model.logits([bad])).rejects.toMatchObject({ code: "bad-input" });
    await expect(model.detokenize(bad)).rejects.toMatchObject({ code: "bad-input" });
    await expect(model.logits([Int32Array.of(-1)])).rejects.toMatchObject({ code: "bad-input" });
  });

  test("a sequence longer than the context, or empty, is refused", async () => {
    const long = new Int32Array(model.context + 1);
    await expect(model.logits([long])).rejects.toThrow(`at most ${model.context} tokens`);
    await expect(model.logits([new Int32Array(0)])).rejects.toThrow("at least one token");
    await expect(model.generateMany([new Int32Array(model.context)])).rejects.toThrow(`${model.context - 1} tokens`);
  });

  test("chatPrompt() without a template says so", () => {
    expect(() => model.chatPrompt([{ role: "user", content: "Hi" }])).toThrow("chat template");
  });

  test("a closed model refuses calls", async () => {
    const other = await openDemo("s");
    await other.close();
    await expect(other.tokenize("x")).rejects.toMatchObject({ code: "usage" });
    await other.close();
  });
});
