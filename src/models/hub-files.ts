import { mismatch } from "../errors.ts";
import { parseSplitName, splitNames } from "../formats/gguf-split.ts";
import type { HubReference } from "./reference.ts";
import { formatReference } from "./reference.ts";

/**
 * Picks the model that a reference means among the names of a repository's files: all parts of it, part 1 first.
 *
 * With a file named, that file (any part of a split model stands for the whole). With a quantisation, the one model that has it as a
 * word of its name or as a folder, whatever the case: `:Q4_K_M` is in `a-Q4_K_M.gguf`, `a.q4_k_m.gguf` and `Q4_K_M/a.gguf`, `:Q4_K`
 * in none of them. With neither, the only model; no quantisation is preferred over another, since which one was used decides the
 * numbers. Projectors (`mmproj`) and importance matrices are not models.
 *
 * @throws not-found if there is no such file, with the nearest choices; usage if several fit, with all of them
 */
export function chooseModel(names: readonly string[], reference: HubReference): string[] {
  const where = formatReference(reference);
  const models = listModels(names);
  const choices = () => `choose one: ${listChoices(reference, models)}`;
  if (models.length === 0)
    throw mismatch("not-found", where, "a repository with .gguf files", "none", {
      hint: `look for a conversion of it, often named ${reference.repo.split("/")[1]}-GGUF`,
    });
  if (reference.file !== undefined) {
    const parts = splitNames(reference.file);
    const missing = parts.filter((part) => !names.includes(part));
    if (missing.length === 0) return parts;
    const all = missing.length === parts.length;
    throw mismatch(
      "not-found",
      where,
      all ? "the file" : `${parts.length} parts`,
      all ? "no such file" : `no ${missing[0]}`,
      {
        hint: choices(),
      },
    );
  }
  const { quantisation } = reference;
  const fitting = quantisation === undefined ? models : models.filter((name) => hasWord(name, quantisation));
  if (fitting.length === 0)
    throw mismatch("not-found", where, `a model with ${quantisation} in its name`, "none", { hint: choices() });
  if (fitting.length > 1)
    throw mismatch("usage", where, "one model", `${fitting.length}`, {
      hint: `choose one: ${listChoices(reference, fitting)}`,
    });
  const parts = splitNames(fitting[0]!);
  const missing = parts.find((part) => !names.includes(part));
  if (missing !== undefined) throw mismatch("not-found", where, `${parts.length} parts`, `no ${missing}`);
  return parts;
}

/** The models among a repository's files; of a split one only the first part. */
export function listModels(names: readonly string[]): string[] {
  return names
    .filter((name) => /\.gguf$/i.test(name) && !/(?:^|[/._-])(?:mmproj|imatrix)(?:[._-]|$)/i.test(name))
    .filter((name) => (parseSplitName(name)?.part ?? 1) === 1)
    .sort();
}

function hasWord(name: string, quantisation: string): boolean {
  const words = name.toLowerCase().replace(/(?:-\d{5}-of-\d{5})?\.gguf$/, "");
  const wanted = quantisation.toLowerCase().replaceAll(/[.]/g, "\\.");
  return new RegExp(`(?:^|[/.-])${wanted}(?:[/.-]|$)`).test(words);
}

function listChoices({ repo, revision }: HubReference, models: readonly string[]): string {
  const shown = models.map((file) => formatReference({ kind: "hub", repo, revision, file, quantisation: undefined }));
  return `${shown.slice(0, 12).join(", ")}${shown.length > 12 ? `, and ${shown.length - 12} more` : ""}`;
}
