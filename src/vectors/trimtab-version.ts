import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../models/package-root.ts";

/** Version of this package, for provenance. */
export function trimtabVersion(): string {
  const { version } = JSON.parse(readFileSync(join(packageRoot(), "package.json"), "utf8")) as { version: string };
  return version;
}
