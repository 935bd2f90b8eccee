import type { Capabilities } from "../description.ts";
import type { NativeModel } from "./native-model.ts";

// Ten times the state's own size: no working control vector of that length leaves the logits as they were.
const probeStrength = 10;
// Rounding moves logits by parts in a million; a vector of that size moves them by their own magnitude.
const leastChange = 1e-3;

/**
 * Proves on the open model that its blocks can be read and steered, because not every architecture names its blocks or applies
 * control vectors, and the engine says nothing when it does not.
 */
export function selfTest(model: NativeModel): Capabilities {
  const { blocks, width } = model.info;
  const tokens = probeTokens(model);
  const none = { steering: [], edits: [] };
  const layers = Array.from({ length: blocks }, (_, layer) => layer);
  let states: readonly Float32Array[];
  try {
    states = model.readStates([tokens], layers, none)[0]!;
  } catch (thrown) {
    return { tap: false, steer: false, reason: thrown instanceof Error ? thrown.message : String(thrown) };
  }
  const dead = layers.find((layer) => !states[layer]!.some((value) => value !== 0));
  if (dead !== undefined) return { tap: false, steer: false, reason: `block ${dead} delivered no hidden state` };
  if (!states.every((rows) => rows.every(Number.isFinite)))
    return { tap: false, steer: false, reason: "hidden states are not finite numbers" };
  if (blocks < 2)
    return { tap: true, steer: false, reason: "a control vector reaches blocks from 1 on, and there is one block" };

  const layer = Math.max(1, Math.floor(blocks / 2));
  const last = states[layer]!.subarray((tokens.length - 1) * width);
  const norm = Math.hypot(...last);
  const vector = alternatingVector(width, probeStrength * Math.max(norm, 1e-6));
  const at = [[tokens.length - 1]];
  const before = model.logits([tokens], at, none)[0]!;
  const after = model.logits([tokens], at, { steering: [{ layer, vector }], edits: [] })[0]!;
  const change = before.reduce((most, value, i) => Math.max(most, Math.abs(value - after[i]!)), 0);
  const size = before.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  if (change > leastChange * Math.max(size, 1e-6)) return { tap: true, steer: true, reason: undefined };
  return { tap: true, steer: false, reason: `a large vector at block ${layer} left the logits unchanged` };
}

/** BOS if there is one, a token from the middle of the vocabulary, and its last one. */
function probeTokens({ vocabulary }: NativeModel): Int32Array {
  const { bos } = vocabulary.special;
  return Int32Array.of(Math.max(bos, 0), vocabulary.size >> 1, vocabulary.size - 1);
}

/** A fixed vector of a given norm that is not constant, so that a norm layer cannot remove it. */
function alternatingVector(width: number, norm: number): Float32Array {
  const vector = Float32Array.from({ length: width }, (_, i) => Math.sin(1 + i * 2.4));
  const scale = norm / Math.hypot(...vector);
  return vector.map((value) => value * scale);
}
