import type { ModelDescription } from "../../engine/description.ts";
import { mismatch } from "../../errors.ts";
import { showValue } from "../../formats/show-value.ts";
import { checkSameTokenizer } from "../windows.ts";

/** A piece of text whose states make one row. */
export type TextSegment = "sentences" | "lines" | "documents";

/**
 * How the rows of two models are paired.
 *
 * - `ids`: by token; both have one tokenizer.
 * - `spans`: any two tokenizers; the two tokens that end at the same byte of the text.
 * - `sentences`, `lines`, `documents`: any two tokenizers; a row is a piece of text, the mean of its tokens' states or the last one.
 */
export type Alignment =
  | { readonly kind: "ids" | "spans" }
  | { readonly kind: TextSegment; readonly pool: "mean" | "last" };

/** What rows are paired by unless something else is said of them. */
export const idAlignment: Alignment = { kind: "ids" };

const forms = "ids, spans, sentences, lines or documents, the last three with @mean or @last";

/** Every alignment but that by ids, as files name them. */
export const writtenAlignments: readonly string[] = [
  "spans",
  ...["sentences", "lines", "documents"].flatMap((kind) => [`${kind}@mean`, `${kind}@last`]),
];

/** Writes an alignment: `ids`, `spans`, `sentences@mean`. */
export function formatAlignment(alignment: Alignment): string {
  return "pool" in alignment ? `${alignment.kind}@${alignment.pool}` : alignment.kind;
}

/** Reads what {@link formatAlignment} wrote; a plain `sentences` takes the mean. @throws bad-input for anything else */
export function parseAlignment(text: string): Alignment {
  const [, kind, pool] = /^(ids|spans|sentences|lines|documents)(?:@(mean|last))?$/.exec(text) ?? [];
  if (kind === "ids" || kind === "spans") {
    if (pool === undefined) return { kind };
  } else if (kind === "sentences" || kind === "lines" || kind === "documents")
    return { kind, pool: pool === "last" ? "last" : "mean" };
  throw mismatch("bad-input", "alignment", forms, showValue(text));
}

/**
 * Says how the rows of two models are paired: as asked, or by default by token where the models share a tokenizer and else by spans.
 *
 * @throws incompatible for `ids` between models whose tokenizers differ
 */
export function resolveAlignment(
  asked: Alignment | undefined,
  source: ModelDescription,
  target: ModelDescription,
): Alignment {
  if (asked === undefined) return isOneTokenizer(source, target) ? idAlignment : { kind: "spans" };
  if (asked.kind === "ids") checkSameTokenizer(source, target);
  return asked;
}

/** Whether two models read every text as the same token ids, BOS among them. */
export function isOneTokenizer(source: ModelDescription, target: ModelDescription): boolean {
  const [a, b] = [source.tokenizer, target.tokenizer];
  return a.fingerprint === b.fingerprint && a.addsBos === b.addsBos;
}

/** Says in a sentence what makes a row. */
export function describeAlignment(alignment: Alignment): string {
  if (!("pool" in alignment))
    return alignment.kind === "ids"
      ? "rows are paired token by token"
      : "rows are paired where a token of each model ends at the same byte of the text";
  const one = { sentences: "sentence", lines: "line", documents: "document" }[alignment.kind];
  return `a row is a ${one}: ${alignment.pool === "mean" ? "the mean of its tokens' states" : "the state of its last token"}`;
}
