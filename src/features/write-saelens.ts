import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { formatSite } from "../engine/site.ts";
import { toFileError } from "../formats/file-error.ts";
import { type Tensor, writeSafetensors } from "../formats/safetensors.ts";
import { type WriteFileOptions, writeFileAtomic } from "../formats/write-file.ts";
import { checkSae } from "./check-sae.ts";
import { foldInputScale } from "./fold-input-scale.ts";
import type { Sae } from "./sae.ts";
import { transposeFloats } from "./transpose-floats.ts";

/**
 * Writes an autoencoder as a folder that SAELens loads too: `cfg.json` and `sae_weights.safetensors`, with our provenance in `metadata.trimtab`.
 *
 * `batchtopk` is written as the jumprelu that it is at inference. SAELens has no input scale, so one other than 1 is folded into the
 * weights: codes and reconstructions stay what they were, up to the rounding of float32. Without one, what is written reads back equal to the bit.
 *
 * @throws bad-input for an autoencoder that is not sound; io, aborted
 */
export async function writeSae(folder: string, sae: Sae, options: WriteFileOptions = {}): Promise<void> {
  checkSae(sae, folder);
  const folded = foldInputScale(sae);
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw toFileError(error, folder, "write");
  }
  await writeSafetensors(join(folder, "sae_weights.safetensors"), toTensors(folded), new Map(), options);
  // Last: a folder without it is not an autoencoder, whatever happened in between.
  const config = `${JSON.stringify(toConfig(folded), undefined, 2)}\n`;
  await writeFileAtomic(join(folder, "cfg.json"), new TextEncoder().encode(config), options);
}

function toTensors(sae: Sae): ReadonlyMap<string, Tensor> {
  const { width, features, gate, threshold } = sae;
  const tensors = new Map<string, Tensor>([
    ["W_enc", { shape: [width, features], data: transposeFloats(sae.encoder, { rows: features, cols: width }) }],
    ["W_dec", { shape: [features, width], data: sae.decoder }],
    ["b_dec", { shape: [width], data: sae.decoderBias }],
    [gate ? "b_mag" : "b_enc", { shape: [features], data: sae.encoderBias }],
  ]);
  if (threshold) tensors.set("threshold", { shape: [features], data: threshold });
  if (gate) {
    tensors.set("b_gate", { shape: [features], data: gate.bias });
    tensors.set("r_mag", { shape: [features], data: gate.logScale });
  }
  return tensors;
}

const architectures = {
  relu: "standard",
  jumprelu: "jumprelu",
  topk: "topk",
  batchtopk: "jumprelu",
  gated: "gated",
} as const;

function toConfig({ width, features, activation, k, subtractsDecoderBias, origin }: Sae): object {
  const { site, model, modelSha256, facts, format } = origin;
  return {
    architecture: architectures[activation],
    d_in: width,
    d_sae: features,
    dtype: "float32",
    device: "cpu",
    apply_b_dec_to_input: subtractsDecoderBias,
    normalize_activations: "none",
    reshape_activations: "none",
    ...(activation === "topk" && { k, rescale_acts_by_decoder_norm: false }),
    metadata: {
      ...(model !== undefined && { model_name: model }),
      ...(site && { hook_name: `blocks.${site.layer}.hook_${site.point}` }),
      trimtab: {
        activation,
        ...(k !== undefined && { k }),
        ...(site && { site: formatSite(site) }),
        ...(modelSha256 !== undefined && { modelSha256 }),
        readFrom: format,
        facts,
      },
    },
  };
}
