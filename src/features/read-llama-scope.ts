import { join } from "node:path";
import { mismatch } from "../errors.ts";
import { openSafetensors } from "../formats/open-safetensors.ts";
import { readJson } from "../formats/read-text.ts";
import { checkSae } from "./check-sae.ts";
import { type ConfigFields, openFields } from "./config-fields.ts";
import { isThere } from "./is-there.ts";
import { readTensor } from "./read-tensor.ts";
import type { Sae, SaeActivation } from "./sae.ts";
import { siteOfHook } from "./saelens-config.ts";
import { toUnitDecoder } from "./unit-decoder.ts";

/** Where the weights lie, in the order in which the authors' own loader looks. */
const weights = ["sae_weights.safetensors", "checkpoints/pruned.safetensors", "checkpoints/final.safetensors"];

/**
 * Reads a folder of Llama Scope: `hyperparams.json` and the weights, which PyTorch's linear layers hold transposed.
 *
 * Inputs are scaled by √width over the mean norm of the training data's rows. Three things follow from how its authors load it: thresholds
 * belong to unscaled inputs, so they are multiplied by that scale here; they, and the choice of the k largest, were made with decoder rows
 * of length 1, so rows are brought to that length where `sparsity_include_decoder_norm` says that training counted it; and a topk
 * autoencoder with a threshold is used as jumprelu.
 *
 * @throws not-found, io; bad-input; unsupported for transcoders, gated linear units, and scaling by each row, by name; aborted
 * @see He et al., arXiv 2410.20526; https://github.com/OpenMOSS/Language-Model-SAEs
 */
export async function readLlamaScope(folder: string, signal?: AbortSignal): Promise<Sae> {
  const configPath = join(folder, "hyperparams.json");
  const fields = openFields(await readJson(configPath), configPath);
  const width = fields.count("d_model");
  const features = fields.any("d_sae") === undefined ? width * fields.count("expansion_factor") : fields.count("d_sae");
  const hook = checkHooks(fields, configPath);
  const scale = readScale(fields, width, configPath);
  const { activation, threshold, k } = readActivation(fields, configPath);
  const path = await findWeights(folder);
  await using file = await openSafetensors(path);
  const options = { signal };
  const hasBias = fields.flag("use_decoder_bias", true);
  const decoder = await readTensor(file, "decoder.weight", [width, features], { transpose: true, ...options });
  const bias = hasBias ? await readTensor(file, "decoder.bias", [width], options) : new Float32Array(width);
  const { ratio } = scale;
  const sae: Sae = {
    width,
    features,
    activation,
    encoder: await readTensor(file, "encoder.weight", [features, width], options),
    encoderBias: await readTensor(file, "encoder.bias", [features], options),
    decoder: ratio === 1 ? decoder : decoder.map((value) => value * ratio),
    decoderBias: ratio === 1 ? bias : bias.map((value) => value * ratio),
    threshold: threshold === undefined ? undefined : new Float32Array(features).fill(threshold * scale.input),
    k,
    gate: undefined,
    subtractsDecoderBias: hasBias && fields.flag("apply_decoder_bias_to_pre_encoder", true),
    inputScale: scale.input,
    origin: {
      format: "llama-scope",
      model: await readModel(folder),
      modelSha256: undefined,
      site: hook === undefined ? undefined : siteOfHook(hook),
      facts: { ...fields.all, ...(hook !== undefined && { hook }) },
    },
  };
  return checkSae(fields.flag("sparsity_include_decoder_norm", true) ? toUnitDecoder(sae) : sae, path);
}

function checkHooks(fields: ConfigFields, path: string): string | undefined {
  const hook = fields.text("hook_point_in");
  const out = fields.text("hook_point_out") ?? hook;
  if (out !== hook)
    throw mismatch(
      "unsupported",
      path,
      "an autoencoder, which gives back the states it reads",
      `output at ${out?.slice(0, 80)}`,
      {
        hint: "this is a transcoder; it predicts another part of the model and cannot be used as an autoencoder",
      },
    );
  if (fields.flag("use_glu_encoder", false)) throw mismatch("unsupported", `${path}: use_glu_encoder`, "false", "true");
  return hook;
}

/** `ratio` is input scale over output scale, 1 for what was trained on one place. */
function readScale(
  fields: ConfigFields,
  width: number,
  path: string,
): { readonly input: number; readonly ratio: number } {
  const kind = fields.text("norm_activation") ?? "token-wise";
  if (kind === "none" || kind === "inference") return { input: 1, ratio: 1 };
  if (kind !== "dataset-wise")
    throw mismatch(
      "unsupported",
      `${path}: norm_activation`,
      "dataset-wise or none",
      JSON.stringify(kind.slice(0, 40)),
      {
        hint: "it scales each row by its own norm, so that features alone do not give the row back",
      },
    );
  const where = `${path}: dataset_average_activation_norm`;
  const norms = openFields(fields.object("dataset_average_activation_norm") ?? {}, where);
  const input = norms.number("in");
  const output = norms.number("out") ?? input;
  if (input === undefined || output === undefined || input <= 0 || output <= 0)
    throw mismatch("bad-input", where, "in and out above 0", JSON.stringify(norms.all).slice(0, 60));
  return { input: Math.sqrt(width) / input, ratio: output / input };
}

function readActivation(
  fields: ConfigFields,
  path: string,
): { readonly activation: SaeActivation; readonly threshold: number | undefined; readonly k: number | undefined } {
  const name = (fields.text("act_fn") ?? "relu").toLowerCase();
  const threshold = fields.number("jump_relu_threshold") ?? 0;
  if (name === "relu") return { activation: "relu", threshold: undefined, k: undefined };
  if (name === "jumprelu" || (name === "topk" && threshold > 0))
    return { activation: "jumprelu", threshold, k: undefined };
  if (name === "topk") return { activation: "topk", threshold: undefined, k: fields.count("top_k") };
  throw mismatch("unsupported", `${path}: act_fn`, "relu, topk or jumprelu", JSON.stringify(name.slice(0, 40)));
}

async function findWeights(folder: string): Promise<string> {
  for (const name of weights) if (await isThere(join(folder, name))) return join(folder, name);
  throw mismatch("not-found", folder, `one of ${weights.join(", ")}`, "none of them", {
    hint: "download the checkpoints folder too; a .pt file is a pickle and is never opened",
  });
}

/** The model's name stands in a file of its own in some releases; in the first one only in the folder's name. */
async function readModel(folder: string): Promise<string | undefined> {
  const path = join(folder, "lm_config.json");
  if (await isThere(path)) return openFields(await readJson(path), path).text("model_name");
  return /Llama3_1-?8B-?Base/i.test(folder) ? "meta-llama/Llama-3.1-8B" : undefined;
}
