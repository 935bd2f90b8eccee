import { TrimtabError } from "../errors.ts";
import type { Sae } from "./sae.ts";
import type { SparseBuilder } from "./sparse-builder.ts";

/** How the rows of pre-activations of an autoencoder become features. */
export interface Activation {
  /** What a row holds before the product with the encoder is added to it, `[features]`: the bias, where the activation is of their sum. */
  readonly start: Float64Array | undefined;
  /** Adds the features of one row `[features]` of start plus product. */
  readonly addRow: (pre: Float64Array, builder: SparseBuilder) => void;
}

/** The activation of an autoencoder, as {@link Sae} defines it. @throws internal if a tensor that it needs is missing */
export function createActivation({ activation, features, encoderBias, threshold, gate, k }: Sae): Activation {
  const start = Float64Array.from(encoderBias);
  if (activation === "relu") return { start, addRow: aboveCut(new Float64Array(features)) };
  if (activation === "topk" && k !== undefined) return { start, addRow: largest(k) };
  // A threshold below 0 lets nothing below 0 through: the activation is relu times the gate.
  if ((activation === "jumprelu" || activation === "batchtopk") && threshold)
    return { start, addRow: aboveCut(Float64Array.from(threshold, (value) => Math.max(value, 0))) };
  if (activation === "gated" && gate) return { start: undefined, addRow: gated(gate, start) };
  throw new TrimtabError("internal", `internal: an autoencoder with ${activation} lacks what that activation needs`);
}

function aboveCut(cut: Float64Array): Activation["addRow"] {
  return (pre, builder) => {
    for (let j = 0; j < pre.length; j++) {
      const value = pre[j] as number;
      if (value > (cut[j] as number)) builder.add(j, value);
    }
    builder.endRow();
  };
}

function gated({ bias, logScale }: NonNullable<Sae["gate"]>, magnitudeBias: Float64Array): Activation["addRow"] {
  const scale = Float64Array.from(logScale, Math.exp);
  return (product, builder) => {
    for (let j = 0; j < product.length; j++) {
      const value = product[j] as number;
      if (value + (bias[j] as number) <= 0) continue;
      const magnitude = (scale[j] as number) * value + (magnitudeBias[j] as number);
      if (magnitude > 0) builder.add(j, magnitude);
    }
    builder.endRow();
  };
}

/**
 * The k largest above 0, kept in a heap whose root is the smallest of them, of equal ones the one of the highest number. Most values are
 * only compared with the root: some k · ln(n / k) of a row of n change the heap.
 */
function largest(k: number): Activation["addRow"] {
  const columns = new Int32Array(k);
  return (pre, builder) => {
    let size = 0;
    const isBelow = (a: number, b: number): boolean => {
      const difference = (pre[a] as number) - (pre[b] as number);
      return difference < 0 || (difference === 0 && a > b);
    };
    const sink = (): void => {
      const column = columns[0] as number;
      let at = 0;
      for (let child = 1; child < size; child = 2 * at + 1) {
        if (child + 1 < size && isBelow(columns[child + 1] as number, columns[child] as number)) child++;
        if (!isBelow(columns[child] as number, column)) break;
        columns[at] = columns[child] as number;
        at = child;
      }
      columns[at] = column;
    };
    const rise = (column: number): void => {
      let at = size++;
      for (; at > 0; at = (at - 1) >> 1) {
        const parent = columns[(at - 1) >> 1] as number;
        if (!isBelow(column, parent)) break;
        columns[at] = parent;
      }
      columns[at] = column;
    };
    let least = 0;
    for (let j = 0; j < pre.length; j++) {
      const value = pre[j] as number;
      if (value <= least) continue;
      if (size < k) rise(j);
      else {
        columns[0] = j;
        sink();
      }
      if (size === k) least = pre[columns[0] as number] as number;
    }
    for (const column of columns.subarray(0, size).sort()) builder.add(column, pre[column] as number);
    builder.endRow();
  };
}
