import { openNpz } from "../formats/open-npz.ts";
import { checkSae } from "./check-sae.ts";
import { parseGemmaScopePath } from "./gemma-scope-path.ts";
import { findTensor, readTensor } from "./read-tensor.ts";
import type { Sae } from "./sae.ts";

/**
 * Reads a `params.npz` of Gemma Scope: JumpReLU, `W_enc` `[width, features]`, `W_dec` `[features, width]`, a threshold for each feature; the
 * decoder's bias is not subtracted from the input. What it was trained on is read from the path.
 *
 * @throws not-found, io, bad-input, unsupported, aborted
 * @see Lieberum et al., arXiv 2408.05147
 */
export async function readGemmaScope(path: string, signal?: AbortSignal): Promise<Sae> {
  const { model, site, facts } = parseGemmaScopePath(path);
  await using file = await openNpz(path);
  const [width, features] = findTensor(file, ["W_enc", "w_enc"], [undefined, undefined]).shape as [number, number];
  const options = { signal };
  return checkSae(
    {
      width,
      features,
      activation: "jumprelu",
      encoder: await readTensor(file, ["W_enc", "w_enc"], [width, features], { transpose: true, ...options }),
      encoderBias: await readTensor(file, "b_enc", [features], options),
      decoder: await readTensor(file, ["W_dec", "w_dec"], [features, width], options),
      decoderBias: await readTensor(file, "b_dec", [width], options),
      threshold: await readTensor(file, "threshold", [features], options),
      k: undefined,
      gate: undefined,
      subtractsDecoderBias: false,
      inputScale: 1,
      origin: { format: "gemma-scope", model, modelSha256: undefined, site, facts },
    },
    path,
  );
}
