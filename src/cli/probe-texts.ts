import { basename } from "node:path";
import { mismatch } from "../errors.ts";
import { type ProbeSource, readContrastSet, readLabelledTexts } from "../index.ts";
import type { Arguments } from "./arguments.ts";
import type { Flag } from "./command.ts";

/** Texts with labels, as pairs or one by one. */
export const probeTextFlags: Readonly<Record<"pairs" | "labelled" | "concept" | "special", Flag>> = {
  pairs: { type: "string", value: "FILE", description: "pairs of texts that have the property and have not" },
  labelled: { type: "string", value: "FILE", description: 'or one {"text": …, "label": true|false} a line, .jsonl' },
  concept: { type: "string", value: "NAME", description: "concept to take from a --pairs file that holds several" },
  special: { type: "boolean", description: "read <|…|> in the texts as special tokens" },
};

/** Reads the texts of {@link probeTextFlags}; undefined if there are none. @throws usage for both; bad-input, not-found, io */
export async function readProbeTexts(
  args: Arguments,
  command: string,
): Promise<{ readonly source: ProbeSource; readonly name: string } | undefined> {
  const [pairs, labelled] = [args.text("pairs"), args.text("labelled")];
  if (pairs !== undefined && labelled !== undefined)
    throw mismatch("usage", command, "--pairs or --labelled", "both of them");
  if (args.isSet("concept") && pairs === undefined)
    throw mismatch("usage", command, "--concept with --pairs", "--concept alone");
  if (pairs !== undefined)
    return {
      source: { pairs: await readContrastSet(pairs, { concept: args.text("concept") }) },
      name: basename(pairs),
    };
  if (labelled !== undefined)
    return { source: { labelled: await readLabelledTexts(labelled) }, name: basename(labelled) };
  return undefined;
}
