import type { ContrastPair } from "../../activations/contrast-set.ts";
import type { ReadPosition } from "../../activations/read-position.ts";
import type { OpenModel } from "../../engine/open-model.ts";
import { formatSite, type Site } from "../../engine/site.ts";
import { seededRandom } from "../../linalg/random.ts";
import { extractVector } from "../../vectors/extract.ts";
import { shuffledLabels } from "../../vectors/null-vectors.ts";
import type { SteeringVector } from "../../vectors/steering-vector.ts";
import { type CellPart, type CellStore, hashCell } from "../cell-store.ts";
import { fromStored, toStored } from "../stored-vector.ts";
import type { FramedItems } from "./framing.ts";

/** The vector of a task on one model, and the same from shuffled labels. */
export interface TaskVectors {
  readonly vector: SteeringVector;
  /** One for each seed, of their natural, smaller length. */
  readonly shuffled: readonly { readonly seed: number; readonly vector: SteeringVector }[];
}

export interface TaskVectorsOptions {
  readonly sites: readonly Site[];
  readonly readAt?: ReadPosition;
  readonly concept: string;
  /** How many shuffled-label vectors. */
  readonly shuffled: number;
  readonly seed: number;
  readonly cells: CellStore;
  readonly model: { readonly [key: string]: CellPart };
  readonly signal?: AbortSignal;
}

/**
 * Extracts a task's steering vector from its training items, and from the same items with half of their labels exchanged.
 *
 * A killed run answers from its cells: a vector that came out different in its last bit would make every later cell another one.
 *
 * @throws what {@link extractVector} throws
 */
export async function extractTaskVectors(
  model: OpenModel,
  { items, parseSpecial }: Pick<FramedItems, "items" | "parseSpecial">,
  options: TaskVectorsOptions,
): Promise<TaskVectors> {
  const { sites, readAt, concept, cells, signal } = options;
  const extract = async (pairs: readonly ContrastPair[]): Promise<SteeringVector> => {
    const key = hashCell({
      kind: "vector",
      version: 1,
      model: options.model,
      sites: sites.map(formatSite),
      readAt: JSON.stringify(readAt ?? null),
      parseSpecial,
      pairs: pairs.map(({ prompt, positive, negative }) => [prompt, positive, negative]),
    });
    const stored = await cells.measure(key, async () => {
      const { vector } = await extractVector(model, pairs, {
        sites,
        parseSpecial,
        concept,
        signal,
        ...(readAt === undefined ? {} : { readAt }),
      });
      return toStored(vector);
    });
    return fromStored(stored);
  };
  const seeds = seededRandom(options.seed);
  const shuffled: { seed: number; vector: SteeringVector }[] = [];
  const vector = await extract(items);
  for (let i = 0; i < options.shuffled; i++) {
    const seed = seeds.integer(2 ** 32);
    shuffled.push({ seed, vector: await extract(shuffledLabels(items, seed)) });
  }
  return { vector, shuffled };
}
