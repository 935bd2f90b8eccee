import { mismatch } from "../errors.ts";

/**
 * Where a hidden state is read or written: the residual stream after block `layer` (0-based).
 *
 * Layer l = output of block l = llama.cpp's tensor `l_out-l` = `direction.l` of a control-vector GGUF = Hugging Face
 * `hidden_states[l + 1]`. See docs/conventions.md.
 */
export interface Site {
  readonly layer: number;
  readonly point: "resid_post";
}

/** Names the residual stream after block `layer`. */
export function residPost(layer: number): Site {
  return { layer, point: "resid_post" };
}

/** Writes a site as `resid_post.<layer>`, the form in files and messages. */
export function formatSite(site: Site): string {
  return `${site.point}.${site.layer}`;
}

/**
 * Reads what {@link formatSite} wrote.
 *
 * @throws bad-input if the text is anything else
 */
export function parseSite(text: string): Site {
  const match = /^resid_post\.(\d{1,5})$/.exec(text);
  if (!match) throw mismatch("bad-input", "site", '"resid_post.<layer>"', JSON.stringify(text));
  return residPost(Number(match[1]));
}

/**
 * Checks that a site exists in a model of `blocks` blocks and returns it.
 *
 * @throws bad-input if the layer is not an integer in 0 … blocks − 1
 */
export function checkSite(site: Site, blocks: number, where = "site"): Site {
  if (!Number.isInteger(site.layer) || site.layer < 0 || site.layer >= blocks)
    throw mismatch("bad-input", where, `a layer from 0 to ${blocks - 1}`, String(site.layer), {
      hint: "layers are 0-based: layer l is the output of block l",
    });
  return site;
}

/** Same site. */
export function isSameSite(a: Site, b: Site): boolean {
  return a.layer === b.layer && a.point === b.point;
}
