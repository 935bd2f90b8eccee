import { join } from "node:path";
import { parseSite } from "../engine/site.ts";
import { mismatch } from "../errors.ts";
import { readJson } from "../formats/read-text.ts";
import { readSafetensors, type Safetensors } from "../formats/safetensors.ts";
import { checkSae } from "./check-sae.ts";
import type { Sae, SaeOrigin } from "./sae.ts";
import { parseSaeLensConfig, type SaeLensConfig } from "./saelens-config.ts";
import { floatTensor } from "./tensor-of.ts";
import { transposeFloats } from "./transpose-floats.ts";

/** Reads a folder of SAELens: `cfg.json` and `sae_weights.safetensors`. @throws not-found, io, bad-input, unsupported */
export async function readSaeLens(folder: string): Promise<Sae> {
  const configPath = join(folder, "cfg.json");
  const config = parseSaeLensConfig(await readJson(configPath), configPath);
  const path = join(folder, "sae_weights.safetensors");
  const file = await readSafetensors(path);
  const { width, features, activation } = config;
  const vector = (name: string, size: number): Float32Array => floatTensor(file, name, [size], path).data;
  const encoder = floatTensor(file, "W_enc", [width, features], path).data;
  const decoder = floatTensor(file, "W_dec", [features, width], path).data;
  const isGated = activation === "gated";
  const sae: Sae = {
    width,
    features,
    activation,
    encoder: transposeFloats(encoder, { rows: width, cols: features }),
    encoderBias: vector(isGated ? "b_mag" : "b_enc", features),
    decoder,
    decoderBias: vector("b_dec", width),
    threshold: readThreshold(file, config, path),
    k: config.k,
    gate: isGated ? { bias: vector("b_gate", features), logScale: vector("r_mag", features) } : undefined,
    subtractsDecoderBias: config.subtractsDecoderBias,
    inputScale: 1,
    origin: toOrigin(config, configPath),
  };
  return checkSae(config.rescalesByDecoderNorm ? foldDecoderNorm(sae) : sae, path);
}

function readThreshold(
  file: Safetensors,
  { activation, features }: SaeLensConfig,
  path: string,
): Float32Array | undefined {
  if (activation === "jumprelu") return floatTensor(file, "threshold", [features], path).data;
  if (activation !== "batchtopk") return undefined;
  const name = file.tensors.has("threshold") ? "threshold" : "topk_threshold";
  const tensor = file.tensors.get(name);
  if (tensor && tensor.shape.length === 1) return floatTensor(file, name, [features], path).data;
  const value = floatTensor(file, name, [], path).data[0] as number;
  return new Float32Array(features).fill(value);
}

/** The same autoencoder with decoder rows of length 1. Features whose decoder row is 0 stay as they are. */
function foldDecoderNorm(sae: Sae): Sae {
  const encoder = sae.encoder.slice();
  const decoder = sae.decoder.slice();
  const encoderBias = sae.encoderBias.slice();
  for (let j = 0; j < sae.features; j++) {
    const row = decoder.subarray(j * sae.width, (j + 1) * sae.width);
    const norm = Math.hypot(...row);
    if (norm === 0) continue;
    encoderBias[j] = (encoderBias[j] as number) * norm;
    for (let i = 0; i < sae.width; i++) {
      row[i] = (row[i] as number) / norm;
      encoder[j * sae.width + i] = (encoder[j * sae.width + i] as number) * norm;
    }
  }
  return { ...sae, encoder, decoder, encoderBias };
}

function toOrigin({ trimtab, model, site, facts }: SaeLensConfig, path: string): SaeOrigin {
  if (!trimtab) return { format: "saelens", model, modelSha256: undefined, site, facts };
  const text = (name: string): string | undefined => {
    const value = trimtab[name];
    if (value === undefined || typeof value === "string") return value;
    throw mismatch("bad-input", `${path}: metadata.trimtab.${name}`, "a string", typeof value);
  };
  const written = text("site");
  const own = trimtab["facts"];
  return {
    format: "trimtab",
    model,
    modelSha256: text("modelSha256"),
    site: written === undefined ? site : parseSite(written),
    facts: typeof own === "object" && own !== null && !Array.isArray(own) ? (own as Record<string, unknown>) : {},
  };
}
