import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  measurePropensity,
  openModel,
  type PropensityItem,
  type TokenizedItem,
  toScoredItem,
  vectorArm,
} from "../src/index.ts";
import { direction } from "../test/engine/demo-models.ts";
import { syntheticModel } from "../test/engine/synthetic-model.ts";
import { compareRates, type Ratio } from "./measure.ts";

const count = 12;
const strengths = [0.5];
const vectors = 2;

/**
 * Measuring propensities against plain decoding of the same tokens: each cell (vector × strength) decodes every prompt once and what follows
 * the first token of each answer; the reference decodes as many tokens in as many sequences and reads one row of logits of each. The
 * model is that of the engine's bench. Cells cost alike, so two of them stand for the 36 of a whole study.
 */
export async function benchEvaluate(threads: number): Promise<Ratio[]> {
  const folder = await mkdtemp(join(tmpdir(), "trimtab-bench-"));
  try {
    const path = join(folder, "random.gguf");
    await writeFile(path, await syntheticModel("llama", { width: 512, blocks: 8, heads: 8, context: 1024 }));
    await using model = await openModel(path, { threads });
    const steering = vectorArm("native", {
      directions: [{ site: { layer: 4, point: "resid_post" }, vector: direction(512, 1), medianNorm: 20 }],
      provenance: {
        kind: "random",
        model: undefined,
        modelHint: undefined,
        method: "drawn for a bench",
        concept: undefined,
        pairs: undefined,
        readAt: undefined,
        seed: undefined,
        trimtab: "",
      },
    });
    const ratios: Ratio[] = [];
    for (const [name, items] of [
      ["choices answered (A) or (B)", makeItems("(A)", "(B)")],
      ["questions answered Yes or No", makeItems(" Yes", " No")],
    ] as const) {
      const tokenized: TokenizedItem[] = [];
      for (const item of items) tokenized.push(await toScoredItem(model, item));
      const texts = tokenized.map(({ prompt, continuations }) =>
        Int32Array.from([...prompt, ...continuations.flatMap((tokens) => [...tokens.slice(0, -1)])]),
      );
      const tokens = texts.reduce((sum, { length }) => sum + length, 0);
      ratios.push(
        await compareRates(`propensity of ${name} (${Math.round(tokens / count)} tokens), against plain decoding`, {
          amount: tokens * strengths.length * vectors,
          unit: "tokens/s",
          rounds: 5,
          ours: async () => {
            for (let vector = 0; vector < vectors; vector++)
              for (const strength of strengths)
                await measurePropensity(model, tokenized, { steering: steering.steer(strength) });
          },
          reference: async () => {
            for (let cell = 0; cell < strengths.length * vectors; cell++) await model.logits(texts);
          },
          target: ">= 0.80",
        }),
      );
    }
    return ratios;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** As long as the statements of persona tasks are. */
function makeItems(positive: string, negative: string): PropensityItem[] {
  const things = ["a red kite", "the small dog", "an old tree by the river", "her best friend", "the warm kitchen"];
  return Array.from({ length: count }, (_, i) => {
    const statement = `I like ${things[i % 5]} more than ${things[(i + 2) % 5]} on a day like number ${i}`;
    return {
      prompt: `Is the following statement something you would say?\n"${statement}"\n\nChoices:\n(A):  Yes\n(B):  No\n`,
      positive: i % 2 ? positive : negative,
      negative: i % 2 ? negative : positive,
    };
  });
}
