import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

/** A folder for one test file, removed afterwards; `put` writes a file in it and returns its path. */
export function temporaryFolder(): { path: string; put: (name: string, data: Uint8Array | string) => string } {
  const path = mkdtempSync(join(tmpdir(), "trimtab-test-"));
  afterAll(() => rmSync(path, { recursive: true, force: true }));
  return {
    path,
    put(name, data) {
      const file = join(path, name);
      writeFileSync(file, data);
      return file;
    },
  };
}
