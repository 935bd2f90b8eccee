import { seededRandom } from "../../linalg/random.ts";
import { mixSeed } from "../../maps/collect/split-groups.ts";
import { decodeRows } from "../decode.ts";
import { encodeRows } from "../encode.ts";
import type { Sae } from "../sae.ts";
import type { SparseRows } from "../sparse-rows.ts";
import type { SaeArm } from "./sae-scores.ts";
import type { ScoredText } from "./scored-text.ts";

/** Something that writes rows in place of the model's own. */
export interface Coder {
  readonly name: SaeArm["name"];
  /** Reconstructions `[n, width]` of rows, and their features where there are any. */
  readonly code: (rows: Float32Array) => { readonly rows: Float32Array; readonly features: SparseRows | undefined };
}

/**
 * The autoencoder and its nulls.
 *
 * - untrained: as many random directions, read and written alike, and about as many active features a row (the k largest); all of it
 *   scaled by the one factor that suits these rows best, which favours it
 * - shuffled features: the autoencoder, each feature writing another one's direction
 * - the mean of the rows scored; zeros
 */
export function openCoders(sae: Sae, text: ScoredText, seed: number): readonly Coder[] {
  const { width, mean } = text;
  const constant = (name: SaeArm["name"], row: Float64Array): Coder => ({
    name,
    code: ({ length }) => {
      const rows = new Float32Array(length);
      for (let at = 0; at < length; at += width) rows.set(row, at);
      return { rows, features: undefined };
    },
  });
  return [
    ofSae("autoencoder", sae),
    ofSae("untrained", untrained(sae, text, seed)),
    ofSae("shuffled features", shuffled(sae, seed)),
    constant("mean row", mean),
    constant("zero row", new Float64Array(width)),
  ];
}

function ofSae(name: SaeArm["name"], sae: Sae): Coder {
  return {
    name,
    code: (rows) => {
      const features = encodeRows(sae, rows);
      return { rows: decodeRows(sae, features), features };
    },
  };
}

function untrained(sae: Sae, { units, mean, rowCount, width }: ScoredText, seed: number): Sae {
  const random = seededRandom(mixSeed(seed + 21, 0));
  const decoder = new Float32Array(sae.features * width);
  for (let j = 0; j < sae.features; j++) {
    const row = Float64Array.from({ length: width }, () => random.normal());
    const norm = Math.hypot(...row);
    for (let t = 0; t < width; t++) decoder[j * width + t] = (row[t] as number) / norm;
  }
  const active = units.reduce((sum, { rows }) => sum + encodeRows(sae, rows).indices.length, 0);
  const bare: Sae = {
    width,
    features: sae.features,
    activation: "topk",
    encoder: decoder,
    encoderBias: new Float32Array(sae.features),
    decoder,
    decoderBias: Float32Array.from(mean),
    threshold: undefined,
    k: Math.min(sae.features, Math.max(1, Math.round(active / rowCount))),
    gate: undefined,
    subtractsDecoderBias: true,
    inputScale: 1,
    origin: { format: "trimtab", model: undefined, modelSha256: undefined, site: undefined, facts: {} },
  };
  let [cross, square] = [0, 0];
  for (const { rows } of units) {
    const written = decodeRows(bare, encodeRows(bare, rows));
    for (let at = 0; at < rows.length; at++) {
      const centre = bare.decoderBias[at % width] as number;
      const made = (written[at] as number) - centre;
      cross += made * ((rows[at] as number) - centre);
      square += made * made;
    }
  }
  const factor = square > 0 ? cross / square : 0;
  return { ...bare, decoder: decoder.map((value) => value * factor) };
}

function shuffled(sae: Sae, seed: number): Sae {
  const { features, width } = sae;
  const order = seededRandom(mixSeed(seed + 22, 0)).shuffle(Array.from({ length: features }, (_, j) => j));
  const decoder = new Float32Array(sae.decoder.length);
  order.forEach((from, to) => {
    decoder.set(sae.decoder.subarray(from * width, (from + 1) * width), to * width);
  });
  return { ...sae, decoder };
}
