import { type AffineMap, carryDirection } from "../../maps/affine-map.ts";
import type { ItemChanges } from "./item-changes.ts";

/** A change of states of the source, as the map's target would show it; every row by `A` alone, since in a difference the bias cancels. */
export interface CarriedChanges {
  readonly mean: Float32Array;
  readonly last: readonly Float32Array[];
  readonly positions: readonly Float32Array[] | undefined;
}

/** Carries a change through a map: `A δ` for the mean, for each item and, where they were read, for each position. */
export function carryChanges(
  map: Pick<AffineMap, "A">,
  changes: Pick<ItemChanges, "mean" | "last" | "positions" | "width">,
): CarriedChanges {
  const carry = (row: Float32Array | Float64Array): Float32Array => Float32Array.from(carryDirection(map, row));
  return {
    mean: carry(changes.mean),
    last: changes.last.map(carry),
    positions: changes.positions?.map((rows) => carryRows(map, rows, changes.width)),
  };
}

function carryRows(map: Pick<AffineMap, "A">, rows: Float32Array, width: number): Float32Array {
  const count = rows.length / width;
  const result = new Float32Array(count * map.A.rows);
  for (let row = 0; row < count; row++) {
    const own = rows.subarray(row * width, (row + 1) * width);
    // Rows of text that the change does not share, and first positions that nothing can move, are many.
    if (own.some((value) => value !== 0)) result.set(carryDirection(map, own), row * map.A.rows);
  }
  return result;
}
