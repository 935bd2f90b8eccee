import { TrimtabError } from "../errors.ts";
import type { Sae } from "./sae.ts";
import type { SparseBuilder } from "./sparse-builder.ts";

/** What an activation does to one row: a number for each feature in turn, and how many may stay. */
export interface Activation {
  /** Value of feature j, 0 or less if it is not active, from the product `x W_encᵀ` without bias. */
  readonly toValue: (product: number, j: number) => number;
  /** Largest number of active features, or undefined for as many as there are. */
  readonly k: number | undefined;
}

/** The activation of an autoencoder, as {@link Sae} defines it. @throws internal if a tensor that it needs is missing */
export function createActivation({ activation, encoderBias, threshold, gate, k }: Sae): Activation {
  const bias = (j: number): number => encoderBias[j] as number;
  const relu = (product: number, j: number): number => product + bias(j);
  if (activation === "relu") return { toValue: relu, k: undefined };
  if (activation === "topk" && k !== undefined) return { toValue: relu, k };
  if ((activation === "jumprelu" || activation === "batchtopk") && threshold)
    return {
      toValue: (product, j) => {
        const pre = product + bias(j);
        return pre > (threshold[j] as number) ? pre : 0;
      },
      k: undefined,
    };
  if (activation === "gated" && gate) {
    const scale = Float64Array.from(gate.logScale, Math.exp);
    return {
      toValue: (product, j) => (product + (gate.bias[j] as number) > 0 ? (scale[j] as number) * product + bias(j) : 0),
      k: undefined,
    };
  }
  throw new TrimtabError("internal", `internal: an autoencoder with ${activation} lacks what that activation needs`);
}

/** Adds one row of products `[features]` to a sparse matrix. The products are overwritten. */
export function activateRow({ toValue, k }: Activation, products: Float64Array, builder: SparseBuilder): void {
  if (k === undefined) {
    for (let j = 0; j < products.length; j++) {
      const value = toValue(products[j] as number, j);
      if (value > 0) builder.add(j, value);
    }
    builder.endRow();
    return;
  }
  let active = 0;
  for (let j = 0; j < products.length; j++) {
    const value = toValue(products[j] as number, j);
    products[j] = Math.max(value, 0);
    if (value > 0) active++;
  }
  const { least, ties } = active > k ? kthLargest(products, k) : { least: 0, ties: 0 };
  let left = ties;
  for (let j = 0; j < products.length; j++) {
    const value = products[j] as number;
    if (value > least) builder.add(j, value);
    else if (value === least && left > 0) {
      builder.add(j, value);
      left--;
    }
  }
  builder.endRow();
}

/** The k-th largest of values, of which more than k are above 0, and how many equal to it belong to the k largest. */
function kthLargest(values: Float64Array, k: number): { readonly least: number; readonly ties: number } {
  const sorted = values.filter((value) => value > 0).sort();
  const least = sorted[sorted.length - k] as number;
  let above = 0;
  while (above < k && (sorted[sorted.length - 1 - above] as number) > least) above++;
  return { least, ties: k - above };
}
