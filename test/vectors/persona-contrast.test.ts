import { describe, expect, test } from "vitest";
import { personaContrast } from "../../src/vectors/persona-contrast.ts";
import { parseProvenance } from "../../src/vectors/provenance.ts";
import { sentenceOpenings } from "../../src/vectors/sentence-openings.ts";
import { plantedModel } from "./planted-model.ts";

describe("personaContrast(model, {concept, versus})", () => {
  const bare = plantedModel(new Float64Array(4));
  const chatting = {
    description: { ...bare.description, chatTemplate: "template" },
    chatPrompt: (messages: readonly { role: string; content: string }[]) =>
      `<|user|>${messages.map(({ content }) => content).join()}<|assistant|>`,
  };

  test("writes every opening twice, through the chat template where there is one", () => {
    const { pairs, readAt, parseSpecial } = personaContrast(chatting, { concept: "happy", versus: "sad" });
    expect(pairs).toHaveLength(2 * sentenceOpenings.length);
    expect(pairs[0]).toEqual({
      prompt: "",
      positive: "<|user|>Act as if you are happy.<|assistant|>Today I",
      negative: "<|user|>Act as if you are sad.<|assistant|>Today I",
    });
    expect([readAt, parseSpecial]).toEqual(["last", true]);
  });

  test("writes plain text for a model without one, and both sides end in the opening", () => {
    const { pairs, parseSpecial } = personaContrast(bare, { concept: "happy", versus: "sad", openings: ["Well,"] });
    expect(pairs.map(({ positive }) => positive)).toEqual([
      'The speaker is happy. The speaker says: "Well,',
      "The speaker is happy. These are the speaker's words: \"Well,",
    ]);
    expect(pairs.every(({ negative }) => negative.includes("sad") && negative.endsWith("Well,"))).toBe(true);
    expect(parseSpecial).toBe(false);
  });

  test("refuses empty or equal descriptions, and empty openings", () => {
    expect(() => personaContrast(bare, { concept: " ", versus: "sad" })).toThrow("two descriptions");
    expect(() => personaContrast(bare, { concept: "sad", versus: "sad " })).toThrow("two different");
    expect(() => personaContrast(bare, { concept: "a", versus: "b", openings: ["x", ""] })).toThrow("some text");
  });

  test("has at least 60 openings, none twice", () => {
    expect(new Set(sentenceOpenings).size).toBe(sentenceOpenings.length);
    expect(sentenceOpenings.length).toBeGreaterThanOrEqual(60);
  });
});

test("parseProvenance refuses deep nesting without overflowing the stack", () => {
  const deep = "[".repeat(100_000) + "]".repeat(100_000);
  for (const text of [deep, `{"kind":${deep}}`, `{"kind":"native","model":${deep}}`])
    expect(() => parseProvenance(text, "file")).toThrow(expect.objectContaining({ code: "bad-input" }));
});
