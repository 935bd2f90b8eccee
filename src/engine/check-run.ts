import { mismatch } from "../errors.ts";
import type { Capabilities } from "./description.ts";
import type { Intervention } from "./native/native-model.ts";
import type { Edit, RunOptions } from "./open-model.ts";
import { checkSite } from "./site.ts";

export interface RunLimits {
  readonly name: string;
  readonly width: number;
  readonly blocks: number;
  readonly vocabulary: number;
  readonly context: number;
  readonly capabilities: Capabilities;
}

/**
 * Checks token ids of a sequence before the engine sees them: at least one, within the vocabulary, no longer than the context.
 *
 * @throws bad-input
 */
export function checkTokens(tokens: Int32Array, { vocabulary, context }: RunLimits, where: string): Int32Array {
  if (tokens.length === 0) throw mismatch("bad-input", where, "at least one token", "none");
  if (tokens.length > context)
    throw mismatch("bad-input", where, `at most ${context} tokens`, `${tokens.length}`, {
      hint: "shorten the text, or open the model with a larger context",
    });
  for (const token of tokens)
    if (token < 0 || token >= vocabulary)
      throw mismatch("bad-input", where, `token ids from 0 to ${vocabulary - 1}`, String(token), {
        hint: "the ids come from another tokenizer",
      });
  return tokens;
}

/**
 * Checks steering and edits of a run and returns them with nothing left open.
 *
 * @param sequences - how many sequences the call has, where that is known: an edit of another one would change nothing
 * @throws bad-input for a layer out of range, a vector of the wrong width, numbers that are not finite, an empty range
 * @throws unsupported if the model cannot be steered or tapped, with the self-test's reason
 */
export function checkIntervention(
  { steering = [], edits = [] }: RunOptions,
  limits: RunLimits,
  sequences: number = Number.POSITIVE_INFINITY,
): Intervention {
  const { name, blocks, capabilities } = limits;
  if (steering.length > 0 && !capabilities.steer)
    throw mismatch("unsupported", `steering ${name}`, "a model that can be steered", capabilities.reason ?? "this one");
  if ((edits.length > 0 || steering.some(({ layer }) => layer === 0)) && !capabilities.tap)
    throw mismatch("unsupported", `editing ${name}`, "a model that can be tapped", capabilities.reason ?? "this one");
  for (const { layer, vector } of steering) {
    checkSite({ layer, point: "resid_post" }, blocks, "steering");
    checkVector(vector, limits, `steering at layer ${layer}`);
  }
  for (const { site, vector, range, kind, sequence = 0 } of edits) {
    if (!editKinds.includes(kind)) throw mismatch("bad-input", "edit", `one of ${editKinds.join(", ")}`, String(kind));
    if (!Number.isInteger(sequence) || sequence < 0 || sequence >= sequences)
      throw mismatch("bad-input", "edit", `a sequence from 0 to ${sequences - 1}`, String(sequence));
    checkSite(site, blocks, "edit");
    if (
      range &&
      !(Number.isInteger(range.start) && Number.isInteger(range.end) && 0 <= range.start && range.start < range.end)
    )
      throw mismatch("bad-input", "edit", "a range of positions [start, end)", `[${range.start}, ${range.end})`);
    if (kind === "replace-rows" || kind === "add-rows") checkRows(vector, range, limits);
    else checkVector(vector, limits, `edit at layer ${site.layer}`);
    if (kind === "project-out" && vector.every((value) => value === 0))
      throw mismatch("bad-input", "edit", "a direction to project out", "a zero vector");
  }
  return { steering, edits };
}

// The engine squares and sums hidden states in float32, which ends at 3e38: beyond this it would answer with silent nonsense.
const longest = 1e18;

const editKinds: readonly string[] = ["add", "replace", "project-out", "replace-rows", "add-rows"];

/** Rows to write or add: one for each position, each as a vector must be. */
function checkRows(rows: Float32Array, range: Edit["range"], limits: RunLimits): void {
  if (!range) throw mismatch("bad-input", "edit", "a range of positions for the rows", "none");
  const { width } = limits;
  const count = range.end - range.start;
  if (rows.length !== count * width)
    throw mismatch("bad-input", "edit", `${count} rows of width ${width}`, `${rows.length} values`);
  for (let row = 0; row < count; row++)
    checkVector(rows.subarray(row * width, (row + 1) * width), limits, `edit at position ${range.start + row}`);
}

function checkVector(vector: Float32Array, { width, name }: RunLimits, where: string): void {
  if (vector.length !== width)
    throw mismatch("incompatible", where, `a vector of ${name}'s width ${width}`, String(vector.length), {
      hint: "the vector belongs to another model; carry it over with a map (`trimtab transfer`)",
    });
  if (!vector.every(Number.isFinite)) throw mismatch("bad-input", where, "finite numbers", "NaN or infinity");
  const norm = Math.hypot(...vector);
  if (norm > longest)
    throw mismatch("bad-input", where, `a vector no longer than ${longest.toExponential(0)}`, norm.toPrecision(2), {
      hint: "hidden states have lengths of 1 to 10000; check the strength and its unit",
    });
}
