import type { ContrastPair } from "../../activations/contrast-set.ts";
import type { ReadPosition } from "../../activations/read-position.ts";
import type { OpenModel } from "../../engine/open-model.ts";
import type { PropensityItem } from "../../evaluate/items.ts";

/** A model of a study, not open yet. */
export interface ScaleModel {
  /** As results call it; each once in a study. */
  readonly name: string;
  /** Finds its files, part 1 first: their digest names what is measured, their length says what it takes to hold it. @throws if there is none */
  readonly files: () => Promise<readonly string[]>;
  readonly open: () => Promise<OpenModel>;
  /** Opens a copy of its shape that was never trained; left out: that null is not taken. */
  readonly openUntrained?: (() => Promise<OpenModel>) | undefined;
}

/** A concept of a study: what its vectors are read from, and what they are judged by. */
export interface ScaleConceptInput {
  readonly name: string;
  readonly pairs: readonly ContrastPair[];
  readonly items: readonly PropensityItem[];
  /** Where the pairs are read; `extractVector`'s default if left out. */
  readonly readAt?: ReadPosition | undefined;
}
