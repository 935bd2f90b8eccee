import type { LayerAddition, OpenModel } from "../../engine/open-model.ts";
import type { CellPart, CellStore } from "../cell-store.ts";
import { hashCell } from "../cell-store.ts";
import type { TokenizedItem } from "../items.ts";
import { measurePropensity, type Propensity } from "../propensity.ts";

/** What a cell keeps: one number an item, so that a line of the file stays short. */
interface CellValue {
  readonly propensity: readonly number[];
  readonly perToken: readonly number[];
  readonly logitDifference: readonly number[];
}

export interface PropensityCellOptions {
  readonly cells: CellStore;
  /** Digest of the model's file, and of whatever else its numbers depend on, such as the engine's release. */
  readonly model: { readonly [key: string]: CellPart };
  readonly signal?: AbortSignal;
}

/**
 * Returns a function that measures items under one steering, or answers from the store.
 *
 * A cell depends on the model, the items' tokens and the added vectors to the last bit; strength and name of a vector are in what it adds.
 */
export function propensityCells(
  model: Pick<OpenModel, "logProbabilities">,
  items: readonly TokenizedItem[],
  { cells, model: identity, signal }: PropensityCellOptions,
): (steering: readonly LayerAddition[]) => Promise<Propensity[]> {
  const digest = hashCell({ items: items.map(({ prompt, continuations }) => [prompt, ...continuations]) });
  return async (steering) => {
    const key = hashCell({
      kind: "propensity",
      version: 1,
      model: identity,
      items: digest,
      steering: steering.map(({ layer, vector }) => ({ layer, vector })),
    });
    const value = await cells.measure(key, async (): Promise<CellValue> => {
      const measured = await measurePropensity(model, items, { steering, ...(signal === undefined ? {} : { signal }) });
      return {
        propensity: measured.map(({ propensity }) => propensity),
        perToken: measured.map(({ perToken }) => perToken),
        logitDifference: measured.map(({ logitDifference }) => logitDifference),
      };
    });
    return value.propensity.map((propensity, i) => ({
      propensity,
      perToken: value.perToken[i]!,
      logitDifference: value.logitDifference[i]!,
      probability: 1 / (1 + Math.exp(-propensity)),
    }));
  };
}
