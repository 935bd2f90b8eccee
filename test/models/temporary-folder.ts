import { existsSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A new folder, in memory where the system offers that: downloads are synced to the disk, which on a busy one takes seconds each. */
export function temporaryFolder(): Promise<string> {
  return mkdtemp(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "trimtab-test-"));
}
