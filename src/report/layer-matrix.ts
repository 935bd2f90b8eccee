import { mismatch } from "../errors.ts";
import { equalRelativeDepth, type LayerPair } from "../maps/layer-pairs.ts";

/** The layers of one model that a matrix shows. */
export interface LayerAxis {
  /** The model's name. */
  readonly name: string;
  /** 0-based, ascending: all of them or a choice. */
  readonly layers: readonly number[];
  /** Blocks of the whole model; depth is measured by them. */
  readonly blocks: number;
}

/** A score of every pair of a source and a target layer. */
export interface LayerMatrix {
  /** What is shown, such as `held-out R²`: a score of which 0 means nothing found and 1 is most. */
  readonly label: string;
  readonly source: LayerAxis;
  readonly target: LayerAxis;
  /** `values[i][j]` for source layer i and target layer j of the lists; null where there is no score. */
  readonly values: readonly (readonly (number | null)[])[];
}

/** One pair and its marks. */
export interface LayerCell extends LayerPair {
  readonly value: number | null;
  /** The highest score of all, the first of equals. */
  readonly isBest: boolean;
  /** The highest score of its target layer. */
  readonly isBestOfTarget: boolean;
  /** As deep in the target as in the source. */
  readonly isEqualDepth: boolean;
}

/**
 * Lists the cells of a matrix, `cells[i][j]`, with the marks that its drawings share.
 *
 * @throws bad-input if the values are not as many as the layers, or a layer is out of range
 */
export function toLayerCells({ source, target, values }: LayerMatrix): readonly (readonly LayerCell[])[] {
  if (source.layers.length === 0 || target.layers.length === 0)
    throw mismatch(
      "bad-input",
      "layer matrix",
      "at least one layer a side",
      `${source.layers.length} and ${target.layers.length}`,
    );
  if (values.length !== source.layers.length || values.some((row) => row.length !== target.layers.length))
    throw mismatch(
      "bad-input",
      "layer matrix",
      `${source.layers.length} x ${target.layers.length} values`,
      `${values.length} rows of ${[...new Set(values.map((row) => row.length))].join(" or ")}`,
    );
  const finite = values.map((row) => row.map((value) => (Number.isFinite(value) ? value : null)));
  const best = argmax(finite.map((row) => row[argmax(row)] ?? null));
  const bestOfRow = argmax(finite[best] ?? []);
  const bestOfTarget = target.layers.map((_, j) => argmax(finite.map((row) => row[j] ?? null)));
  return finite.map((row, i) => {
    const layer = source.layers[i] as number;
    const equal = equalRelativeDepth(layer, source.blocks, target.blocks);
    return row.map((value, j) => ({
      source: layer,
      target: target.layers[j] as number,
      value,
      isBest: value !== null && i === best && j === bestOfRow,
      isBestOfTarget: value !== null && i === bestOfTarget[j],
      isEqualDepth: target.layers[j] === equal,
    }));
  });
}

/** Index of the largest number, the first of equals; -1 if there is none. */
function argmax(values: readonly (number | null)[]): number {
  let best = -1;
  values.forEach((value, i) => {
    if (value !== null && (best < 0 || value > (values[best] as number))) best = i;
  });
  return best;
}
