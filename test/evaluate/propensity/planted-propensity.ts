import type { LayerAddition, OpenModel, RunOptions, ScoredItem } from "../../../src/engine/open-model.ts";
import { residPost } from "../../../src/engine/site.ts";
import type { SteeringVector } from "../../../src/vectors/steering-vector.ts";
import { plantedModel } from "../../activations/planted-model.ts";

/** Width of the planted model's residual stream: a random direction then has 1/8 of its length along a given one, so that 20 of them tell. */
export const width = 64;

/** How strongly item `first token of the prompt` follows it: between 1 and 2 nats a unit. */
export function followingOf(token: number): number {
  return 1 + (token % 10) / 10;
}

/**
 * A model whose answers are a known function of what is added to it: the logit difference of an item is its own constant plus the added
 * first coordinate times the item's own factor, and nothing else of an addition counts.
 */
export function plantedPropensity(): OpenModel & { readonly calls: () => number } {
  let calls = 0;
  const model = plantedModel({ width });
  const logProbabilities = (
    items: readonly ScoredItem[],
    { steering = [] }: RunOptions = {},
  ): Promise<Float64Array[][]> => {
    calls += 1;
    const along = steering.reduce((sum, { vector }: LayerAddition) => sum + vector[0]!, 0);
    return Promise.resolve(
      items.map(({ prompt, continuations }) => {
        const token = prompt.at(-2) ?? 0;
        const difference = ((token * 7) % 13) / 4 - 1.5 + followingOf(token) * along;
        // log softmax over the two answers, all of it in the first token.
        const positive = -Math.log1p(Math.exp(-difference));
        return continuations.map((tokens, side) =>
          Float64Array.from(tokens, (_, t) => (t > 0 ? 0 : side === 0 ? positive : positive - difference)),
        );
      }),
    );
  };
  return { ...model, logProbabilities, calls: () => calls };
}

/** A vector at layer 1, its other coordinates 0, with a median row norm of 1, so that 0.5n adds a length of 0.5. */
export function plantedVector(values: readonly number[]): SteeringVector {
  return {
    directions: [
      { site: residPost(1), vector: Float32Array.from({ length: width }, (_, i) => values[i] ?? 0), medianNorm: 1 },
    ],
    provenance: {
      kind: "native",
      model: undefined,
      modelHint: undefined,
      method: "planted",
      concept: undefined,
      pairs: undefined,
      readAt: undefined,
      seed: undefined,
      trimtab: "",
    },
  };
}
