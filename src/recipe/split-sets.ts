import { type PropensityItem, readItems } from "../evaluate/items.ts";
import { toChoices } from "../evaluate/propensity/choices.ts";
import { type ItemSplit, splitItems } from "../evaluate/split-items.ts";
import type { ItemsSplit, RecipeFile } from "./recipe.ts";

/**
 * Reads items and deals them out to extracting and measuring, the same way whoever asks: a prompt is never on both sides.
 *
 * @throws what reading and splitting items throw
 */
export async function readSplitItems(
  file: RecipeFile,
  { train, test, choices }: ItemsSplit,
  seed: number,
): Promise<ItemSplit<PropensityItem>> {
  const items = await readItems(file.path);
  return splitItems(choices ? toChoices(items) : items, { train, test, seed });
}
