import { mismatch } from "../../errors.ts";
import { checkSae } from "../check-sae.ts";
import type { Sae } from "../sae.ts";
import { createParameters, normaliseRows, type Parameters } from "./parameters.ts";
import type { TrainSettings } from "./settings.ts";

/** Thresholds are learnt by their logarithm: one at 0 or below begins here, where nothing of a normalised row is lost. */
const leastThreshold = 1e-3;

/**
 * An autoencoder as training holds one: of rows scaled by `inputScale`, decoder rows of length 1 (the scale moved into the encoder), the
 * decoder's bias subtracted first. Its reconstructions are the same, but where rescaled activations change which are the largest.
 *
 * @throws bad-input for one of another width, number of features or kind
 */
export function parametersOf(sae: Sae, settings: TrainSettings, inputScale: number): Parameters {
  const { width, features } = checkSae(sae, "initial autoencoder");
  if (features !== settings.features)
    throw mismatch("bad-input", "initial autoencoder", `${settings.features} features`, String(features));
  if (sae.activation !== settings.kind)
    throw mismatch("bad-input", "initial autoencoder", `the kind ${settings.kind}`, sae.activation, {
      hint: "train the kind that it is",
    });
  const parameters = createParameters(settings, width);
  const { encoder, encoderBias, decoder, decoderBias, logThreshold } = parameters;
  // From its own scaled units to those of training.
  const ratio = inputScale / sae.inputScale;
  decoder.set(sae.decoder);
  normaliseRows(decoder, width);
  for (let t = 0; t < width; t++) decoderBias[t] = ratio * (sae.decoderBias[t] as number);
  for (let j = 0; j < features; j++) {
    let squares = 0;
    for (let at = j * width; at < (j + 1) * width; at++) squares += (sae.decoder[at] as number) ** 2;
    const gain = Math.sqrt(squares) || 1;
    let shift = ratio * (sae.encoderBias[j] as number);
    for (let t = 0, at = j * width; t < width; t++, at++) {
      encoder[at] = gain * (sae.encoder[at] as number);
      if (!sae.subtractsDecoderBias) shift += (sae.encoder[at] as number) * (decoderBias[t] as number);
    }
    encoderBias[j] = gain * shift;
    if (settings.kind === "jumprelu")
      logThreshold[j] = Math.log(Math.max(leastThreshold, gain * ratio * (sae.threshold?.[j] ?? 0)));
  }
  return parameters;
}
