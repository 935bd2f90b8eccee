import { mismatch } from "../../errors.ts";
import { readCsv } from "../../formats/csv.ts";
import { readJsonl } from "../../formats/jsonl.ts";
import { readLines } from "../../formats/read-lines.ts";
import { readJson } from "../../formats/read-text.ts";
import { showValue } from "../../formats/show-value.ts";

/** Far more than any such file holds; a mistaken one ends here instead of in memory. */
const maxInstructions = 100_000;
/** Of one instruction: a page. Longer ones are no instructions. */
const maxCharacters = 20_000;

/** What published sets call it. */
const keys = ["instruction", "prompt", "goal", "question"] as const;

/**
 * Reads instructions: one a line of a text file; JSON Lines or a JSON array of strings or objects; CSV. Of objects and columns `instruction`,
 * `prompt`, `goal` or `question` is taken, and an `input` that is not empty is put below it, as in Alpaca's file. Blank lines are passed over.
 *
 * @throws not-found, io; bad-input with the line for anything else, and for a file without instructions.
 */
export async function readInstructions(
  path: string,
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<string[]> {
  const instructions: string[] = [];
  for await (const { value, where } of readRows(path, signal === undefined ? {} : { signal })) {
    const text = toInstruction(value, where);
    if (text.length > maxCharacters)
      throw mismatch("bad-input", where, `an instruction of at most ${maxCharacters} characters`, `${text.length}`);
    if (instructions.length >= maxInstructions)
      throw mismatch("bad-input", path, `at most ${maxInstructions} instructions`, "more");
    instructions.push(text);
  }
  if (instructions.length === 0)
    throw mismatch("bad-input", path, "at least one instruction", "none", { hint: "write one a line" });
  return instructions;
}

async function* readRows(
  path: string,
  options: { readonly signal?: AbortSignal },
): AsyncGenerator<{ readonly value: unknown; readonly where: string }, void, void> {
  if (/\.(csv|tsv)(\.gz)?$/i.test(path)) {
    for (const { values, line } of await readCsv(path, options))
      yield { value: Object.fromEntries(values), where: `${path}:${line}` };
  } else if (/\.json(\.gz)?$/i.test(path)) {
    const list = await readJson(path, options);
    if (!Array.isArray(list)) throw mismatch("bad-input", path, "an array of instructions", showValue(list));
    for (const [i, value] of list.entries()) yield { value, where: `${path}: item ${i + 1}` };
  } else if (/\.jsonl(\.gz)?$/i.test(path)) {
    for await (const { value, line } of readJsonl(path, options)) yield { value, where: `${path}:${line}` };
  } else {
    for await (const { text, line } of readLines(path, options))
      if (text.trim() !== "") yield { value: text, where: `${path}:${line}` };
  }
}

function toInstruction(value: unknown, where: string): string {
  const row = typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  const key = keys.find((name) => row?.[name] !== undefined);
  const text = row ? (key === undefined ? undefined : row[key]) : value;
  if (typeof text !== "string")
    throw mismatch("bad-input", where, `a string, or an object with one as "${keys.join('", "')}"`, showValue(value), {
      hint: "of a CSV file the first row names the columns",
    });
  const input = row?.["input"];
  const whole = typeof input === "string" && input.trim() !== "" ? `${text.trim()}\n\n${input.trim()}` : text.trim();
  if (whole === "") throw mismatch("bad-input", where, "an instruction", "an empty one");
  return whole;
}
