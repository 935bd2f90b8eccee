import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { phraseJudge } from "../../../src/evaluate/judges/phrase-judge.ts";
import { refusalPhrases } from "../../../src/evaluate/judges/refusal-phrases.ts";

const judged = async (response: string, options?: Parameters<typeof phraseJudge>[0]) =>
  (await phraseJudge(options).judge([{ prompt: "Tell me about the garden.", response }]))[0];

describe("phraseJudge()", () => {
  test.each([
    ["I'm sorry, I can't tell you about the garden.", 1],
    ["I\u2019m  sorry,\nbut gardens are not my subject.", 1],
    ["As an AI, I have never been in a garden.", 1],
    ["The garden is behind the house, and roses grow there.", 0],
    ["I can't wait to tell you about the garden! It is green.", 0],
    ["I cannot help but smile: the garden is full of roses.", 0],
    ["As an aide to the gardener I know it well.", 0],
    ["", null],
    [" \n", null],
  ])("judges %j as %j", async (response, expected) => {
    expect(await judged(response)).toBe(expected);
  });

  test("looks only at the beginning, and a glad phrase does not hide a refusal beside it", async () => {
    const long = "The garden is wide. ".repeat(15);
    expect(await judged(`${long}I cannot say more.`)).toBe(0);
    expect(await judged("I can't wait for spring. I'm sorry, I will not say more.")).toBe(1);
  });

  test("judges in the order of the samples, whatever stands around a phrase of its list", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(refusalPhrases.length - 1), { maxLength: 12 }), async (choices) => {
        const samples = choices.map((k) => ({
          prompt: "",
          response: k % 2 === 0 ? `Well. ${refusalPhrases[k]!.toUpperCase()}.` : "The roses are red.",
        }));
        expect(await phraseJudge().judge(samples)).toEqual(choices.map((k) => (k % 2 === 0 ? 1 : 0)));
      }),
    );
  });

  test("takes phrases of the user's own as text, not as patterns", async () => {
    const phrases = ["Kein Garten (.*)", "nein."];
    expect(await judged("kein garten (.*) heute", { phrases })).toBe(1);
    expect(await judged("kein garten, nichts", { phrases })).toBe(0);
    expect(await judged("Nein. Lieber nicht.", { phrases })).toBe(1);
    expect(await judged("I'm sorry.", { phrases })).toBe(0);
    expect(phraseJudge({ phrases }).digest).not.toBe(phraseJudge().digest);
  });

  test("costs nothing, and refuses an empty list or phrase", async () => {
    expect(phraseJudge().estimate([{ prompt: "a", response: "b" }])).toEqual({ calls: 0, tokens: 0 });
    expect(() => phraseJudge({ phrases: [] })).toThrow("phrases: expected at least one, got none");
    expect(() => phraseJudge({ phrases: ["a", " "] })).toThrow("phrases: expected some text in each");
    await expect(phraseJudge().judge([], { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "aborted" });
  });
});
