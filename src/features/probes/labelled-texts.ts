import { createHash } from "node:crypto";
import { maxPairs } from "../../activations/contrast-set.ts";
import { mismatch } from "../../errors.ts";
import { readJsonl } from "../../formats/jsonl.ts";
import { showValue } from "../../formats/show-value.ts";

/** A text that has a property, or has not. */
export interface LabelledText {
  readonly text: string;
  readonly label: boolean;
  /** Texts of one group stay on one side of any split: parts of a document, versions of a sentence. By default each is its own. */
  readonly group: string | undefined;
  /** File and line it was read from, for errors. */
  readonly where: string;
}

/** As many texts as pairs have. */
const maxTexts = 2 * maxPairs;

/**
 * Reads labelled texts from JSON Lines, gzip unpacked: `{"text": …, "label": true | false | 1 | 0}`, and `"group"` (a string or a number)
 * where some belong together.
 *
 * @throws not-found, io; bad-input, naming the line, for rows of another shape; for texts of one class only, or too many
 */
export async function readLabelledTexts(path: string): Promise<LabelledText[]> {
  const texts: LabelledText[] = [];
  for await (const { value, line } of readJsonl(path)) {
    const where = `${path}:${line}`;
    if (texts.length === maxTexts) throw mismatch("bad-input", where, `at most ${maxTexts} texts`, "one more");
    texts.push(toLabelledText(value, where));
  }
  const positive = texts.filter(({ label }) => label).length;
  if (positive === 0 || positive === texts.length)
    throw mismatch("bad-input", path, "texts of both labels", `${positive} positive of ${texts.length}`, {
      hint: 'write one {"text": …, "label": true or false} a line',
    });
  return texts;
}

function toLabelledText(value: unknown, where: string): LabelledText {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw mismatch("bad-input", where, "an object", showValue(value));
  const { text, label, group } = value as Record<string, unknown>;
  if (typeof text !== "string" || text.trim() === "")
    throw mismatch("bad-input", where, '"text" as a string that is not empty', showValue(text));
  const found = label === true || label === 1 ? true : label === false || label === 0 ? false : undefined;
  if (found === undefined) throw mismatch("bad-input", where, '"label" as true, false, 1 or 0', showValue(label));
  if (group !== undefined && typeof group !== "string" && typeof group !== "number")
    throw mismatch("bad-input", where, '"group" as a string or a number', showValue(group));
  return { text, label: found, group: group === undefined ? undefined : String(group), where };
}

/** sha256 (hex) of texts with their labels, in order. */
export function hashTexts(texts: readonly { readonly text: string; readonly label: boolean }[]): string {
  const hash = createHash("sha256");
  for (const { text, label } of texts) hash.update(`${JSON.stringify([text, label])}\n`);
  return hash.digest("hex");
}
