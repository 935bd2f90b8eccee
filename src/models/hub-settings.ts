import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { mismatch } from "../errors.ts";

/** Where the hub is, where its files are kept, and who asks. */
export interface HubSettings {
  /** Such as `https://huggingface.co`, without a slash at the end. */
  readonly endpoint: string;
  /** The folder of `models--owner--repo`, shared with Python's `huggingface_hub`. */
  readonly cacheDir: string;
  readonly token: string | undefined;
  /** Never touch the network. */
  readonly offline: boolean;
}

/**
 * Reads the settings from the environment as Python's `huggingface_hub` does.
 *
 * `HF_ENDPOINT`; `HF_HUB_CACHE`, else `HUGGINGFACE_HUB_CACHE`, else `$HF_HOME/hub`, else `$XDG_CACHE_HOME/huggingface/hub`, else
 * `~/.cache/huggingface/hub`; `HF_TOKEN`, else `HUGGING_FACE_HUB_TOKEN`, else the file `HF_TOKEN_PATH` or `token` in that home, where
 * `hf auth login` puts it; `HF_HUB_OFFLINE` or `TRANSFORMERS_OFFLINE` as 1, true, yes or on.
 *
 * @throws usage if `HF_ENDPOINT` is not an http(s) address or the token has characters that no header may carry
 */
export function resolveHubSettings(
  env: Readonly<Record<string, string | undefined>>,
  { offline, home = homedir() }: { readonly offline?: boolean | undefined; readonly home?: string } = {},
): HubSettings {
  const root = env["HF_HOME"] || join(env["XDG_CACHE_HOME"] || join(home, ".cache"), "huggingface");
  const folder = expand(root, home);
  const cacheDir = env["HF_HUB_CACHE"] || env["HUGGINGFACE_HUB_CACHE"] || join(folder, "hub");
  return {
    endpoint: checkEndpoint(env["HF_ENDPOINT"] || "https://huggingface.co"),
    cacheDir: resolve(expand(cacheDir, home)),
    token: checkToken(env["HF_TOKEN"] || env["HUGGING_FACE_HUB_TOKEN"] || storedToken(env, folder, home)),
    offline: offline ?? (isOn(env["HF_HUB_OFFLINE"]) || isOn(env["TRANSFORMERS_OFFLINE"])),
  };
}

const isOn = (text: string | undefined) => /^(?:1|true|yes|on)$/i.test(text ?? "");
const expand = (path: string, home: string) => (/^~(?:[/\\]|$)/.test(path) ? join(home, path.slice(1)) : path);

function checkEndpoint(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== "https:" && url?.protocol !== "http:")
    throw mismatch("usage", "HF_ENDPOINT", "an address such as https://huggingface.co", JSON.stringify(text));
  return text.replace(/\/+$/, "");
}

function checkToken(text: string | undefined): string | undefined {
  const token = text?.trim() || undefined;
  // The value is a secret: name what is wrong with it, never show it.
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token))
    throw mismatch("usage", "HF_TOKEN", "a token of plain characters", "one with spaces or other characters");
  return token;
}

function storedToken(
  env: Readonly<Record<string, string | undefined>>,
  folder: string,
  home: string,
): string | undefined {
  try {
    return readFileSync(expand(env["HF_TOKEN_PATH"] || join(folder, "token"), home), "utf8");
  } catch {
    // No stored token is the usual case, and an unreadable one shows itself as a 401 with its hint.
    return undefined;
  }
}
