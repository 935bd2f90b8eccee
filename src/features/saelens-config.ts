import { residPost, type Site } from "../engine/site.ts";
import { mismatch, type TrimtabError } from "../errors.ts";
import { showValue } from "../formats/show-value.ts";
import { type ConfigFields, openFields } from "./config-fields.ts";
import type { SaeActivation } from "./sae.ts";

/** What a `cfg.json` of SAELens says, whichever version wrote it. */
export interface SaeLensConfig {
  readonly width: number;
  readonly features: number;
  readonly activation: SaeActivation;
  readonly k: number | undefined;
  readonly subtractsDecoderBias: boolean;
  /** Pre-activations are multiplied by the length of the decoder's rows, and features divided by it before decoding. */
  readonly rescalesByDecoderNorm: boolean;
  readonly inputScale: number;
  readonly model: string | undefined;
  readonly hook: string | undefined;
  readonly site: Site | undefined;
  /** Our own record, in configurations that Trimtab wrote. */
  readonly trimtab: ConfigFields | undefined;
  /** The whole file. */
  readonly facts: Readonly<Record<string, unknown>>;
}

/** How hidden states are scaled before they are encoded, where the file does not say by how much. */
export interface SaeLensOptions {
  /** For `expected_average_only_in` that was not folded into the weights: √width over the mean norm of the rows trained on. */
  readonly inputScale?: number | undefined;
}

/**
 * Reads the configuration of SAELens: fields at the top, as before version 6, or of the model in `metadata`, as since then.
 *
 * Missing fields mean what they meant to the version that left them out: `apply_b_dec_to_input` true, `normalize_activations` none,
 * `architecture` standard, with `activation_fn_str: "topk"` making that a TopK.
 *
 * @throws bad-input; unsupported for what cannot be computed here, by name
 * @see https://github.com/decoderesearch/SAELens, sae_lens/loading/pretrained_sae_loaders.py
 */
export function parseSaeLensConfig(value: unknown, path: string, options: SaeLensOptions = {}): SaeLensConfig {
  const fields = openFields(value, path, ["metadata"]);
  const own = fields.object("trimtab");
  const trimtab = own && openFields(own, `${path}: metadata.trimtab`);
  const activation = readActivation(fields, trimtab, path);
  const hook = fields.text("hook_name", "hook_point");
  const out = fields.text("hook_name_out") ?? hook;
  if (out !== hook || fields.any("d_out") !== undefined) throw notAutoencoder(path, `output at ${showValue(out)}`);
  return {
    width: fields.count("d_in"),
    features: fields.count("d_sae"),
    activation,
    k: readK(fields, activation, trimtab, path),
    subtractsDecoderBias: fields.flag("apply_b_dec_to_input", true),
    rescalesByDecoderNorm: fields.flag("rescale_acts_by_decoder_norm", false),
    inputScale: readInputScale(fields, path, options),
    model: fields.text("model_name"),
    hook,
    site: hook === undefined ? undefined : siteOfHook(hook),
    trimtab,
    facts: fields.all,
  };
}

/** `blocks.L.hook_resid_post` is our layer L; `blocks.L.hook_resid_pre` is the same stream as layer L − 1. Others are not residual streams. */
export function siteOfHook(hook: string): Site | undefined {
  const match = /^blocks\.(\d{1,5})\.hook_resid_(post|pre)$/.exec(hook);
  if (!match) return undefined;
  const layer = Number(match[1]) - (match[2] === "pre" ? 1 : 0);
  return layer < 0 ? undefined : residPost(layer);
}

/** Names of version 6 and those of its training classes, whose checkpoints keep them. */
const architectures: Readonly<Record<string, SaeActivation>> = {
  standard: "relu",
  jumprelu: "jumprelu",
  topk: "topk",
  batchtopk: "batchtopk",
  matryoshka_batchtopk: "batchtopk",
  gated: "gated",
};

function readActivation(fields: ConfigFields, trimtab: ConfigFields | undefined, path: string): SaeActivation {
  const architecture = fields.text("architecture") ?? "standard";
  if (!Object.hasOwn(architectures, architecture)) {
    const got = `architecture ${JSON.stringify(architecture.slice(0, 40))}`;
    if (/transcoder|crosscoder|clt/.test(architecture)) throw notAutoencoder(path, got);
    throw mismatch("unsupported", path, `one of ${Object.keys(architectures).join(", ")}`, got);
  }
  const activation = architectures[architecture] as SaeActivation;
  // SAELens has no batchtopk at inference, so it is written as the jumprelu that it is.
  if (activation === "jumprelu" && trimtab?.text("activation") === "batchtopk") return "batchtopk";
  const name = fields.text("activation_fn", "activation_fn_str") ?? "relu";
  if (name === "relu" || activation === "topk" || activation === "batchtopk") return activation;
  if (name === "topk" && activation === "relu") return "topk";
  throw mismatch(
    "unsupported",
    `${path}: activation_fn`,
    activation === "relu" ? "relu or topk" : "relu",
    JSON.stringify(name.slice(0, 40)),
  );
}

function readK(
  fields: ConfigFields,
  activation: SaeActivation,
  trimtab: ConfigFields | undefined,
  path: string,
): number | undefined {
  if (activation !== "topk" && activation !== "batchtopk") return undefined;
  const k = fields.any("k") ?? fields.object("activation_fn_kwargs")?.["k"] ?? trimtab?.number("k");
  if (k === undefined && activation === "batchtopk") return undefined;
  if (typeof k === "number" && Number.isFinite(k) && k > 0) return k;
  throw mismatch("bad-input", `${path}: k`, "a number above 0", showValue(k));
}

function readInputScale(fields: ConfigFields, path: string, options: SaeLensOptions): number {
  const kind = fields.any("normalize_activations") ?? "none";
  const where = `${path}: normalize_activations`;
  if (kind === "none" || kind === false) return 1;
  if (kind === "expected_average_only_in" || kind === true) {
    const scale = options.inputScale ?? fields.number("norm_scaling_factor");
    if (scale !== undefined && Number.isFinite(scale) && scale > 0) return scale;
    throw mismatch("bad-input", where, "none, or a scale for the hidden states", `${showValue(kind)} without one`, {
      hint: "it is √width over the mean norm of the rows trained on; SAELens lists it as norm_scaling_factor: give it as the input scale",
    });
  }
  throw mismatch("unsupported", where, "none or expected_average_only_in", showValue(kind), {
    hint: "it scales each row by that row's own norm, so that features alone do not give the row back",
  });
}

function notAutoencoder(path: string, got: string): TrimtabError {
  return mismatch("unsupported", path, "an autoencoder, which gives back the states it reads", got, {
    hint: "transcoders predict another part of the model from what they read; they cannot be used as autoencoders",
  });
}
