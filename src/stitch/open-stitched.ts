import { availableParallelism } from "node:os";
import type { EngineModel } from "../engine/engine-model.ts";
import { type OpenTailOptions, openTail } from "../engine/tail/open-tail.ts";
import { checkStitch } from "./check-stitch.ts";
import { type JoinOptions, joinStitched, type StitchedModel, type StitchMap } from "./stitched-model.ts";

export interface StitchOptions extends Pick<JoinOptions, "firstRows">, Omit<OpenTailOptions, "layer"> {
  /** The small model, open; it stays its owner's. */
  readonly source: EngineModel;
  /** Path of the large model's GGUF file. */
  readonly target: string;
  /** From a layer of the source (or several) to one of the target. */
  readonly map: StitchMap;
}

/**
 * Opens a stitched model: blocks of the source up to the map's source layer, the map, the blocks of the target behind the map's target layer
 * with its norm and output head.
 *
 * Of the target only those blocks are loaded, from its own file and without a copy on disk, where they are proven to give the target's own
 * logits on its own states; else the whole target is run with its rows replaced (`way`, and {@link openTail}).
 *
 * @throws incompatible for a map of other models, layers or widths, or models of two tokenizers; as {@link openTail}
 * @see Bello et al., arXiv 2506.00653, section 5; Chen et al., arXiv 2506.06609
 * @example
 * const small = await openModel("small.gguf");
 * await using stitched = await openStitched({ source: small, target: "large.gguf", map: await readMap("map.safetensors") });
 * for await (const { text } of stitched.generate(await stitched.tokenize("Once"))) process.stdout.write(text);
 */
export async function openStitched({ source, target, map, firstRows, ...open }: StitchOptions): Promise<StitchedModel> {
  const { whole } = open;
  const layer = map.target.site.layer;
  if (whole) checkStitch(source.description, { description: whole.description, layer }, map);
  const tail = await openTail(target, { ...open, layer });
  try {
    return joinStitched(source, tail, map, { firstRows, tailThreads: open.threads ?? availableParallelism() });
  } catch (thrown) {
    await tail.close();
    throw thrown;
  }
}
