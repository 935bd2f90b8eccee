import { join } from "node:path";
import { parseSite } from "../engine/site.ts";
import { mismatch } from "../errors.ts";
import type { TensorFile } from "../formats/lazy-tensor.ts";
import { openSafetensors } from "../formats/open-safetensors.ts";
import { readJson } from "../formats/read-text.ts";
import { checkSae } from "./check-sae.ts";
import { findTensor, readTensor } from "./read-tensor.ts";
import type { Sae, SaeOrigin } from "./sae.ts";
import { parseSaeLensConfig, type SaeLensConfig, type SaeLensOptions } from "./saelens-config.ts";
import { toUnitDecoder } from "./unit-decoder.ts";

export interface ReadSaeLensOptions extends SaeLensOptions {
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads a folder of SAELens: `cfg.json` and `sae_weights.safetensors`, finished or a checkpoint of training.
 *
 * @throws not-found, io; bad-input; unsupported for transcoders, other activations, and scaling by each row, by name; aborted
 */
export async function readSaeLens(folder: string, { signal, ...options }: ReadSaeLensOptions = {}): Promise<Sae> {
  const configPath = join(folder, "cfg.json");
  const config = parseSaeLensConfig(await readJson(configPath), configPath, options);
  const { width, features, activation, k, subtractsDecoderBias, inputScale } = config;
  const path = join(folder, "sae_weights.safetensors");
  await using file = await openSafetensors(path);
  const vector = (name: string, size: number): Promise<Float32Array> => readTensor(file, name, [size], { signal });
  const isGated = activation === "gated";
  const decoder = await readTensor(file, "W_dec", [features, width], { signal });
  const sae: Sae = {
    width,
    features,
    activation,
    encoder: await readTensor(file, "W_enc", [width, features], { transpose: true, signal }),
    encoderBias: await vector(isGated ? "b_mag" : "b_enc", features),
    decoder: await scaleRows(decoder, file, config, signal),
    decoderBias: await vector("b_dec", width),
    threshold: await readThreshold(file, config, signal),
    k,
    gate: isGated ? { bias: await vector("b_gate", features), logScale: await vector("r_mag", features) } : undefined,
    subtractsDecoderBias,
    inputScale,
    origin: toOrigin(config, configPath),
  };
  return checkSae(config.rescalesByDecoderNorm ? toUnitDecoder(sae) : sae, path);
}

/** A finished file has a threshold for each feature; a checkpoint of training its logarithm, or the running one of BatchTopK for all. */
async function readThreshold(
  file: TensorFile,
  { activation, features }: SaeLensConfig,
  signal: AbortSignal | undefined,
): Promise<Float32Array | undefined> {
  if (activation !== "jumprelu" && activation !== "batchtopk") return undefined;
  if (activation === "batchtopk" && file.tensors.has("topk_threshold")) {
    const [value] = await readTensor(file, "topk_threshold", [], { signal });
    return new Float32Array(features).fill(value as number);
  }
  const tensor = findTensor(file, ["threshold", "log_threshold"], [features]);
  const values = await readTensor(file, tensor.name, [features], { signal });
  return tensor.name === "threshold" ? values : values.map(Math.exp);
}

/** Versions before 6 could multiply features by a factor each before decoding. */
async function scaleRows(
  decoder: Float32Array,
  file: TensorFile,
  { width, features }: SaeLensConfig,
  signal: AbortSignal | undefined,
): Promise<Float32Array> {
  const name = ["finetuning_scaling_factor", "scaling_factor"].find((each) => file.tensors.has(each));
  if (name === undefined) return decoder;
  const factors = await readTensor(file, name, [features], { signal });
  return decoder.map((value, at) => value * (factors[Math.floor(at / width)] as number));
}

function toOrigin({ trimtab, model, site, hook, facts }: SaeLensConfig, path: string): SaeOrigin {
  if (!trimtab) {
    const named = hook === undefined ? facts : { ...facts, hook };
    return { format: "saelens", model, modelSha256: undefined, site, facts: named };
  }
  const sha256 = trimtab.text("modelSha256");
  if (sha256 !== undefined && !/^[0-9a-f]{64}$/.test(sha256))
    throw mismatch(
      "bad-input",
      `${path}: metadata.trimtab.modelSha256`,
      "64 hexadecimal digits",
      JSON.stringify(sha256.slice(0, 80)),
    );
  const written = trimtab.text("site");
  return {
    format: "trimtab",
    model,
    modelSha256: sha256,
    site: written === undefined ? site : parseSite(written),
    facts: trimtab.object("facts") ?? {},
  };
}
