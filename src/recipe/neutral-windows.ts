import { resolveCorpus } from "../activations/corpus.ts";
import { longestWindow, toWindows } from "../activations/windows.ts";
import type { OpenModel } from "../engine/open-model.ts";
import type { RecipeFile } from "./recipe.ts";

/** Enough for an interval over windows, and little beside the items. */
const mostWindows = 32;
const longest = 256;

/** Reads the first windows of a neutral text, at most 32 of at most 256 tokens. @throws what reading a corpus throws */
export async function readNeutralWindows(model: OpenModel, { path }: RecipeFile): Promise<Int32Array[]> {
  const documents = (await resolveCorpus(path)).documents();
  const context = Math.min(longest, longestWindow(model));
  const windows: Int32Array[] = [];
  for await (const { tokens } of toWindows(model, documents, { context })) {
    if (tokens.length >= 2) windows.push(tokens);
    if (windows.length === mostWindows) break;
  }
  return windows;
}
