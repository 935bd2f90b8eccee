import { residPost, type Site } from "../engine/site.ts";
import { mismatch } from "../errors.ts";
import { showValue } from "../formats/show-value.ts";
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
  readonly model: string | undefined;
  readonly hook: string | undefined;
  readonly site: Site | undefined;
  /** Our own record, in configurations that Trimtab wrote. */
  readonly trimtab: Readonly<Record<string, unknown>> | undefined;
  /** The whole file. */
  readonly facts: Readonly<Record<string, unknown>>;
}

/** Reads the configuration of SAELens, old or of version 6. @throws bad-input; unsupported for what cannot be computed here, by name */
export function parseSaeLensConfig(value: unknown, path: string): SaeLensConfig {
  const facts = checkObject(value, path);
  const metadata = facts["metadata"] === undefined ? {} : checkObject(facts["metadata"], `${path}: metadata`);
  const field = (...names: string[]): unknown => {
    for (const name of names) for (const from of [facts, metadata]) if (from[name] != null) return from[name];
    return undefined;
  };
  const text = (...names: string[]): string | undefined => {
    const found = field(...names);
    if (found === undefined || typeof found === "string") return found;
    throw mismatch("bad-input", `${path}: ${names[0]}`, "a string", showValue(found));
  };
  const flag = (name: string, otherwise: boolean): boolean => {
    const found = field(name) ?? otherwise;
    if (typeof found === "boolean") return found;
    throw mismatch("bad-input", `${path}: ${name}`, "true or false", showValue(found));
  };
  const count = (name: string): number => {
    const found = field(name);
    if (Number.isSafeInteger(found) && (found as number) > 0) return found as number;
    throw mismatch("bad-input", `${path}: ${name}`, "an integer above 0", showValue(found));
  };
  const normalization = field("normalize_activations") ?? "none";
  if (normalization !== "none" && normalization !== false && normalization !== "expected_average_only_in")
    throw mismatch("unsupported", `${path}: normalize_activations`, "none", showValue(normalization), {
      hint: "such an autoencoder scales each row by its own length; fold the scaling into the weights first",
    });
  const trimtab =
    metadata["trimtab"] === undefined ? undefined : checkObject(metadata["trimtab"], `${path}: metadata.trimtab`);
  const activation = toActivation(field, trimtab, path);
  const hook = text("hook_name", "hook_point");
  return {
    width: count("d_in"),
    features: count("d_sae"),
    activation,
    k: readK(field, activation, trimtab, path),
    subtractsDecoderBias: flag("apply_b_dec_to_input", true),
    rescalesByDecoderNorm: flag("rescale_acts_by_decoder_norm", false),
    model: text("model_name"),
    hook,
    site: hook === undefined ? undefined : siteOfHook(hook),
    trimtab,
    facts,
  };
}

/** `blocks.L.hook_resid_post` is our layer L; `blocks.L.hook_resid_pre` is the same stream as layer L − 1. Others are not residual streams. */
export function siteOfHook(hook: string): Site | undefined {
  const match = /^blocks\.(\d{1,5})\.hook_resid_(post|pre)$/.exec(hook);
  if (!match) return undefined;
  const layer = Number(match[1]) - (match[2] === "pre" ? 1 : 0);
  return layer < 0 ? undefined : residPost(layer);
}

function toActivation(
  field: (...names: string[]) => unknown,
  trimtab: Readonly<Record<string, unknown>> | undefined,
  path: string,
): SaeActivation {
  const architecture = field("architecture") ?? "standard";
  if (trimtab?.["activation"] === "batchtopk" && architecture === "jumprelu") return "batchtopk";
  const activationName = field("activation_fn", "activation_fn_str", "activation_fn_name") ?? "relu";
  if (architecture === "standard") {
    if (activationName === "relu" || activationName === "topk") return activationName;
    throw mismatch("unsupported", `${path}: activation_fn`, "relu or topk", showValue(activationName));
  }
  if (architecture === "jumprelu" || architecture === "topk" || architecture === "gated") return architecture;
  if (architecture === "batchtopk") return architecture;
  throw mismatch(
    "unsupported",
    `${path}: architecture`,
    "standard, jumprelu, topk, batchtopk or gated",
    showValue(architecture),
    { hint: "transcoders and crosscoders do not code the hidden states of one site" },
  );
}

function readK(
  field: (...names: string[]) => unknown,
  activation: SaeActivation,
  trimtab: Readonly<Record<string, unknown>> | undefined,
  path: string,
): number | undefined {
  const options = field("activation_fn_kwargs");
  const inside =
    typeof options === "object" && options !== null ? (options as Record<string, unknown>)["k"] : undefined;
  const k = field("k") ?? inside ?? trimtab?.["k"];
  if (activation !== "topk" && activation !== "batchtopk") return undefined;
  if (k === undefined && activation === "batchtopk") return undefined;
  if (typeof k === "number" && Number.isFinite(k) && k > 0) return k;
  throw mismatch("bad-input", `${path}: k`, "a number above 0", showValue(k));
}

function checkObject(value: unknown, where: string): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw mismatch("bad-input", where, "an object", showValue(value));
}
