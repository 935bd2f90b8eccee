import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Corpus, toCorpus } from "../../src/activations/corpus.ts";
import { parseRowSelection } from "../../src/activations/row-selection.ts";
import type { OpenModel } from "../../src/engine/open-model.ts";
import { seededRandom } from "../../src/linalg/random.ts";
import type { CollectOptions } from "../../src/maps/collect/collect-moments.ts";
import type { Collection } from "../../src/maps/collect/collection.ts";
import { writeCollection } from "../../src/maps/collect/collection-file.ts";
import type { JointMoments } from "../../src/maps/joint-moments.ts";
import { plantedModel } from "../activations/planted-model.ts";
import { distance } from "../linalg/fixture.ts";

export const dSource = 3;
export const dTarget = 4;

/** States that depend on token, position and layer, far from zero mean, as hidden states are. */
function state(width: number): (token: number, position: number, layer: number) => number[] {
  const known = new Map<number, number[]>();
  return (token, position, layer) => {
    const key = (token * 64 + position) * 4 + layer;
    const found = known.get(key);
    if (found) return found;
    const made = Array.from(
      { length: width },
      (_, i) => 10 + Math.sin(token * (i + 1.3) + layer) + 0.3 * Math.cos(position + i),
    );
    known.set(key, made);
    return made;
  };
}

export const source: OpenModel = plantedModel({ name: "small", width: dSource, state: state(dSource) });
export const target: OpenModel = plantedModel({ name: "large", width: dTarget, state: state(dTarget) });

/** Made-up documents of one to three windows of 64 tokens; 100 of them are about a unit and a half. */
export function letters(documents: number, seed = 5): Corpus {
  const random = seededRandom(seed);
  const text = (): string =>
    Array.from({ length: 20 + random.integer(150) }, () => String.fromCharCode(97 + random.integer(26))).join("");
  return toCorpus("letters", Array.from({ length: documents }, text));
}

/** Two source and two target layers, weighted rows, and so little room that held-out windows must leave: everything that can differ. */
export const options: CollectOptions = {
  corpus: letters(300),
  layers: {
    kind: "maps",
    maps: [
      { sources: [0, 2], target: 1 },
      { sources: [2], target: 3 },
    ],
  },
  rows: parseRowSelection("all,last*3"),
  seed: 3,
  // 14 values of 4 bytes a row: 1000 held-out rows of about 2900; 500 tokens in each table, more than there are.
  maxHeldBytes: 1000 * 56,
};

/** The bytes of a collection's file, which say whether two are equal to the bit. */
export async function bytesOf(collection: Collection, folder: string): Promise<Buffer> {
  const path = join(folder, `compared-${counter++}.safetensors`);
  await writeCollection(path, collection);
  return readFileSync(path);
}

/** Digest of all that must be equal to the bit in a merge of shards: counts, held-out windows, norms, split. */
export function exactParts({ plan, rowCounts, heldOut, heldLimit, norms }: Collection): string {
  const digest = createHash("sha256").update(JSON.stringify([plan, rowCounts, heldLimit]));
  const add = (data: Int32Array | Float32Array | Float64Array | undefined): unknown =>
    digest.update(data ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : "none");
  for (const { window, group, tokens, states, weights } of heldOut) {
    digest.update(`${window},${group},${tokens.length}`);
    for (const data of [tokens, ...states, weights]) add(data);
  }
  for (const histogram of norms) add(histogram);
  return digest.digest("hex");
}

let counter = 0;

/** All products and means of some moments, one after the other. */
export function valuesOf({ means, blocks }: JointMoments): number[] {
  return [...means.flatMap((mean) => [...mean]), ...blocks.flatMap(({ C }) => [...C.data])];
}

/** Largest absolute difference, as a share of the largest value of `b`. */
export function relativeDistance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return distance(a, b) / Array.from(b).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}
