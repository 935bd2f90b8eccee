import { expect, test } from "vitest";
import { checkLinalg } from "../../src/cli/doctor-linalg.ts";
import { useLinalg } from "../../src/index.ts";

/** An environment in which no library is found: the names of Windows on another system, and the other way round. */
const foreign = process.platform === "win32" ? "linux" : "win32";

test("checkLinalg(env) advises how to get a system library, unless portable products were chosen", () => {
  try {
    const [finding, ...rest] = checkLinalg({}, foreign);
    expect(rest).toEqual([]);
    expect(finding).toMatchObject({ about: "matrix products", state: "good" });
    expect(finding!.found).toMatch(/^portable (WebAssembly|TypeScript) kernel/);
    expect(finding!.advice).toMatch(
      foreign === "win32" ? /TRIMTAB_BLAS.*libopenblas\.dll/ : /apt install libopenblas0/,
    );
    expect(checkLinalg({ TRIMTAB_BLAS: "portable" })[0]!.advice).toBeUndefined();
  } finally {
    useLinalg();
  }
});

test("checkLinalg(env) reports a TRIMTAB_BLAS that cannot be used as a problem", () => {
  try {
    const [finding] = checkLinalg({ TRIMTAB_BLAS: "/nowhere/libblas.so" });
    expect(finding).toMatchObject({ state: "problem", advice: expect.stringContaining("unset TRIMTAB_BLAS") });
  } finally {
    useLinalg();
  }
});
