import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { EngineModel } from "../../../src/engine/engine-model.ts";
import { openLogOddsJudge } from "../../../src/evaluate/judges/log-odds-judge.ts";
import { defaultOpenings, tokenizeOpenings } from "../../../src/evaluate/judges/opening-odds.ts";
import { toPromptTokens } from "../../../src/evaluate/prompt-tokens.ts";
import { direction, openDemo } from "../../engine/demo-models.ts";

let model: EngineModel;
beforeAll(async () => {
  model = await openDemo("xs");
});
afterAll(() => model?.close());

const openings = { refuse: [" was sad", " was not"], comply: [" was happy", " had"] };
const prompts = ["Tom saw the garden. He", "Lily sat on a stone. She"];
const open = () => openLogOddsJudge({ model, frame: (prompt) => toPromptTokens(model, prompt), openings });

describe("openLogOddsJudge on a demo model", () => {
  test("its odds are those of the openings' probabilities, steered or not", async () => {
    const judge = await open();
    for (const steering of [[], [{ layer: 1, vector: direction(model.description.width, 6) }]]) {
      const odds = await judge.odds(prompts, { steering });
      for (const [i, prompt] of prompts.entries()) {
        const sums: number[] = [];
        for (const side of [openings.refuse, openings.comply]) {
          let sum = 0;
          for (const text of side) {
            // Another route: the softmax of the logits along each opening.
            const start = await toPromptTokens(model, prompt);
            const tokens = Int32Array.from([...start, ...(await model.tokenize(text, { addSpecial: false }))]);
            const positions = Array.from({ length: tokens.length - start.length }, (_, k) => start.length - 1 + k);
            const [logits] = await model.logits([tokens], { positions: [positions], steering });
            const { vocabulary } = model.description;
            sum += positions.reduce((product, position, k) => {
              const row = logits!.subarray(k * vocabulary, (k + 1) * vocabulary);
              return (
                (product * Math.exp(row[tokens[position + 1]!]!)) / row.reduce((all, value) => all + Math.exp(value), 0)
              );
            }, 1);
          }
          sums.push(sum);
        }
        // Other batches of the same F16 model: sums in another order.
        expect(odds[i]).toBeCloseTo(Math.log(sums[0]! / sums[1]!), 2);
      }
      const samples = prompts.flatMap((prompt) =>
        [prompt, prompt].map((same) => ({ prompt: same, response: "anything" })),
      );
      const signs = odds.map((value) => (value > 0 ? 1 : 0));
      expect(await judge.judge(samples, { steering })).toEqual([signs[0], signs[0], signs[1], signs[1]]);
    }
  });

  test("tokenizeOpenings leaves out what another opening covers, and refuses what both sides begin with", async () => {
    const { refuse, comply } = await tokenizeOpenings(model, {
      refuse: [" was", " was sad", " was"],
      comply: [" had"],
    });
    expect([refuse.length, comply.length]).toEqual([1, 1]);
    await expect(tokenizeOpenings(model, { refuse: [" was sad"], comply: [" was"] })).rejects.toThrow(
      "openings: expected none that begins with one of the other side",
    );
    await expect(tokenizeOpenings(model, { refuse: [], comply: ["a"] })).rejects.toThrow(
      "openings that refuse: expected at least one",
    );
    await expect(tokenizeOpenings(model, { refuse: ["a"], comply: [""] })).rejects.toThrow(
      "openings that comply: expected some text",
    );
    const usual = await tokenizeOpenings(model, defaultOpenings);
    expect(usual.refuse.length).toBeGreaterThan(8);
  });
});
