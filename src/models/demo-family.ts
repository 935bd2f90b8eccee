import { existsSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { mismatch } from "../errors.ts";
import { packageRoot } from "./package-root.ts";

/** Sizes of the family that comes with the package, smallest first. */
export const demoNames = ["xs", "s", "m"] as const;

/** One size of the family. */
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
