import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readContrastSet } from "../../src/activations/contrast-set.ts";
import { openModel } from "../../src/engine/open.ts";
import type { LayerAddition, OpenModel } from "../../src/engine/open-model.ts";
import { residPost } from "../../src/engine/site.ts";
import { createMatrix } from "../../src/linalg/matrix.ts";
import { seededRandom } from "../../src/linalg/random.ts";
import { demoData, demoModelPath } from "../../src/models/demo-family.ts";
import { checkVectorFits } from "../../src/steer/check-vector-fits.ts";
import { toAdditions } from "../../src/steer/to-additions.ts";
import { subtractVectors } from "../../src/vectors/combine.ts";
import { type Extraction, extractVector } from "../../src/vectors/extract.ts";
import { randomLike } from "../../src/vectors/null-vectors.ts";
import { personaContrast } from "../../src/vectors/persona-contrast.ts";
import { transferVector } from "../../src/vectors/transfer.ts";
import { readVector, writeVector } from "../../src/vectors/vector-file.ts";
import { temporaryFolder } from "../formats/temporary-folder.ts";
import { madeUpIdentity } from "./made-up-vector.ts";
import { cosine } from "./planted-model.ts";

const folder = temporaryFolder();
let model: OpenModel;
let french: Extraction;
const layers = [1, 2];

beforeAll(async () => {
  model = await openModel(demoModelPath("s"), { threads: 1 });
  const pairs = (await readContrastSet(demoData("pairs/french.jsonl"))).slice(0, 40);
  french = await extractVector(model, pairs, { sites: layers.map(residPost), concept: "French" });
});

afterAll(async () => model.close());

/** Mean over items of log P(positive) − log P(negative), nats, and how many items are above their value in `before`. */
async function preference(
  steering: readonly LayerAddition[],
  before?: Float64Array,
): Promise<{ each: Float64Array; up: number }> {
  const items = (await readContrastSet(demoData("items/french.jsonl"))).slice(0, 20);
  const tokenized = [];
  for (const { prompt, positive, negative } of items)
    tokenized.push({
      prompt: await model.tokenize(prompt),
      continuations: [
        await model.tokenize(positive, { addSpecial: false }),
        await model.tokenize(negative, { addSpecial: false }),
      ],
    });
  const sum = (values: Float64Array) => values.reduce((total, value) => total + value, 0);
  const scores = await model.logProbabilities(tokenized, { steering });
  const each = Float64Array.from(scores, ([positive, negative]) => sum(positive!) - sum(negative!));
  return { each, up: each.reduce((count, value, i) => count + (value > (before?.[i] ?? 0) ? 1 : 0), 0) };
}

const meanChange = (a: Float64Array, b: Float64Array) => a.reduce((sum, value, i) => sum + value - b[i]!, 0) / a.length;

describe("a vector extracted from a real model", () => {
  test("separates held-out pairs, and knows a plausible median norm", () => {
    for (const { heldOut, norm, medianNorm } of french.sites) {
      expect(heldOut!.positiveShare).toBe(1);
      expect(heldOut!.auc).toBeGreaterThan(0.99);
      expect(norm).toBeLessThan(medianNorm);
    }
  });

  test("steers the model its way, the other way when reversed, and a random one of the same length does not", async () => {
    const vector = french.vector;
    const steer = (v: typeof vector, strength: number) =>
      preference(toAdditions(v, { strength, unit: "rms", layers: [2] }), base.each);
    const base = await preference([]);
    const [up, down] = [await steer(vector, 0.5), await steer(vector, -0.5)];
    expect(up.up).toBeGreaterThanOrEqual(17);
    expect(down.up).toBeLessThanOrEqual(4); // sentences that are French already have little room
    const effect = meanChange(up.each, base.each);
    expect(effect).toBeGreaterThan(5);
    for (const seed of [1, 2, 3]) {
      const { each } = await steer(randomLike(vector, seed), 0.5);
      expect(Math.abs(meanChange(each, base.each))).toBeLessThan(0.4 * effect);
    }
  });

  test("gives the same logits to the bit after a round trip through a control-vector GGUF and safetensors", async () => {
    const tokens = await model.tokenize("One day, Lily");
    const additions = toAdditions(french.vector, { strength: 2, unit: "raw" });
    const [expected] = await model.logits([tokens], { steering: additions });
    const [plain] = await model.logits([tokens]);
    expect(expected).not.toEqual(plain);
    for (const ending of ["gguf", "safetensors"]) {
      const path = join(folder.path, `french.${ending}`);
      await writeVector(path, french.vector);
      const back = await readVector(path);
      expect(checkVectorFits(back, model.description, await model.sha256())).toEqual([]);
      const [logits] = await model.logits([tokens], { steering: toAdditions(back, { strength: 2, unit: "raw" }) });
      expect(logits).toEqual(expected);
    }
  });

  test("is refused where it would change nothing, and by a model of another width", () => {
    const nothing = subtractVectors(french.vector, french.vector);
    expect(() => toAdditions(nothing, { strength: 1 })).toThrow("a length above 0");
    const larger = { ...model.description, width: model.description.width * 2 };
    expect(() => checkVectorFits(french.vector, larger)).toThrow("width");
  });

  test("comes back from a map and its inverse", async () => {
    const { width } = model.description;
    const source = { model: french.vector.provenance.model!, site: residPost(2), medianNorm: 1 };
    const target = { model: madeUpIdentity(width, "turned"), site: residPost(5), medianNorm: 1 };
    // Swapping dimensions two by two is its own inverse.
    const A = createMatrix(width, width);
    for (let i = 0; i < width; i++) A.data[i * width + (i ^ 1)] = 1;
    const p = Float64Array.from({ length: width }, seededRandom(1).normal);
    const there = transferVector(french.vector, { sources: [source], target, A, p });
    const back = transferVector(there.vector, { sources: [target], target: source, A, p });
    expect(back.vector.directions[0]!.vector).toEqual(french.vector.directions[1]!.vector);
    expect(checkVectorFits(back.vector, model.description, await model.sha256())).toEqual([]);
    expect(back.vector.provenance.source!.vector.source!.maps.target.name).toBe("turned");
  });
});

test("reading sites together or one by one, and texts in any company, gives the same rows", async () => {
  const pairs = (await readContrastSet(demoData("pairs/happy.jsonl"))).slice(0, 6);
  const both = await extractVector(model, pairs, { sites: [residPost(1), residPost(3)] });
  const alone = await extractVector(model, pairs, { sites: [residPost(3)] });
  // Other batches sum in another order: float32 rounding only.
  expect(cosine(both.vector.directions[1]!.vector, alone.vector.directions[0]!.vector)).toBeGreaterThan(1 - 1e-5);
});

test("personaContrast(model, …) gives pairs that extractVector reads at the last token", async () => {
  const { pairs, readAt, parseSpecial } = personaContrast(model, { concept: "happy", versus: "sad" });
  const { vector, sites } = await extractVector(model, pairs.slice(0, 30), {
    sites: [residPost(2)],
    readAt,
    parseSpecial,
  });
  expect(vector.provenance.readAt).toBe("last");
  expect(sites[0]!.norm).toBeGreaterThan(0);
  expect(vector.provenance.pairs).toBe(30);
});
