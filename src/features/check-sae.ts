import { mismatch } from "../errors.ts";
import type { Sae } from "./sae.ts";

/** More features or a wider model than anybody has: numbers beyond are damage. */
const most = 2 ** 24;

/**
 * Checks that the parts of an autoencoder fit together and that every value is finite, and returns it. (A threshold may be infinite: that
 * feature is never active.)
 *
 * @throws bad-input naming the first part that does not fit
 */
export function checkSae(sae: Sae, where: string): Sae {
  const { width, features, activation, threshold, k, gate, inputScale } = sae;
  for (const [name, size] of [
    ["width", width],
    ["features", features],
  ] as const)
    if (!Number.isSafeInteger(size) || size < 1 || size > most)
      throw mismatch("bad-input", `${where}: ${name}`, `an integer from 1 to ${most}`, String(size));
  checkValues(sae.encoder, features * width, `${where}: encoder`);
  checkValues(sae.encoderBias, features, `${where}: encoder bias`);
  checkValues(sae.decoder, features * width, `${where}: decoder`);
  checkValues(sae.decoderBias, width, `${where}: decoder bias`);
  if (activation === "jumprelu" || activation === "batchtopk") {
    if (!threshold) throw mismatch("bad-input", where, `a threshold, which ${activation} needs`, "none");
    checkValues(threshold, features, `${where}: threshold`, (value) => !Number.isNaN(value));
  }
  if (activation === "gated") {
    if (!gate) throw mismatch("bad-input", where, "a gate, which gated autoencoders need", "none");
    checkValues(gate.bias, features, `${where}: gate bias`);
    checkValues(gate.logScale, features, `${where}: gate scale`);
  }
  if (activation === "topk" && (k === undefined || !Number.isSafeInteger(k) || k < 1 || k > features))
    throw mismatch("bad-input", `${where}: k`, `an integer from 1 to ${features}, the number of features`, String(k));
  if (!Number.isFinite(inputScale) || inputScale <= 0)
    throw mismatch("bad-input", `${where}: input scale`, "a number above 0", String(inputScale));
  return sae;
}

function checkValues(
  values: Float32Array,
  length: number,
  where: string,
  isGood: (value: number) => boolean = Number.isFinite,
): void {
  if (values.length !== length) throw mismatch("bad-input", where, `${length} values`, String(values.length));
  for (let i = 0; i < length; i++)
    if (!isGood(values[i] as number))
      throw mismatch("bad-input", where, "finite values", `${values[i]} at position ${i}`, {
        hint: "the file is damaged, or the training diverged",
      });
}
