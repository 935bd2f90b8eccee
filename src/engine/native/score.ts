import { mismatch } from "../../errors.ts";
import type { ScoredItem } from "../open-model.ts";
import type { Row } from "./context.ts";
import type { Intervention, NativeModel } from "./native-model.ts";

/**
 * Log-probabilities (nats) of every token of every continuation: `[item][continuation][token]`. The prompt of an item is
 * computed once: its rows belong to the sequences of all its continuations. The last token of a continuation is scored, not decoded.
 *
 * An edit's `sequence` names an item.
 */
export function scoreContinuations(
  model: NativeModel,
  items: readonly ScoredItem[],
  intervention: Intervention,
): Float64Array[][] {
  const { steering, edits } = model.intervene(intervention);
  const context = model.contextFor(edits.length > 0);
  const result: Float64Array[][] = items.map(({ continuations }) =>
    continuations.map((c) => new Float64Array(c.length)),
  );
  // A model that runs one sequence at a time cannot share a prompt between two: its items are split beforehand.
  const share = model.limits.sequences > 1;
  const parts = items.flatMap((item, index) =>
    share
      ? chunks(item.continuations.length, model.limits.sequences).map((which) => ({ item, index, which }))
      : item.continuations.map((_, c) => ({ item, index, which: [c] })),
  );
  const tokens = parts.map(
    ({ item, which }) => item.prompt.length + sum(which, (c) => item.continuations[c]!.length - 1),
  );
  const outputs = parts.map(({ item, which }) => 1 + sum(which, (c) => item.continuations[c]!.length - 1));
  const sequences = parts.map(({ which }) => which.length);
  for (const group of model.groups(tokens, outputs, sequences)) {
    const rows: Row[] = [];
    const wanted = new Map<number, { token: number; write: (value: number) => void }[]>();
    const itemOfSlot: number[] = [];
    for (const at of group) {
      const { item, index, which } = parts[at]!;
      const first = itemOfSlot.length;
      const slots = which.map((_, i) => first + i);
      itemOfSlot.push(...which.map(() => index));
      item.prompt.forEach((token, position) => {
        rows.push({ token, position, sequences: slots, output: position === item.prompt.length - 1 });
      });
      const promptEnd = rows.length - 1;
      which.forEach((c, i) => {
        const continuation = item.continuations[c]!;
        const scores = result[index]![c]!;
        continuation.forEach((token, t) => {
          const row = t === 0 ? promptEnd : rows.length - 1;
          const targets = wanted.get(row) ?? [];
          targets.push({
            token,
            write: (value) => {
              scores[t] = value;
            },
          });
          wanted.set(row, targets);
          if (t < continuation.length - 1)
            rows.push({ token, position: item.prompt.length + t, sequences: [slots[i]!], output: true });
        });
      });
    }
    const slotEdits = edits.flatMap((edit) =>
      edit.sequence === undefined
        ? [edit]
        : itemOfSlot.flatMap((index, slot) => (index === edit.sequence ? [{ ...edit, sequence: slot }] : [])),
    );
    context.decodeOutputs({ rows, steering, edits: slotEdits }, (index, row) => {
      const logits = checkFinite(model.readLogits(context, row));
      const normaliser = logSumExp(logits);
      for (const { token, write } of wanted.get(index) ?? []) write(logits[token]! - normaliser);
    });
    context.clear();
  }
  return result;
}

/**
 * Checks that logits are numbers.
 *
 * @throws engine if one is not, which a steering vector far too long brings about
 */
export function checkFinite(logits: Float32Array): Float32Array {
  if (logits.every(Number.isFinite)) return logits;
  throw mismatch("engine", "logits", "finite numbers", "NaN or infinity", {
    hint: "the steering is too strong for the model's number format, or the file is damaged: try a smaller strength, or none",
  });
}

/** log Σ exp(x), shifted by the maximum so that it cannot overflow. */
export function logSumExp(values: Float32Array): number {
  let top = -Infinity;
  for (const value of values) if (value > top) top = value;
  let total = 0;
  for (const value of values) total += Math.exp(value - top);
  return top + Math.log(total);
}

function sum(which: readonly number[], term: (index: number) => number): number {
  return which.reduce((total, index) => total + term(index), 0);
}

/** Indices 0 … count − 1 in runs of at most `size`. */
function chunks(count: number, size: number): number[][] {
  const runs: number[][] = [];
  for (let start = 0; start < count; start += size)
    runs.push(Array.from({ length: Math.min(size, count - start) }, (_, i) => start + i));
  return runs;
}
