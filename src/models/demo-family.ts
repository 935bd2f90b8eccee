import { existsSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { mismatch } from "../errors.ts";
import { packageRoot } from "./package-root.ts";

/**
 * Models that come with the package: the family of three sizes with one tokenizer, smallest first, then `xs1k`, as small as `xs` and taught
 * the same texts in other tokens, for maps between models whose tokenizers differ.
 */
export const demoNames = ["xs", "s", "m", "xs1k"] as const;

/** One of the models in the package. */
export type DemoName = (typeof demoNames)[number];

/**
 * Path of a demo model's GGUF file in the package.
 *
 * @throws not-found if the package was installed without it
 */
export function demoModelPath(name: DemoName): string {
  return present(join(packageRoot(), "models", "demo", `trimtab-stories-${name}.gguf`), `demo:${name}`);
}

/**
 * Path of a file or folder under the package's `models/data`: the corpora, contrast sets and items that the demo and the examples use.
 *
 * @throws bad-input if the name leads out of that folder; not-found if there is no such file
 */
export function demoData(name: string): string {
  const folder = join(packageRoot(), "models", "data");
  const path = join(folder, name);
  const inside = relative(folder, path);
  if (inside === ".." || inside.startsWith(`..${sep}`))
    throw mismatch("bad-input", "demo data", "a name inside models/data", JSON.stringify(name));
  return present(path, `demo data ${name}`);
}

function present(path: string, where: string): string {
  if (!existsSync(path))
    throw mismatch("not-found", where, `the file ${path}`, "nothing there", { hint: "install the package again" });
  return path;
}
