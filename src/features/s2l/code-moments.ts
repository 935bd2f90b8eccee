import { mismatch } from "../../errors.ts";
import type { SparseRows } from "../sparse-rows.ts";
import { createSparseGram, type SparseGram } from "./sparse-gram.ts";

/** Sums over rows of codes f and target states y that a map from features to hidden states is fitted from; float64. */
export interface CodeMoments {
  readonly n: number;
  readonly features: number;
  readonly targetWidth: number;
  /** Σ f, `[features]`. */
  readonly sumCodes: Float64Array;
  /** Σ y, `[targetWidth]`. */
  readonly sumTarget: Float64Array;
  /** Σ f fᵀ. */
  readonly gram: SparseGram;
  /** Σ f yᵀ, `[features, targetWidth]`. */
  readonly cross: Float64Array;
  /** Sums over the rows that could be put beside those of other windows, for the null of pairs without a relation; there may be fewer. */
  readonly shuffled: {
    readonly n: number;
    readonly sumCodes: Float64Array;
    readonly sumTarget: Float64Array;
    /** Σ f y′ᵀ with target rows y′ of other windows. */
    readonly cross: Float64Array;
  };
  /** Rows in which each feature was active, `[features]`. */
  readonly active: Int32Array;
  /** The largest activation of each feature, `[features]`. */
  readonly largest: Float32Array;
}

type Sums = Pick<CodeMoments, "sumCodes" | "sumTarget">;

/** {@link CodeMoments} while they grow. */
export interface GrowingCodeMoments {
  /** Adds rows of codes with their target states `[rows, targetWidth]`. */
  add(codes: SparseRows, Y: Float32Array): void;
  /** Adds the products of codes with target states that are not theirs. */
  addShuffled(codes: SparseRows, Y: Float32Array): void;
  view(): CodeMoments;
}

/**
 * Opens empty sums. A row with k active features costs `k²/2 + k · targetWidth` multiplications, whatever the number of features; memory is
 * `2 · features · targetWidth` numbers and the pairs of features met together.
 */
export function createCodeMoments(features: number, targetWidth: number): GrowingCodeMoments {
  let n = 0;
  const sumCodes = new Float64Array(features);
  const sumTarget = new Float64Array(targetWidth);
  const gram = createSparseGram(features);
  const cross = new Float64Array(features * targetWidth);
  const shuffled = {
    n: 0,
    sumCodes: new Float64Array(features),
    sumTarget: new Float64Array(targetWidth),
    cross: new Float64Array(features * targetWidth),
  };
  const active = new Int32Array(features);
  const largest = new Float32Array(features);

  function addCross(into: Float64Array, { rows, offsets, indices, values }: SparseRows, Y: Float32Array): void {
    for (let row = 0; row < rows; row++)
      for (let k = offsets[row] as number; k < (offsets[row + 1] as number); k++) {
        const base = (indices[k] as number) * targetWidth;
        const value = values[k] as number;
        for (let i = 0, y = row * targetWidth; i < targetWidth; i++, y++)
          into[base + i] = (into[base + i] as number) + value * (Y[y] as number);
      }
  }

  function addSums(sums: Sums, codes: SparseRows, Y: Float32Array): void {
    codes.indices.forEach((feature, k) => {
      sums.sumCodes[feature] = (sums.sumCodes[feature] as number) + (codes.values[k] as number);
    });
    for (let at = 0; at < Y.length; at++) {
      const i = at % targetWidth;
      sums.sumTarget[i] = (sums.sumTarget[i] as number) + (Y[at] as number);
    }
  }

  function check(codes: SparseRows, Y: Float32Array): void {
    if (codes.cols !== features || Y.length !== codes.rows * targetWidth)
      throw mismatch(
        "bad-input",
        "codes and states",
        `rows of ${features} features and of width ${targetWidth}, equally many`,
        `${codes.rows} rows of ${codes.cols} features and ${Y.length} values`,
      );
  }

  return {
    add(codes, Y) {
      check(codes, Y);
      n += codes.rows;
      gram.add(codes);
      addCross(cross, codes, Y);
      for (let k = 0; k < codes.indices.length; k++) {
        const feature = codes.indices[k] as number;
        const value = codes.values[k] as number;
        active[feature] = (active[feature] as number) + 1;
        if (value > (largest[feature] as number)) largest[feature] = value;
      }
      addSums({ sumCodes, sumTarget }, codes, Y);
    },
    addShuffled(codes, Y) {
      check(codes, Y);
      shuffled.n += codes.rows;
      addCross(shuffled.cross, codes, Y);
      addSums(shuffled, codes, Y);
    },
    view: () => ({ n, features, targetWidth, sumCodes, sumTarget, gram, cross, shuffled, active, largest }),
  };
}
