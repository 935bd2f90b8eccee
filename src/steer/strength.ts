import { mismatch } from "../errors.ts";

/**
 * How hard to steer. `absolute`: the length that is added, the paper's α in `h + α v/‖v‖`. `rms`: the same in units of the median row norm
 * of the hidden states at the site, comparable between layers and models. `raw`: a factor on the vector as it is, which is what llama.cpp
 * does with `--control-vector-scaled`. Negative reverses.
 */
export interface Strength {
  readonly value: number;
  readonly unit: StrengthUnit;
}

export type StrengthUnit = "absolute" | "rms" | "raw";

const suffixes: Readonly<Record<StrengthUnit, string>> = { absolute: "", rms: "n", raw: "x" };

/**
 * Reads a strength of the command line: `8` adds a length of 8, `0.5n` half a median row norm, `1.5x` one and a half times the vector as
 * it is.
 *
 * @throws bad-input for anything else
 */
export function parseStrength(text: string): Strength {
  const match = /^([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)([nx]?)$/i.exec(text.trim());
  const value = Number(match?.[1]);
  if (!match || !Number.isFinite(value))
    throw mismatch("bad-input", "strength", "a number, or one followed by n or x", JSON.stringify(text), {
      hint: "8 adds a length of 8, 0.5n half a median row norm, 1.5x one and a half times the vector as it is",
    });
  const suffix = match[2]!.toLowerCase();
  return { value, unit: suffix === "n" ? "rms" : suffix === "x" ? "raw" : "absolute" };
}

/** Writes what {@link parseStrength} reads. */
export function formatStrength({ value, unit }: Strength): string {
  return `${value}${suffixes[unit]}`;
}

/** A vector's file and how hard to steer with it. */
export interface VectorArgument {
  readonly path: string;
  readonly strength: Strength;
}

/**
 * Reads `FILE=STRENGTH`, as in `happy.gguf=8` or `C:\vectors\sad.safetensors=-0.5n`; the last `=` counts.
 *
 * @throws bad-input if there is no file or no strength
 */
export function parseVectorArgument(text: string): VectorArgument {
  const at = text.lastIndexOf("=");
  if (at < 1 || at === text.length - 1)
    throw mismatch("bad-input", "vector", "FILE=STRENGTH", JSON.stringify(text), {
      hint: "for example happy.gguf=8, or happy.gguf=0.5n for half a median row norm",
    });
  return { path: text.slice(0, at), strength: parseStrength(text.slice(at + 1)) };
}
