import { readFileSync } from "node:fs";
import { join } from "node:path";
import { mismatch } from "../errors.ts";
import { packageRoot } from "../models/package-root.ts";

/** The version of this package, for provenance. @throws internal if its package.json has none */
export function trimtabVersion(): string {
  const path = join(packageRoot(), "package.json");
  const manifest: unknown = JSON.parse(readFileSync(path, "utf8"));
  if (
    typeof manifest === "object" &&
    manifest !== null &&
    "version" in manifest &&
    typeof manifest.version === "string"
  )
    return manifest.version;
  throw mismatch("internal", `internal: ${path}`, "a version string", "none");
}
