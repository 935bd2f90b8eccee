import { resolve } from "node:path";
import type { EngineModel } from "../../src/engine/engine-model.ts";
import { openModel } from "../../src/engine/open.ts";

/** Path of a model of the embedded family. */
export function demoPath(size: "xs" | "s" | "m" | "xs1k"): string {
  return resolve(`models/demo/trimtab-stories-${size}.gguf`);
}

/** Opens one with a single thread: results are then the same on every machine of a kind, and test files share the cores. */
export function openDemo(size: "xs" | "s" | "m" | "xs1k", options: { context?: number } = {}): Promise<EngineModel> {
  return openModel(demoPath(size), { threads: 1, ...options });
}

/** Largest absolute difference of two rows. */
export function maxDifference(a: Float32Array, b: Float32Array): number {
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
}

/** A fixed direction of a given norm. */
export function direction(width: number, norm: number, phase = 1): Float32Array {
  const raw = Float32Array.from({ length: width }, (_, i) => Math.sin(phase + 1.7 * i));
  const scale = norm / Math.hypot(...raw);
  return raw.map((value) => value * scale);
}
