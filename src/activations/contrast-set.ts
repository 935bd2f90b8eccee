import { mismatch } from "../errors.ts";
import { readCsv } from "../formats/csv.ts";
import { readJsonl } from "../formats/jsonl.ts";
import { readJson } from "../formats/read-text.ts";
import { showValue } from "../formats/show-value.ts";

/** Two texts that differ in a concept: `prompt + positive` has it, `prompt + negative` has not. */
export interface ContrastPair {
  /** What both texts begin with; may be empty. */
  readonly prompt: string;
  readonly positive: string;
  readonly negative: string;
  /** File and line it was read from, for errors. */
  readonly where?: string;
}

export interface ReadContrastOptions {
  /** Of a file whose rows name their `concept`: take only the rows of this one. */
  readonly concept?: string | undefined;
}

/** Pairs that a set may hold: far more than any concept was ever described by, and little enough to keep in memory as text. */
export const maxPairs: number = 100_000;

/**
 * Reads contrast pairs from JSON Lines, a JSON array (`.json`) or CSV/TSV with those columns; gzip is unpacked.
 *
 * A row is one of
 * - `{"prompt"?, "positive", "negative"}`;
 * - Anthropic's persona items and CAA's, `{"question", "answer_matching_behavior", "answer_not_matching_behavior"}`;
 * - steering-bench's, `{"positive": {"prompt", "response"}, "negative": {…}}`, response on a line of its own after the prompt.
 *
 * Texts are joined to the prompt as they stand. A `concept` that differs from row to row must be chosen by option.
 *
 * @throws not-found, io; bad-input, naming the line, for rows of another shape, empty or equal sides; for no rows, or more than
 * {@link maxPairs}
 */
export async function readContrastSet(path: string, { concept }: ReadContrastOptions = {}): Promise<ContrastPair[]> {
  const pairs: ContrastPair[] = [];
  const concepts = new Set<string>();
  for await (const { value, where } of readRows(path)) {
    const named = isRecord(value) && typeof value["concept"] === "string" ? value["concept"] : undefined;
    if (named !== undefined) concepts.add(named);
    if (concept !== undefined && named !== undefined && named !== concept) continue;
    if (pairs.length === maxPairs)
      throw mismatch("bad-input", where, `at most ${maxPairs} pairs`, "one more", {
        hint: "take fewer; a few hundred already settle a direction",
      });
    pairs.push(checkContrastPair(value, where));
  }
  if (concept !== undefined && concepts.size > 0 && !concepts.has(concept))
    throw mismatch("bad-input", path, `a concept of ${[...concepts].sort().join(", ")}`, concept);
  if (concept === undefined && concepts.size > 1)
    throw mismatch("bad-input", path, "pairs of one concept", `${concepts.size}: ${[...concepts].sort().join(", ")}`, {
      hint: "choose one of them as the concept",
    });
  if (pairs.length === 0)
    throw mismatch("bad-input", path, "at least one pair", "none", {
      hint: 'write one {"positive": …, "negative": …} a line',
    });
  return pairs;
}

/** Checks that a value is a row of a contrast set and returns it as a pair. @throws bad-input naming `where` */
export function checkContrastPair(value: unknown, where: string): ContrastPair {
  if (!isRecord(value)) throw mismatch("bad-input", where, "an object", showValue(value));
  const pair = isRecord(value["positive"]) ? toAnsweredPair(value, where) : toPair(value, where);
  for (const side of ["positive", "negative"] as const)
    if ((pair.prompt + pair[side]).trim() === "" || pair[side] === "")
      throw mismatch("bad-input", where, `some text as "${side}"`, "none");
  if (pair.positive === pair.negative)
    throw mismatch("bad-input", where, "two different texts", `${JSON.stringify(pair.positive.slice(0, 60))} twice`);
  return { ...pair, where };
}

function toPair(row: Record<string, unknown>, where: string): ContrastPair {
  const read = (key: string, other: string, fallback?: string): string => {
    const found = row[key] ?? row[other] ?? fallback;
    if (typeof found === "string") return found;
    const got = found === undefined ? `keys ${Object.keys(row).join(", ").slice(0, 80) || "none"}` : typeof found;
    throw mismatch("bad-input", where, `"${key}" as a string`, got, {
      hint: 'a row needs "positive" and "negative", and may have "prompt"',
    });
  };
  return {
    prompt: read("prompt", "question", ""),
    positive: read("positive", "answer_matching_behavior"),
    negative: read("negative", "answer_not_matching_behavior"),
  };
}

/** steering-bench: each side has a prompt and a response of its own. */
function toAnsweredPair(row: Record<string, unknown>, where: string): ContrastPair {
  const [positive, negative] = (["positive", "negative"] as const).map((side) => {
    const part = row[side];
    if (isRecord(part) && typeof part["prompt"] === "string" && typeof part["response"] === "string")
      return { prompt: `${part["prompt"]}\n`, response: part["response"] };
    throw mismatch("bad-input", where, `"${side}" with "prompt" and "response"`, showValue(part));
  }) as [{ prompt: string; response: string }, { prompt: string; response: string }];
  if (positive.prompt === negative.prompt)
    return { prompt: positive.prompt, positive: positive.response, negative: negative.response };
  return { prompt: "", positive: positive.prompt + positive.response, negative: negative.prompt + negative.response };
}

async function* readRows(path: string): AsyncGenerator<{ value: unknown; where: string }, void, void> {
  if (/\.(csv|tsv)(\.gz)?$/i.test(path)) {
    for (const { values, line } of await readCsv(path))
      yield { value: Object.fromEntries(values), where: `${path}:${line}` };
  } else if (/\.json(\.gz)?$/i.test(path)) {
    const list = await readJson(path);
    if (!Array.isArray(list)) throw mismatch("bad-input", path, "an array of pairs", typeof list);
    for (const [i, value] of list.entries()) yield { value, where: `${path}: item ${i + 1}` };
  } else {
    for await (const { value, line } of readJsonl(path)) yield { value, where: `${path}:${line}` };
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
