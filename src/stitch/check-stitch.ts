import type { ModelDescription } from "../engine/description.ts";
import type { TailModel } from "../engine/tail/tail-model.ts";
import { mismatch } from "../errors.ts";
import type { StitchEnd, StitchMap } from "./stitched-model.ts";

/**
 * Checks that a map leads from one model into the other at the layer where it is cut, and that token i is the same token in both.
 *
 * @throws incompatible, naming what differs; bad-input for a map with numbers that are not finite
 */
export function checkStitch(
  source: ModelDescription,
  tail: Pick<TailModel, "description" | "layer">,
  map: StitchMap,
): void {
  const target = tail.description;
  if (source.tokenizer.fingerprint !== target.tokenizer.fingerprint)
    throw mismatch(
      "incompatible",
      "stitched model",
      `the tokenizer of ${target.name} in ${source.name}`,
      `${source.tokenizer.model} of ${source.name}, ${target.tokenizer.model} of ${target.name}, which differ`,
      { hint: "state by state only models of one tokenizer can be stitched" },
    );
  if (map.target.site.layer !== tail.layer)
    throw mismatch("incompatible", "stitched model", `a map to layer ${tail.layer}`, `one to ${map.target.site.layer}`);
  for (const end of map.sources) checkEnd(end, source, "from");
  checkEnd(map.target, target, "to");
  const width = map.sources.length * source.width;
  if (map.A.cols !== width || map.A.rows !== target.width || map.p.length !== target.width)
    throw mismatch(
      "incompatible",
      "map",
      `from width ${width} of ${source.name} to ${target.width} of ${target.name}`,
      `from ${map.A.cols} to ${map.A.rows}`,
    );
  for (const values of [map.A.data, map.p])
    if (!values.every(Number.isFinite)) throw mismatch("bad-input", "map", "finite numbers", "others");
}

function checkEnd({ site, model }: StitchEnd, description: ModelDescription, word: "from" | "to"): void {
  if (site.layer < 0 || site.layer >= description.blocks)
    throw mismatch(
      "incompatible",
      "map",
      `a layer of ${description.name} from 0 to ${description.blocks - 1}`,
      `one ${word} layer ${site.layer}`,
    );
  if (!model) return;
  const same =
    model.width === description.width &&
    model.blocks === description.blocks &&
    model.architecture === description.architecture;
  if (!same)
    throw mismatch("incompatible", "map", `one ${word} ${description.name}`, `one ${word} ${model.name}`, {
      hint: "fit a map between these two models: trimtab fit SOURCE TARGET --corpus PATH",
    });
}
