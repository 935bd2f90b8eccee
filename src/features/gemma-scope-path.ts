import { sep } from "node:path";
import { residPost, type Site } from "../engine/site.ts";
import { mismatch } from "../errors.ts";

/** What the folders of a Gemma Scope release say, which its files of weights do not. */
export interface GemmaScopePath {
  readonly model: string | undefined;
  readonly site: Site | undefined;
  readonly facts: Readonly<Record<string, unknown>>;
}

const models = { "2b": "google/gemma-2-2b", "9b": "google/gemma-2-9b", "27b": "google/gemma-2-27b" } as const;

/**
 * Reads layer, width, mean number of active features and model from a path such as
 * `gemma-scope-2b-pt-res/layer_20/width_16k/average_l0_71/params.npz`, in a folder or in the Hub's cache.
 *
 * A path without the name of the release says nothing of the model; the layer is then taken to be of the residual stream, and `facts` says so.
 *
 * @throws unsupported for autoencoders of the embedding, which code no block's output
 */
export function parseGemmaScopePath(path: string): GemmaScopePath {
  const parts = ownPart(path);
  const [, size, kind, place] = /gemma-scope-(2b|9b|27b)-(pt|it)-(res|mlp|att)(?![a-z])/.exec(parts) ?? [];
  if (/(^|\/)embedding(\/|$)/.test(parts))
    throw mismatch("unsupported", path, "an autoencoder of the residual stream after a block", "one of the embedding", {
      hint: "such autoencoders code the input of the first block, which is not a site here",
    });
  const layer = parts
    .match(/(?<=^|\/)layer_\d{1,3}(?=\/|_|$)/g)
    ?.at(-1)
    ?.slice(6);
  const features = /(?:^|[/_])width_(\d{1,4}[km])(?:\/|_|$)/.exec(parts)?.[1];
  const l0 = /average_l0_(\d{1,6})/.exec(parts)?.[1];
  const isResidual = place === undefined || place === "res";
  return {
    model: size === undefined ? undefined : `${models[size as keyof typeof models]}${kind === "it" ? "-it" : ""}`,
    site: layer === undefined || !isResidual ? undefined : residPost(Number(layer)),
    facts: {
      ...(layer !== undefined && { hook: `blocks.${Number(layer)}.${hooks[place ?? "res"]}` }),
      ...(place === undefined &&
        layer !== undefined && { assumes: "the path names a layer and not what of it: taken as the residual stream" }),
      ...(features !== undefined && { release_width: features }),
      ...(l0 !== undefined && { average_l0: Number(l0) }),
    },
  };
}

/**
 * The part of a path that is the release's: from its name on, or without one the three folders and the file that a release has below it.
 * Folders above have names of the user's own.
 */
export function ownPart(path: string): string {
  const parts = path.split(sep).join("/");
  const release = parts.lastIndexOf("gemma-scope-");
  return release >= 0 ? parts.slice(release) : parts.split("/").slice(-4).join("/");
}

const hooks: Readonly<Record<string, string>> = { res: "hook_resid_post", mlp: "hook_mlp_out", att: "attn.hook_z" };
