import { mismatch } from "../errors.ts";

/**
 * Reads layers as `12`, `1-5` (both ends included) or `1,3,5-7`: in order, each once.
 *
 * @throws usage for anything else
 */
export function parseLayers(text: string, where: string): number[] {
  const layers = new Set<number>();
  for (const part of text.split(",")) {
    const match = /^(\d{1,4})(?:-(\d{1,4}))?$/.exec(part.trim());
    const [from, to] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])];
    if (!match || from > to)
      throw mismatch("usage", where, "layers such as 12, 1-5 or 1,3,5-7", JSON.stringify(text), {
        hint: "layers are 0-based: layer l is the output of block l",
      });
    for (let layer = from; layer <= to; layer += 1) layers.add(layer);
  }
  return [...layers].sort((a, b) => a - b);
}

/** Writes layers as {@link parseLayers} reads them. */
export function formatLayers(layers: readonly number[]): string {
  const parts: string[] = [];
  for (let i = 0; i < layers.length; ) {
    let end = i;
    while (layers[end + 1] === layers[end]! + 1) end += 1;
    parts.push(end === i ? `${layers[i]}` : `${layers[i]}-${layers[end]}`);
    i = end + 1;
  }
  return parts.join(",");
}
