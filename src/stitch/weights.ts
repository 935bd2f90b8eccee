import { readGgufHeader } from "../formats/gguf.ts";
import { splitFiles } from "../formats/gguf-split.ts";

/** Weights of a part of a model. */
export interface Weights {
  readonly parameters: number;
  readonly bytes: number;
}

/** A model's weights by what they are for. */
export interface ModelWeights {
  /** By block. */
  readonly blocks: readonly Weights[];
  /** Token embeddings: looked up, not multiplied, unless they are the head. */
  readonly embeddings: Weights;
  /** Output head and norm; with the embeddings, where they are the head. */
  readonly head: Weights;
  /** Whether the embeddings are the head. */
  readonly isTied: boolean;
}

/**
 * Reads from a GGUF file's header what its blocks, embeddings and output head weigh.
 *
 * @throws not-found, io, bad-input
 */
export async function readWeights(path: string): Promise<ModelWeights> {
  const headers = await Promise.all(splitFiles(path).map((file) => readGgufHeader(file)));
  const blocks: Weights[] = [];
  let [embeddings, head] = [none, none];
  let isTied = true;
  for (const { name, dims, sizeBytes } of headers.flatMap(({ tensors }) => tensors)) {
    const own = { parameters: dims.reduce((a, b) => a * b, 1), bytes: sizeBytes };
    const block = /^blk\.(\d+)\./.exec(name);
    if (block) blocks[Number(block[1])] = add(blocks[Number(block[1])] ?? none, own);
    else if (name.startsWith("output")) {
      head = add(head, own);
      if (name === "output.weight") isTied = false;
    } else embeddings = add(embeddings, own);
  }
  return {
    blocks: Array.from(blocks, (weights) => weights ?? none),
    embeddings,
    head: isTied ? add(head, embeddings) : head,
    isTied,
  };
}

/** What a stitched model holds and multiplies. */
export interface StitchCost {
  /** Of everything that is used: early blocks with embeddings, the map, late blocks with the head. */
  readonly weights: Weights;
  /** Multiplications for a token, as a share of the target's own: weights of blocks, map and head; attention over the text is not counted. */
  readonly computeShare: number;
}

/**
 * Counts what is held and computed by blocks 0 to `source` of one model, a map of float64, and the blocks after `target` of another.
 *
 * @param mapParameters - numbers of A and p
 */
export function stitchCost(
  small: ModelWeights,
  large: ModelWeights,
  { source, target, mapParameters }: { source: number; target: number; mapParameters: number },
): StitchCost {
  const early = small.blocks.slice(0, source + 1).reduce(add, none);
  const late = large.blocks.slice(target + 1).reduce(add, large.head);
  const map = { parameters: mapParameters, bytes: 8 * mapParameters };
  return {
    weights: [small.embeddings, early, map, late].reduce(add, none),
    computeShare: (early.parameters + mapParameters + late.parameters) / multiplied(large),
  };
}

/** What a model alone holds, and its multiplications for a token as a share of another's. */
export function modelCost(model: ModelWeights, of: ModelWeights): StitchCost {
  const outside = model.isTied ? model.head : add(model.head, model.embeddings);
  return { weights: model.blocks.reduce(add, outside), computeShare: multiplied(model) / multiplied(of) };
}

function multiplied({ blocks, head }: ModelWeights): number {
  return blocks.reduce(add, head).parameters;
}

const none: Weights = { parameters: 0, bytes: 0 };

function add(a: Weights, b: Weights): Weights {
  return { parameters: a.parameters + b.parameters, bytes: a.bytes + b.bytes };
}
