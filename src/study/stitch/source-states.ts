import type { OpenModel } from "../../engine/open-model.ts";
import { residPost } from "../../engine/site.ts";

/** States of some windows at one layer, `[tokens, width]` each. */
export type StatesAt = (layer: number) => Promise<readonly Float32Array[]>;

/** States that are kept from one layer's turn to the next. */
const mostBytes = 2 ** 30;

/**
 * Opens the states of windows at several layers: read once for all layers where they fit a gibibyte, else layer by layer when they are asked
 * for, with early exit.
 */
export function openStates(
  model: Pick<OpenModel, "readStates" | "description">,
  windows: readonly Int32Array[],
  layers: readonly number[],
  signal?: AbortSignal | undefined,
): StatesAt {
  const tokens = windows.reduce((sum, { length }) => sum + length, 0);
  const fits = 4 * tokens * model.description.width * layers.length <= mostBytes;
  let kept: Promise<Map<number, readonly Float32Array[]>> | undefined;
  const read = async (which: readonly number[]): Promise<Map<number, Float32Array[]>> => {
    const found = new Map(which.map((layer) => [layer, [] as Float32Array[]] as const));
    const sites = which.map((layer) => residPost(layer));
    for await (const { states } of model.readStates(windows, { sites, ...(signal && { signal }) }))
      which.forEach((layer, at) => {
        found.get(layer)?.push(states[at] as Float32Array);
      });
    return found;
  };
  return async (layer) => {
    if (!fits) return (await read([layer])).get(layer) ?? [];
    kept ??= read(layers);
    return (await kept).get(layer) ?? [];
  };
}
