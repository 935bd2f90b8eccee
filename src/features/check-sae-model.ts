import type { ModelDescription } from "../engine/description.ts";
import { checkSite, formatSite, isSameSite, type Site } from "../engine/site.ts";
import { mismatch } from "../errors.ts";
import type { Sae } from "./sae.ts";

export interface CheckSaeModelOptions {
  /** Where the states are read. Default: where the autoencoder was trained. */
  readonly site?: Site | undefined;
  /** sha256 of the model's file, where it is known. */
  readonly sha256?: string | undefined;
}

/**
 * Checks that an autoencoder can code a model's hidden states and says where: at `site`, or where it was trained.
 *
 * A different width is an error. What only makes the codes doubtful (another model by name, another file, another site) is a warning: the
 * width of a base model and its chat model are equal, and autoencoders of one are used on the other.
 *
 * @throws incompatible for another width; bad-input if the model has no such layer, or nothing says which
 */
export function checkSaeModel(
  sae: Pick<Sae, "width" | "origin">,
  { name, width, blocks }: Pick<ModelDescription, "name" | "width" | "blocks">,
  { site = sae.origin.site, sha256 }: CheckSaeModelOptions = {},
): { readonly site: Site; readonly warnings: readonly string[] } {
  const { origin } = sae;
  if (sae.width !== width)
    throw mismatch(
      "incompatible",
      "autoencoder",
      `hidden states of width ${width}, as ${name} has them`,
      `width ${sae.width}`,
      {
        hint: origin.model === undefined ? "it was trained on another model" : `it was trained on ${origin.model}`,
      },
    );
  if (!site)
    throw mismatch("bad-input", "autoencoder", "a layer of the residual stream that it was trained at", showHook(sae), {
      hint: "if you know that it codes the output of a block, name that block: --layer N, counted from 0",
    });
  checkSite(site, blocks, "layer of the autoencoder");
  const warnings: string[] = [];
  const isSameName = origin.model === undefined || plainName(origin.model) === plainName(name);
  const isSameFile = sha256 !== undefined && origin.modelSha256 === sha256;
  if (!isSameName && !isSameFile)
    warnings.push(
      `the autoencoder was trained on ${origin.model}, and this model is ${name}: its features may mean nothing here`,
    );
  else if (!isSameFile && sha256 !== undefined && origin.modelSha256 !== undefined)
    warnings.push(`the autoencoder was trained on another file of ${name}, perhaps of another quantisation`);
  if (origin.site && !isSameSite(origin.site, site))
    warnings.push(`the autoencoder was trained at ${formatSite(origin.site)} and is used at ${formatSite(site)}`);
  return { site, warnings };
}

function showHook({ origin }: Pick<Sae, "origin">): string {
  const hook = origin.facts["hook"] ?? origin.facts["hook_name"];
  return typeof hook === "string" ? hook.slice(0, 80) : "none named";
}

/** `google/gemma-2-2b` and `Gemma 2 2B` are one name. */
function plainName(name: string): string {
  return name
    .replace(/^.*\//, "")
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, "");
}
