import type { OpenModel, ScoredItem } from "../engine/open-model.ts";
import { mismatch } from "../errors.ts";
import { readJsonl } from "../formats/jsonl.ts";
import { toPromptTokens } from "./prompt-tokens.ts";

/** A prompt with two continuations: the one the concept should make likelier, and the other. */
export interface PropensityItem {
  readonly prompt: string;
  readonly positive: string;
  readonly negative: string;
}

/** A {@link PropensityItem} as token ids: `continuations[0]` is the positive answer, `continuations[1]` the negative. */
export interface TokenizedItem extends ScoredItem {
  readonly continuations: readonly [Int32Array, Int32Array];
  /** Tokens of the prompt that moved into the continuations, because text and continuation share a token at the seam. */
  readonly seamTokens: number;
}

/**
 * Reads propensity items from a JSONL file, plain or gzip: one `{"prompt", "positive", "negative"}` a line, other keys ignored.
 *
 * The multiple-choice shape of Anthropic's model-written evaluations, `{"question", "answer_matching_behavior",
 * "answer_not_matching_behavior"}`, is read too. Continuations are appended to the prompt as they stand: begin them with the space
 * that belongs there. Blank lines are skipped.
 *
 * @throws not-found if there is no such file; bad-input, naming the line, for anything else that is not an item
 */
export async function readItems(path: string): Promise<PropensityItem[]> {
  const items: PropensityItem[] = [];
  for await (const { value, line } of readJsonl(path)) items.push(checkItem(value, `${path}:${line}`));
  if (items.length === 0)
    throw mismatch("bad-input", path, "at least one item", "none", {
      hint: 'write one {"prompt": …, "positive": …, "negative": …} a line',
    });
  return items;
}

/** Checks that a value is an item and returns it with its own three keys. @throws bad-input, naming `where` */
export function checkItem(value: unknown, where: string): PropensityItem {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw mismatch("bad-input", where, "an object", value === null ? "null" : typeof value);
  const record = value as Record<string, unknown>;
  const read = (key: string, other: string): string => {
    const found = record[key] ?? record[other];
    if (typeof found === "string") return found;
    throw mismatch("bad-input", where, `"${key}" as a string`, found === undefined ? "no such key" : typeof found);
  };
  const item = {
    prompt: read("prompt", "question"),
    positive: read("positive", "answer_matching_behavior"),
    negative: read("negative", "answer_not_matching_behavior"),
  };
  for (const key of ["positive", "negative"] as const)
    if (item[key] === "") throw mismatch("bad-input", where, `"${key}" with some text`, "an empty string");
  if (item.positive === item.negative)
    throw mismatch("bad-input", where, "two different continuations", `${JSON.stringify(item.positive)} twice`);
  return item;
}

/**
 * Turns an item into token ids so that the model reads exactly the text it would read in one piece.
 *
 * Prompt and prompt + continuation are each tokenised whole. Where the prompt's tokens begin the longer text's, the continuation is what
 * follows. Where a token spans the seam (a prompt ending in a space, say), the split falls back to the longest start that prompt and
 * both texts share, so both continuations are still scored after one and the same prompt, and `seamTokens` counts what moved.
 * An empty prompt becomes the BOS token alone (see {@link toPromptTokens}).
 *
 * @throws bad-input if no token is left for the prompt or for a continuation
 */
export async function toScoredItem(
  model: Pick<OpenModel, "tokenize" | "description">,
  item: PropensityItem,
  { parseSpecial = false, where = "item" }: { readonly parseSpecial?: boolean; readonly where?: string } = {},
): Promise<TokenizedItem> {
  const prompt = await toPromptTokens(model, item.prompt, { parseSpecial });
  // Behind an empty prompt stands a BOS token even where the file asks for none; the whole texts then need it too.
  const start = item.prompt === "" ? prompt : undefined;
  const read = async (text: string): Promise<Int32Array> =>
    start === undefined
      ? toPromptTokens(model, text, { parseSpecial })
      : Int32Array.from([...start, ...(await model.tokenize(text, { addSpecial: false, parseSpecial }))]);
  const positive = await read(item.prompt + item.positive);
  const negative = await read(item.prompt + item.negative);
  const split = Math.min(commonStart(prompt, positive), commonStart(prompt, negative));
  if (split === 0)
    throw mismatch("bad-input", where, "a prompt of at least one token before both continuations", "none", {
      hint: "lengthen the prompt, or end it where a word ends",
    });
  for (const [name, whole] of [
    ["positive", positive],
    ["negative", negative],
  ] as const)
    if (whole.length <= split)
      throw mismatch("bad-input", where, `a ${name} continuation of at least one token`, JSON.stringify(item[name]));
  return {
    prompt: prompt.slice(0, split),
    continuations: [positive.slice(split), negative.slice(split)],
    seamTokens: prompt.length - split,
  };
}

function commonStart(a: Int32Array, b: Int32Array): number {
  let length = 0;
  while (length < a.length && length < b.length && a[length] === b[length]) length++;
  return length;
}
