import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { TrimtabError } from "../errors.ts";

/**
 * Finds the folder of the package `trimtab`: the nearest one above this file whose package.json has that name. Counting `..` would
 * differ between a clone (`dist/src/models`) and a bundle.
 *
 * @throws internal if there is none
 */
export function packageRoot(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  for (let folder = here; ; folder = dirname(folder)) {
    const manifest = join(folder, "package.json");
    if (existsSync(manifest) && /"name":\s*"trimtab"/.test(readFileSync(manifest, "utf8"))) return folder;
    if (dirname(folder) === folder)
      throw new TrimtabError("internal", `internal: no package.json of trimtab above ${here}`);
  }
}
