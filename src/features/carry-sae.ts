import { formatSite } from "../engine/site.ts";
import { mismatch } from "../errors.ts";
import { createMatrix, type Matrix } from "../linalg/matrix.ts";
import { multiply, multiplyTransposed } from "../linalg/multiply.ts";
import type { Affine } from "../maps/fit/fit-ridge.ts";
import { trimtabVersion } from "../models/trimtab-version.ts";
import { checkSae } from "./check-sae.ts";
import type { Sae, SaeOrigin } from "./sae.ts";

/** The two maps that carry an autoencoder. */
export interface CarryingMaps {
  /** From the model it was trained on to the new one: A `[new width, old width]`. */
  readonly forward: Affine;
  /** Back: A `[old width, new width]`. */
  readonly backward: Affine;
}

export interface CarrySaeOptions {
  /**
   * Whether decoder rows are brought to length 1, the scale moved into encoder and threshold: activations then count in units of the new
   * model's states, and reconstructions stay the same. Of `topk` they do not, since other features may be the largest; so the default is
   * true for all but `topk`.
   */
  readonly isUnit?: boolean;
  /** What the carried autoencoder says of itself; the model and site are those of the new one. */
  readonly origin?: Pick<SaeOrigin, "model" | "modelSha256" | "site"> | undefined;
}

/**
 * Carries a sparse autoencoder to another model: it reads a state y through the map back, x ≈ B y + q, and writes what it would have
 * written through the map forward, A x̂ + p.
 *
 * With s the input scale: `W_enc' = s W_enc B`, `b_enc' = b_enc + W_enc (s q − [b_dec])`, `W_dec' = W_dec Aᵀ / s`, `b_dec' = A b_dec / s + p`. The
 * result has input scale 1 and does not subtract its decoder's bias; it is one autoencoder like any other, and can be trained further. Where
 * both maps are exact, its activations and what it explains are those on the old model's states. Rank: at most the old width.
 *
 * Products in float64, stored in float32.
 *
 * @throws bad-input for an autoencoder that is not sound; incompatible for maps of other widths
 * @see Chen et al., arXiv 2506.06609
 */
export function carrySae(
  sae: Sae,
  { forward, backward }: CarryingMaps,
  { isUnit = sae.activation !== "topk", origin }: CarrySaeOptions = {},
): Sae {
  checkSae(sae, "autoencoder");
  const { width: old, features, inputScale: s } = sae;
  const width = checkMaps(sae, { forward, backward });
  const encoder = toMatrix(sae.encoder, features, old);
  const read = multiply(encoder, backward.A);
  const written = multiplyTransposed(toMatrix(sae.decoder, features, old), forward.A);
  // What the encoder reads where y is 0.
  const start = Float64Array.from(backward.p, (q, t) => s * q - (sae.subtractsDecoderBias ? sae.decoderBias[t]! : 0));
  const shift = multiply(encoder, createMatrix(old, 1, start)).data;
  const centre = multiply(forward.A, createMatrix(old, 1, Float64Array.from(sae.decoderBias))).data;
  for (let at = 0; at < read.data.length; at++) {
    read.data[at] = s * read.data[at]!;
    written.data[at] = written.data[at]! / s;
  }
  const gain = isUnit ? rowLengths(written).map((length) => length || 1) : new Float64Array(features).fill(1);
  const { gate } = sae;
  const magnitude = (j: number): number => (gate ? Math.exp(gate.logScale[j]!) : 1);
  const scaleRows = (rows: Matrix, factor: (j: number) => number): Float32Array =>
    Float32Array.from(rows.data, (value, at) => value * factor(Math.floor(at / width)));
  return checkSae(
    {
      width,
      features,
      activation: sae.activation,
      // What a gate opens for does not depend on the scale: its factor holds it instead.
      encoder: scaleRows(read, (j) => (gate ? 1 : gain[j]!)),
      encoderBias: Float32Array.from(sae.encoderBias, (bias, j) => gain[j]! * (bias + magnitude(j) * shift[j]!)),
      decoder: scaleRows(written, (j) => 1 / gain[j]!),
      decoderBias: Float32Array.from(centre, (value, t) => value / s + forward.p[t]!),
      threshold: sae.threshold?.map((limit, j) => gain[j]! * limit),
      k: sae.k,
      gate: gate && {
        bias: Float32Array.from(gate.bias, (bias, j) => bias + shift[j]!),
        logScale: gate.logScale.map((value, j) => value + Math.log(gain[j]!)),
      },
      subtractsDecoderBias: false,
      inputScale: 1,
      origin: {
        format: "trimtab",
        model: origin?.model,
        modelSha256: origin?.modelSha256,
        site: origin?.site,
        facts: { carried: { from: describeOrigin(sae.origin), isUnit, trimtab: trimtabVersion() } },
      },
    },
    "carried autoencoder",
  );
}

/** Width of the new model. @throws incompatible for maps that do not join it with the autoencoder's, both ways */
function checkMaps({ width }: Sae, { forward, backward }: CarryingMaps): number {
  if (forward.A.cols !== width)
    throw mismatch("incompatible", "map", `one from width ${width}, the autoencoder's`, `from ${forward.A.cols}`);
  if (backward.A.rows !== width || backward.A.cols !== forward.A.rows)
    throw mismatch(
      "incompatible",
      "map back",
      `one from width ${forward.A.rows} to ${width}`,
      `from ${backward.A.cols} to ${backward.A.rows}`,
    );
  return forward.A.rows;
}

function describeOrigin({ model, modelSha256, site, format, facts }: SaeOrigin): object {
  return { format, model, modelSha256, site: site && formatSite(site), facts };
}

function toMatrix(values: Float32Array, rows: number, cols: number): Matrix {
  return createMatrix(rows, cols, Float64Array.from(values));
}

function rowLengths({ rows, cols, data }: Matrix): Float64Array {
  return Float64Array.from({ length: rows }, (_, j) => {
    let squares = 0;
    for (let t = j * cols; t < (j + 1) * cols; t++) squares += data[t]! ** 2;
    return Math.sqrt(squares);
  });
}
