import { dirname, join } from "node:path";
import { residPost, type Site } from "../engine/site.ts";
import { mismatch } from "../errors.ts";
import { openSafetensors } from "../formats/open-safetensors.ts";
import { readJson } from "../formats/read-text.ts";
import { checkSae } from "./check-sae.ts";
import { openFields } from "./config-fields.ts";
import { ownPart, parseGemmaScopePath } from "./gemma-scope-path.ts";
import { isThere } from "./is-there.ts";
import { findTensor, readTensor } from "./read-tensor.ts";
import type { Sae } from "./sae.ts";

/**
 * Reads a `params.safetensors` of Gemma Scope 2 with the `config.json` beside it: JumpReLU, as the first Gemma Scope.
 *
 * @throws unsupported for transcoders, cross-layer transcoders and skip connections, which do not code the states they read; not-found, io,
 *   bad-input, aborted
 */
export async function readGemmaScope2(path: string, signal?: AbortSignal): Promise<Sae> {
  const { model, site, facts } = await readConfig(path);
  await using file = await openSafetensors(path);
  if (file.tensors.has("affine_skip_connection"))
    throw notCoded(path, "affine_skip_connection, which only transcoders have");
  const encoder = findTensor(file, ["w_enc", "W_enc"], [undefined, undefined]);
  const [width, features] = encoder.shape as [number, number];
  const options = { signal };
  return checkSae(
    {
      width,
      features,
      activation: "jumprelu",
      encoder: await readTensor(file, encoder.name, [width, features], { transpose: true, ...options }),
      encoderBias: await readTensor(file, "b_enc", [features], options),
      decoder: await readTensor(file, ["w_dec", "W_dec"], [features, width], options),
      decoderBias: await readTensor(file, "b_dec", [width], options),
      threshold: await readTensor(file, "threshold", [features], options),
      k: undefined,
      gate: undefined,
      subtractsDecoderBias: false,
      inputScale: 1,
      origin: { format: "gemma-scope-2", model, modelSha256: undefined, site, facts },
    },
    path,
  );
}

interface Config {
  readonly model: string | undefined;
  readonly site: Site | undefined;
  readonly facts: Readonly<Record<string, unknown>>;
}

async function readConfig(path: string): Promise<Config> {
  const configPath = join(dirname(path), "config.json");
  if (!(await isThere(configPath))) return readPath(path);
  const fields = openFields(await readJson(configPath), configPath);
  const kind = fields.text("type") ?? "sae";
  if (kind !== "sae") throw notCoded(configPath, `type ${JSON.stringify(kind.slice(0, 40))}`);
  if (fields.flag("affine_connection", false))
    throw notCoded(configPath, "an affine connection, which only transcoders have");
  const architecture = fields.text("architecture") ?? "jump_relu";
  if (architecture !== "jump_relu")
    throw mismatch(
      "unsupported",
      `${configPath}: architecture`,
      "jump_relu",
      JSON.stringify(architecture.slice(0, 40)),
    );
  const hook = fields.text("hf_hook_point_in");
  const out = fields.text("hf_hook_point_out");
  if (out !== undefined && out !== hook) throw notCoded(configPath, `an output at ${out.slice(0, 80)}`);
  return {
    model: fields.text("model_name")?.replace("gemma-v3", "gemma-3"),
    site: hook === undefined ? readPath(path).site : siteOfModule(hook),
    facts: { ...fields.all, ...(hook !== undefined && { hook }) },
  };
}

function readPath(path: string): Config {
  const parts = ownPart(path);
  if (/transcoder|clt/.test(parts)) throw notCoded(path, "a transcoder, as its folder is named");
  const { site, facts } = parseGemmaScopePath(path);
  const [, size, kind] = /gemma-scope-2-(270m|1b|4b|12b|27b)-(pt|it)/.exec(parts) ?? [];
  const isOther = /attn_out|mlp_out/.test(parts);
  return {
    model: size === undefined ? undefined : `google/gemma-3-${size}-${kind}`,
    site: isOther ? undefined : site,
    facts: isOther ? {} : facts,
  };
}

/** `model.layers.L.output` is the residual stream after block L. */
function siteOfModule(hook: string): Site | undefined {
  const layer = /^(?:model\.|language_model\.)*layers\.(\d{1,5})\.output$/.exec(hook)?.[1];
  return layer === undefined ? undefined : residPost(Number(layer));
}

function notCoded(path: string, got: string): Error {
  return mismatch("unsupported", path, "an autoencoder, which gives back the states it reads", got, {
    hint: "transcoders predict another part of the model from what they read; they cannot be used as autoencoders",
  });
}
