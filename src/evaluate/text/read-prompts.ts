import { mismatch } from "../../errors.ts";
import { readJsonl } from "../../formats/jsonl.ts";
import { readLines } from "../../formats/read-lines.ts";

/** More prompts than anybody samples from; a mistaken file ends here instead of in memory. */
const maxPrompts = 100_000;

/**
 * Reads prompts: one a line of a text file, or JSON Lines of strings or of objects with a `"prompt"`; plain or gzip. Blank lines are
 * passed over. In JSON Lines a prompt may be empty: the model then begins a text.
 *
 * @throws not-found, io; bad-input with the line for anything else, and for a file without prompts
 */
export async function readPrompts(path: string, { signal }: { readonly signal?: AbortSignal } = {}): Promise<string[]> {
  const options = signal === undefined ? {} : { signal };
  const prompts: string[] = [];
  const add = (prompt: string): void => {
    if (prompts.length >= maxPrompts) throw mismatch("bad-input", path, `at most ${maxPrompts} prompts`, "more");
    prompts.push(prompt);
  };
  if (/\.jsonl(\.gz)?$/i.test(path))
    for await (const { value, line } of readJsonl(path, options)) {
      const prompt = typeof value === "object" && value !== null && "prompt" in value ? value.prompt : value;
      if (typeof prompt !== "string")
        throw mismatch("bad-input", `${path}:${line}`, 'a string, or an object with a "prompt"', typeof prompt);
      add(prompt);
    }
  else for await (const { text } of readLines(path, options)) if (text.trim() !== "") add(text);
  if (prompts.length === 0) throw mismatch("bad-input", path, "at least one prompt", "none");
  return prompts;
}
