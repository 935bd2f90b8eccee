import { mismatch } from "../../errors.ts";
import { bootstrapIntervals } from "../../evaluate/bootstrap.ts";
import type { StitchLoss } from "./stitch-result.ts";

/** Loss by document: what an interval draws anew. */
export interface DocumentLosses {
  /** Σ −log p, nats, by document. */
  readonly sums: Float64Array;
  /** Tokens that were predicted, by document. */
  readonly tokens: Float64Array;
}

/** Sums scores of windows by their document. */
export function toDocumentLosses(scores: readonly Float64Array[], documents: readonly number[]): DocumentLosses {
  const count = Math.max(-1, ...documents) + 1;
  if (count === 0 || scores.length !== documents.length)
    throw mismatch("bad-input", "held-out text", "windows of documents", `${scores.length} of ${documents.length}`);
  const [sums, tokens] = [new Float64Array(count), new Float64Array(count)];
  scores.forEach((row, at) => {
    const document = documents[at] as number;
    tokens[document]! += row.length;
    for (const value of row) sums[document]! -= value;
  });
  return { sums, tokens };
}

/** Nats per token over all documents. */
export function meanLoss({ sums, tokens }: DocumentLosses): number {
  return total(sums) / total(tokens);
}

/** Loss with its bootstrap interval over documents; with `other`, loss less that of the same documents there. */
export function toLoss(losses: DocumentLosses, seed: number, other?: DocumentLosses): StitchLoss {
  const difference = losses.sums.map((sum, at) => sum - (other?.sums[at] ?? 0));
  const { tokens } = losses;
  const nats = total(difference) / total(tokens);
  const [interval] = bootstrapIntervals(
    tokens.length,
    (units) => {
      let [sum, n] = [0, 0];
      for (const unit of units) {
        sum += difference[unit]!;
        n += tokens[unit]!;
      }
      return [sum / n];
    },
    { seed },
  );
  return { nats, low: interval?.low ?? nats, high: interval?.high ?? nats };
}

function total(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0);
}
