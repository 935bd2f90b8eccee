import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";

const main = resolve("dist/src/cli/main.js");

test.runIf(existsSync("/dev/full"))(
  "a result that cannot be written to stdout is an error of one line and status 9",
  () => {
    const { status, stderr } = spawnSync("/bin/sh", ["-c", `"${process.execPath}" "${main}" --help >/dev/full`], {
      encoding: "utf8",
    });
    expect(status).toBe(9);
    expect(stderr).toMatch(/^trimtab: stdout: .*ENOSPC.*\n$/);
  },
);

test.runIf(existsSync("/dev/full"))("messages that cannot be written to stderr leave the status as it is", () => {
  const command = `"${process.execPath}" "${main}" inspect none.gguf 2>/dev/full; echo $?`;
  expect(execFileSync("/bin/sh", ["-c", command], { encoding: "utf8" }).trim()).toBe("4");
});
