import { mismatch } from "../errors.ts";
import { type Corpus, demoData, resolveCorpus } from "../index.ts";
import type { Arguments } from "./arguments.ts";
import type { Flag } from "./command.ts";

/** Which text an autoencoder is trained or scored on. */
export const saeTextFlags: Readonly<Record<"corpus" | "context" | "max-tokens", Flag>> = {
  corpus: {
    type: "string",
    value: "PATH",
    description: "text to read, a file or a folder",
    default: "the package's stories, for demo: models",
  },
  context: { type: "string", value: "N", description: "tokens in a window", default: "512, or what was trained" },
  "max-tokens": { type: "string", value: "N", description: "read at most this many tokens" },
};

/** Finds the corpus of a command line. @throws usage if none is named and the model does not come with one */
export async function readSaeCorpus(args: Arguments, command: string): Promise<Corpus> {
  const path = args.text("corpus");
  if (path !== undefined) return resolveCorpus(path);
  if (args.positionals[0]?.startsWith("demo:")) return resolveCorpus(demoData("corpus.jsonl.gz"));
  throw mismatch("usage", command, "--corpus PATH", "none", { hint: "a .txt, .jsonl or .gz file, or a folder" });
}
