import { mismatch } from "../errors.ts";
import { showValue } from "../formats/show-value.ts";
import { formatReadPosition, parseReadPosition, type ReadPosition } from "./read-position.ts";

/**
 * One rule for which rows are read, and what each of them weighs.
 *
 * - `all`: every position of the corpus but the first of a window and special tokens.
 * - `last`: the last position of every document of the corpus, unless it is a special token.
 * - `pattern`: positions of the corpus whose token, written out, matches a regular expression; special tokens too, so that the control
 *   tokens of a template can be named.
 * - `pairs`: in the texts of a contrast set, the positions that a vector is read from; special tokens too.
 *
 * The first position of a window never gives a row.
 */
export type RowRule =
  | { readonly kind: "all" | "last"; readonly weight: number }
  | { readonly kind: "pattern"; readonly weight: number; readonly pattern: string; readonly flags: string }
  | { readonly kind: "pairs"; readonly weight: number; readonly readAt: ReadPosition };

/** Which rows are read: those that meet a rule, weighing what the rules that they meet weigh together. At least one rule, none twice. */
export type RowSelection = readonly RowRule[];

/** Every row, each weighing 1: what is read where nothing else is said. */
export const allRows: RowSelection = [{ kind: "all", weight: 1 }];

/** Weights are relative; beyond this one kind of row is all that counts, and a slip of the pen is likelier. */
const maxWeight = 1e6;
const maxRules = 16;
/** A rule as written: its kind with what belongs to it, its weight, and a comma or the end. */
const rule =
  /(?:(all|last)|pattern:\/((?:[^\\/[]|\\.|\[(?:[^\\\]]|\\.)*\])+)\/([a-z]*)|pairs(?:@([a-z0-9-]+))?)(?:\*([0-9.e+-]+))?(?:,|$)/y;

/**
 * Writes a selection as the command line takes it: `all`, `last*2`, `pattern:/[.!?]/`, `all,pairs@last*4`. A weight of 1 is not written.
 */
export function formatRowSelection(selection: RowSelection): string {
  return selection.map((each) => `${formatRule(each)}${each.weight === 1 ? "" : `*${each.weight}`}`).join(",");
}

function formatRule(rule: RowRule): string {
  if (rule.kind === "pattern") return `pattern:/${rule.pattern}/${rule.flags}`;
  return rule.kind === "pairs" ? `pairs@${formatReadPosition(rule.readAt)}` : rule.kind;
}

/**
 * Reads what {@link formatRowSelection} wrote. A plain `pairs` takes the read position of the option, by default `difference-mean`, as
 * vectors are extracted.
 *
 * @throws bad-input for anything else, rules given twice, weights that are not positive, expressions that are not regular
 */
export function parseRowSelection(
  text: string,
  { readAt = "difference-mean" }: { readonly readAt?: ReadPosition | undefined } = {},
): RowSelection {
  const rules: RowRule[] = [];
  let at = 0;
  while (at < text.length || text === "") {
    rule.lastIndex = at;
    const match = rule.exec(text);
    if (!match || rules.length === maxRules)
      throw mismatch("bad-input", "rows", "all, last, pattern:/…/ or pairs, joined by commas", showValue(text), {
        hint: "such as all, last, pattern:/[.!?]/ or all,pairs*4",
      });
    const [whole, plain, pattern, flags = "", position, weight = "1"] = match;
    const read = { weight: Number(weight) };
    if (plain === "all" || plain === "last") rules.push({ kind: plain, ...read });
    else if (pattern !== undefined) rules.push({ kind: "pattern", ...read, pattern, flags });
    else rules.push({ kind: "pairs", ...read, readAt: position === undefined ? readAt : parseReadPosition(position) });
    at += whole.length;
  }
  // A comma at the end announces a rule that does not come.
  if (text.endsWith(",")) throw mismatch("bad-input", "rows", "a rule after each comma", showValue(text));
  return checkRowSelection(rules);
}

/**
 * Checks a selection and returns it.
 *
 * @throws bad-input for no rules, rules given twice, weights that are not positive, expressions that are not regular
 */
export function checkRowSelection(selection: RowSelection): RowSelection {
  if (selection.length === 0) throw mismatch("bad-input", "rows", "at least one rule", "none");
  const seen = new Set<string>();
  for (const each of selection) {
    if (!(each.weight > 0 && each.weight <= maxWeight))
      throw mismatch("bad-input", `rows ${each.kind}`, `a weight above 0, at most ${maxWeight}`, String(each.weight));
    // Two patterns say different things; a second read position would ask for other windows of the same texts.
    const name = each.kind === "pattern" ? formatRule(each) : each.kind;
    if (seen.has(name)) throw mismatch("bad-input", "rows", "each rule once", `${name} twice`);
    seen.add(name);
    if (each.kind === "pattern") toExpression(each);
  }
  return selection;
}

/** The regular expression of a rule, safe to be asked again and again. @throws bad-input if it is none */
export function toExpression({ pattern, flags }: { readonly pattern: string; readonly flags: string }): RegExp {
  if (!/^[imsu]*$/.test(flags))
    throw mismatch("bad-input", `pattern /${pattern}/${flags}`, "flags of i, m, s and u", flags);
  try {
    return new RegExp(pattern, flags);
  } catch (cause) {
    throw mismatch(
      "bad-input",
      "rows",
      "a regular expression",
      `/${pattern}/${flags} (${cause instanceof Error ? cause.message : cause})`,
      { cause },
    );
  }
}

/** Whether a selection asks for a contrast set, and whether for a corpus. */
export function isReadFrom(selection: RowSelection, text: "pairs" | "corpus"): boolean {
  return selection.some(({ kind }) => (kind === "pairs") === (text === "pairs"));
}

/**
 * Says whether a map fitted on these rows has seen rows like those that a vector was read from.
 *
 * | vector read at | is covered by |
 * |---|---|
 * | `difference-mean`, `all-mean` | `all`; `pairs` read at either of them |
 * | `last` | `last`; `pairs` read at `last` |
 * | `last-content`, `end-<n>` | `pairs` read there |
 *
 * A mean over running text is like any other text, and a map of all rows carries it. A single position is not: last tokens are full
 * stops or a template's own, a small part of all rows, and a map that treats the average row well may treat them badly (measured on
 * the demo family: cosine with the native vector 0.22, against 0.66 by a map of the vector's own contrast set; rows of other texts' ends
 * helped little, docs/guide/maps.md). A `pattern` covers nothing by itself:
 * whether the tokens that a vector was read from match it cannot be told from the rule. Which contrast set `pairs` came from, and any
 * weight, makes no difference.
 */
export function coversReadPosition(selection: RowSelection, readAt: ReadPosition): boolean {
  const isMean = (position: ReadPosition): boolean => position === "difference-mean" || position === "all-mean";
  return selection.some((each) => {
    if (each.kind === "pairs")
      return isMean(readAt) ? isMean(each.readAt) : formatReadPosition(each.readAt) === formatReadPosition(readAt);
    return (each.kind === "all" && isMean(readAt)) || (each.kind === "last" && readAt === "last");
  });
}
