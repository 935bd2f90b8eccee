import type { OpenModel } from "../../engine/open-model.ts";
import { residPost } from "../../engine/site.ts";
import { mismatch } from "../../errors.ts";

/** A token and how much a direction raises its logit. */
export interface TokenLogit {
  readonly token: number;
  readonly text: string;
  /** Logit of the direction alone, brought to the length √width, at the end of the model. */
  readonly logit: number;
}

/**
 * The logit lens of a direction: which tokens it would make likelier and less likely if it went from where it is straight to the end of the
 * model, past all blocks between.
 *
 * The model's own last normalisation and output layer are used: the direction is written over the last block's output, and so is its reverse,
 * and half the difference of the logits is taken, which leaves out any bias. Directions of early layers are changed by the blocks that they
 * pass, so there the lens says little.
 *
 * @throws bad-input for a direction of another width, or of length 0
 * @see nostalgebraist, "interpreting GPT: the logit lens" (2020)
 */
export async function directionTokens(
  model: OpenModel,
  direction: Float32Array,
  { top = 10, signal }: { readonly top?: number | undefined; readonly signal?: AbortSignal | undefined } = {},
): Promise<{ readonly promoted: readonly TokenLogit[]; readonly suppressed: readonly TokenLogit[] }> {
  const { width, blocks, tokenizer, name } = model.description;
  if (direction.length !== width)
    throw mismatch("bad-input", "direction", `${width} values, the width of ${name}`, String(direction.length));
  const norm = Math.hypot(...direction);
  if (!(norm > 0 && Number.isFinite(norm))) throw mismatch("bad-input", "direction", "a length above 0", String(norm));
  const site = residPost(blocks - 1);
  const prompt = Int32Array.of(tokenizer.bos ?? 0);
  const logitsOf = async (sign: 1 | -1): Promise<Float32Array> => {
    const vector = direction.map((value) => (sign * value * Math.sqrt(width)) / norm);
    const [logits] = await model.logits([prompt], {
      edits: [{ kind: "replace", site, vector }],
      ...(signal && { signal }),
    });
    return logits as Float32Array;
  };
  const [along, against] = [await logitsOf(1), await logitsOf(-1)];
  const halves = Float64Array.from(along, (value, token) => (value - (against[token] as number)) / 2);
  const special = await model.specialTokens();
  const order = Array.from(halves.keys())
    .filter((token) => !special.has(token))
    .sort((a, b) => (halves[b] as number) - (halves[a] as number) || a - b);
  const show = async (tokens: readonly number[]): Promise<TokenLogit[]> => {
    const shown: TokenLogit[] = [];
    for (const token of tokens)
      shown.push({ token, text: await model.detokenize(Int32Array.of(token)), logit: halves[token] as number });
    return shown;
  };
  return { promoted: await show(order.slice(0, top)), suppressed: await show(order.slice(-top).reverse()) };
}
