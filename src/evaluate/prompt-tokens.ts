import type { OpenModel } from "../engine/open-model.ts";
import { mismatch } from "../errors.ts";

/**
 * Tokenises a text that something is to follow: a BOS token in front as the model's file says, never an EOS behind.
 *
 * An empty text becomes the BOS token (or the EOS token of a model without BOS), because a continuation needs something before it.
 *
 * @throws bad-input for an empty text where the model has neither
 */
export async function toPromptTokens(
  model: Pick<OpenModel, "tokenize" | "description">,
  text: string,
  { parseSpecial = false }: { readonly parseSpecial?: boolean } = {},
): Promise<Int32Array> {
  const { bos, eos, addsBos } = model.description.tokenizer;
  if (text === "") {
    const only = bos ?? eos;
    if (only === undefined)
      throw mismatch("bad-input", "prompt", "some text, since this model has no BOS token", "an empty prompt");
    return Int32Array.of(only);
  }
  // Not the engine's own addSpecial: for some files it also appends an EOS, which would part prompt and continuation.
  const ids = await model.tokenize(text, { addSpecial: false, parseSpecial });
  if (!addsBos || bos === undefined || ids[0] === bos) return ids;
  return Int32Array.from([bos, ...ids]);
}
