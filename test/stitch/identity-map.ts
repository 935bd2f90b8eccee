import { residPost } from "../../src/engine/site.ts";
import { createMatrix } from "../../src/linalg/matrix.ts";
import type { StitchMap } from "../../src/stitch/stitched-model.ts";

/** The map of a layer onto itself, or a multiple of it. */
export function identityMap(width: number, layer: number, factor = 1): StitchMap {
  const A = createMatrix(width, width);
  for (let i = 0; i < width; i++) A.data[i * width + i] = factor;
  const end = { site: residPost(layer) };
  return { A, p: new Float64Array(width), sources: [end], target: end };
}
