import { describe, expect, test } from "vitest";
import type { TrimtabError } from "../../src/errors.ts";
import { chooseModel, listModels } from "../../src/models/hub-files.ts";
import { type HubReference, parseReference } from "../../src/models/reference.ts";

const choose = (names: string[], text: string) => chooseModel(names, parseReference(text) as HubReference);
const fail = (names: string[], text: string): TrimtabError => {
  try {
    choose(names, text);
  } catch (error) {
    return error as TrimtabError;
  }
  return expect.unreachable();
};
const many = [
  "README.md",
  "a-Q4_K_M.gguf",
  "a-Q4_K_S.gguf",
  "a.q8_0.gguf",
  "F16/a-00001-of-00002.gguf",
  "F16/a-00002-of-00002.gguf",
  "mmproj-a-F16.gguf",
  "a.imatrix.gguf",
];

describe("chooseModel(names, reference)", () => {
  test("takes the only model and all its parts", () => {
    expect(choose(["README.md", "m.gguf", "mmproj-m.gguf"], "hf:o/r")).toEqual(["m.gguf"]);
    expect(choose(["m-00002-of-00002.gguf", "m-00001-of-00002.gguf"], "hf:o/r")).toEqual([
      "m-00001-of-00002.gguf",
      "m-00002-of-00002.gguf",
    ]);
  });

  test("picks by quantisation as a whole word or folder, whatever the case", () => {
    expect(choose(many, "hf:o/r:q4_k_m")).toEqual(["a-Q4_K_M.gguf"]);
    expect(choose(many, "hf:o/r:Q8_0")).toEqual(["a.q8_0.gguf"]);
    expect(choose(many, "hf:o/r:F16")).toEqual(["F16/a-00001-of-00002.gguf", "F16/a-00002-of-00002.gguf"]);
    expect(fail(many, "hf:o/r:Q4_K").code).toBe("not-found");
  });

  test("lists the choices, ready to paste, when several fit or none does", () => {
    const several = fail(many, "hf:o/r@v1");
    expect(several.code).toBe("usage");
    expect(several.message).toContain("expected one model, got 4");
    expect(several.hint).toContain("hf:o/r@v1/a-Q4_K_M.gguf");
    expect(several.hint).not.toContain("mmproj");
    expect(fail(many, "hf:o/r/typo.gguf").hint).toContain("hf:o/r/a.q8_0.gguf");
  });

  test("takes any named part for the whole and names a missing one", () => {
    expect(choose(many, "hf:o/r/F16/a-00002-of-00002.gguf")).toHaveLength(2);
    expect(fail(["m-00001-of-00002.gguf"], "hf:o/r/m-00001-of-00002.gguf").message).toContain(
      "no m-00002-of-00002.gguf",
    );
    expect(fail(["m-00001-of-00002.gguf"], "hf:o/r").message).toContain("no m-00002-of-00002.gguf");
  });

  test("points to conversions when a repository has no GGUF", () => {
    expect(fail(["model.safetensors"], "hf:o/r").hint).toContain("r-GGUF");
    expect(listModels(["model.safetensors"])).toEqual([]);
  });
});
