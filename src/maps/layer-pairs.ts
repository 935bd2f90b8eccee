import { mismatch } from "../errors.ts";

/** Layers to read in two models, 0-based: layer l is the output of block l. */
export interface LayerPair {
  readonly source: number;
  readonly target: number;
}

/**
 * The target layer at the same relative depth: after the same share of blocks, (l + 1)/blocks, rounded, and never the last.
 *
 * The last block's output is read by the unembedding alone; its norm and mean leave the range of the others, and a vector added there
 * has no block left to act through. Equal index would be wrong across depths.
 *
 * @throws bad-input if the source layer is out of range or a model has no block
 * @example
 * equalRelativeDepth(12, 26, 42); // 20
 */
export function equalRelativeDepth(sourceLayer: number, sourceBlocks: number, targetBlocks: number): number {
  for (const blocks of [sourceBlocks, targetBlocks])
    if (!Number.isInteger(blocks) || blocks < 1) throw mismatch("bad-input", "blocks", "at least one", String(blocks));
  if (!Number.isInteger(sourceLayer) || sourceLayer < 0 || sourceLayer >= sourceBlocks)
    throw mismatch("bad-input", "source layer", `a layer from 0 to ${sourceBlocks - 1}`, String(sourceLayer));
  const depth = (sourceLayer + 1) / sourceBlocks;
  return clamp(Math.round(depth * targetBlocks) - 1, targetBlocks);
}

/** The pair read where none is named: half-way through the source and the target layer of equal relative depth. */
export function defaultLayerPair(sourceBlocks: number, targetBlocks: number): LayerPair {
  const source = clamp(Math.round(sourceBlocks / 2) - 1, sourceBlocks);
  return { source, target: equalRelativeDepth(source, sourceBlocks, targetBlocks) };
}

/**
 * Reads `SOURCE:TARGET`, two layers, such as `12:20`. Whether the models have them is checked where they are read.
 *
 * @throws usage if the text is anything else
 */
export function parseLayerPair(text: string): LayerPair {
  const match = /^(\d{1,5}):(\d{1,5})$/.exec(text);
  if (!match)
    throw mismatch("usage", "layers", "SOURCE:TARGET such as 12:20", JSON.stringify(text), {
      hint: "layers are 0-based: layer l is the output of block l",
    });
  return { source: Number(match[1]), target: Number(match[2]) };
}

/** Writes a pair as {@link parseLayerPair} reads it. */
export function formatLayerPair({ source, target }: LayerPair): string {
  return `${source}:${target}`;
}

/** From 0 to the last block but one; a model of one block has only layer 0. */
function clamp(layer: number, blocks: number): number {
  return Math.max(0, Math.min(layer, blocks - 2));
}
