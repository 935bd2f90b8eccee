import { transpose } from "../../linalg/matrix.ts";
import type { Moments } from "../moments.ts";

/**
 * The same rows with source and target exchanged: any fit of it gives a map in the inverse direction.
 *
 * That map is the best prediction of x from y, not the inverse matrix: where the map loses something, undoing it would blow up noise.
 */
export function swapMoments({ n, meanX, meanY, Cxx, Cyx, Cyy }: Moments): Moments {
  return { n, meanX: meanY, meanY: meanX, Cxx: Cyy, Cyx: transpose(Cyx), Cyy: Cxx };
}
