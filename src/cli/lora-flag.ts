import { mismatch } from "../errors.ts";
import type { LoraChoice } from "../index.ts";

/**
 * Reads `FILE` or `FILE=SCALE`, as in `adapter.gguf=0.5`: what stands behind the last `=` is a scale if it is a number.
 *
 * @throws usage for no file, or a scale of 0
 */
export function parseLora(text: string, flag: string): LoraChoice {
  const at = text.lastIndexOf("=");
  const scale = at < 0 ? Number.NaN : Number(text.slice(at + 1) || Number.NaN);
  const path = Number.isNaN(scale) ? text : text.slice(0, at);
  if (path.trim() !== "" && scale !== 0) return Number.isNaN(scale) ? { path } : { path, scale };
  throw mismatch("usage", flag, "FILE or FILE=SCALE, the scale not 0", JSON.stringify(text), {
    hint: "such as adapter.gguf, or adapter.gguf=0.5 for half of it",
  });
}
