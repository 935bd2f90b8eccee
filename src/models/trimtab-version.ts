import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "./package-root.ts";

/** Version of this package, from its package.json: for provenance and `--version`. */
export function trimtabVersion(): string {
  return /"version":\s*"([^"]+)"/.exec(readFileSync(join(packageRoot(), "package.json"), "utf8"))?.[1] ?? "unknown";
}
