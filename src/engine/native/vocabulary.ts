import { mismatch } from "../../errors.ts";
import type { Llama, Pointer } from "./llama.ts";

const attributeUnknown = 1 << 0;
const attributeUnused = 1 << 1;
const attributeControl = 1 << 3;

/** Text ↔ token ids with a model's own tokenizer. */
export class Vocabulary {
  readonly size: number;
  readonly special: ReturnType<Llama["vocabSpecial"]>;
  private readonly llama: Llama;
  private readonly pointer: Pointer;
  private readonly addsSpacePrefix: boolean;
  private buffer = new Uint8Array(256);

  constructor(llama: Llama, pointer: Pointer) {
    this.llama = llama;
    this.pointer = pointer;
    this.size = llama.vocabSize(pointer);
    this.special = llama.vocabSpecial(pointer);
    // SentencePiece-like tokenizers put a space before the text; asking is surer than trusting a metadata key.
    this.addsSpacePrefix = this.join(this.tokenize("a", false, false), false) === " a";
  }

  tokenize(text: string, addSpecial: boolean, parseSpecial: boolean): Int32Array {
    if (text.includes("\u0000")) throw mismatch("bad-input", "text", "no NUL characters", "one");
    const bytes = new TextEncoder().encode(text);
    let out = new Int32Array(bytes.length + 8);
    let count = this.llama.tokenize(this.pointer, bytes, out, addSpecial, parseSpecial);
    if (count < 0) {
      out = new Int32Array(-count);
      count = this.llama.tokenize(this.pointer, bytes, out, addSpecial, parseSpecial);
    }
    if (count < 0) throw mismatch("engine", "tokenize", "token ids", `the engine's ${count}`);
    return out.slice(0, count);
  }

  /** Bytes of one token; special tokens are empty unless `special`. */
  piece(token: number, special: boolean): Uint8Array {
    let length = this.llama.tokenToPiece(this.pointer, token, this.buffer, special);
    if (length < 0) {
      this.buffer = new Uint8Array(-length);
      length = this.llama.tokenToPiece(this.pointer, token, this.buffer, special);
    }
    return this.buffer.slice(0, Math.max(0, length));
  }

  /** Exact inverse of tokenize: no clean-up, and the space that the tokenizer put before the text is taken away again. */
  detokenize(tokens: Int32Array, special: boolean): string {
    const text = this.join(tokens, special);
    return this.addsSpacePrefix && text.startsWith(" ") ? text.slice(1) : text;
  }

  private join(tokens: Int32Array, special: boolean): string {
    const decoder = new TextDecoder();
    let text = "";
    for (const token of tokens) text += decoder.decode(this.piece(token, special), { stream: true });
    return text + decoder.decode();
  }

  isEnd(token: number): boolean {
    return this.llama.isEndOfGeneration(this.pointer, token);
  }

  /** Every id that is not ordinary text: control, unknown and unused tokens. */
  specialTokens(): Int32Array {
    const mask = attributeControl | attributeUnknown | attributeUnused;
    const ids: number[] = [];
    for (let token = 0; token < this.size; token++)
      if ((this.llama.vocabAttributes(this.pointer, token) & mask) !== 0) ids.push(token);
    return Int32Array.from(ids);
  }

  /**
   * Checks that ids exist, so that the engine never indexes outside its embedding table.
   *
   * @throws bad-input naming the first id that does not
   */
  check(tokens: Int32Array, where: string): Int32Array {
    for (const token of tokens)
      if (token < 0 || token >= this.size)
        throw mismatch("bad-input", where, `token ids from 0 to ${this.size - 1}`, String(token), {
          hint: "the ids come from another tokenizer",
        });
    return tokens;
  }
}
