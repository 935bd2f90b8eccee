import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const examples = readdirSync(resolve("examples")).filter((name) => name.endsWith(".ts"));

// What a newcomer should see of each; an example without a line here fails.
const expected: Readonly<Record<string, RegExp>> = {
  "quickstart.ts": /held-out R² 0\.\d\d[\s\S]*strength 0: \S[\s\S]*strength 0\.6: \S/,
  "hidden-states.ts": /4 blocks of 128[\s\S]*‖h‖ \d+\.\d\d[\s\S]*likeliest next token ".+"/,
};

test.each(examples)(
  "examples/%s runs and prints what it promises",
  async (name) => {
    const script = resolve("dist/examples", name.replace(/\.ts$/, ".js"));
    const { stdout } = await promisify(execFile)(process.execPath, [script], { timeout: 120_000 });
    expect(stdout).toMatch(expected[name] ?? /^$/);
  },
  150_000,
);
