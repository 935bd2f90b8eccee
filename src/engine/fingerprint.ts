import { createHash } from "node:crypto";
import type { GgufHeader } from "../formats/gguf.ts";
import { ggufBoolean, ggufNumber, ggufNumbers, ggufString, ggufStrings } from "../formats/gguf-value.ts";
import type { TokenizerDescription } from "./description.ts";

// llama.cpp's token type of ids that no text can produce.
const unusedType = 5;

/**
 * Describes a model's tokenizer from its GGUF file. The fingerprint covers what turns text into ids: token list, merges,
 * pre-tokenizer, scores, BOS and EOS as far as they are added. Unused ids at the end, by which families pad the vocabularies of
 * their sizes differently, do not count, nor does an EOS that is only a sign to stop.
 *
 * @throws unsupported if the file carries no token list
 */
export function describeTokenizer(header: GgufHeader, addsBos: boolean, addsEos: boolean): TokenizerDescription {
  const model = ggufString(header, "tokenizer.ggml.model") ?? "none";
  const pre = ggufString(header, "tokenizer.ggml.pre") ?? "default";
  const bos = ggufNumber(header, "tokenizer.ggml.bos_token_id");
  const eos = ggufNumber(header, "tokenizer.ggml.eos_token_id");
  const tokens = usedTokens(
    ggufStrings(header, "tokenizer.ggml.tokens") ?? [],
    ggufNumbers(header, "tokenizer.ggml.token_type") ?? [],
  );
  const hash = createHash("sha256");
  const add = (name: string, value: unknown) => hash.update(`${name}\n${JSON.stringify(value)}\n`);
  add("model", [model, pre]);
  add("special", [addsBos ? bos : null, addsEos ? eos : null, ggufNumber(header, "tokenizer.ggml.unknown_token_id")]);
  add("prefix", ggufBoolean(header, "tokenizer.ggml.add_space_prefix") ?? null);
  add("tokens", tokens);
  add("merges", ggufStrings(header, "tokenizer.ggml.merges") ?? []);
  add("scores", (ggufNumbers(header, "tokenizer.ggml.scores") ?? []).slice(0, tokens.length));
  return { model, pre, fingerprint: hash.digest("hex"), bos, eos, addsBos };
}

function usedTokens(tokens: readonly string[], types: readonly number[]): readonly string[] {
  let end = tokens.length;
  while (end > 0 && (types[end - 1] === unusedType || /^\[PAD\d+\]$/.test(tokens[end - 1]!))) end--;
  return tokens.slice(0, end);
}
