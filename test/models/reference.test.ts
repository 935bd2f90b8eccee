import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { TrimtabError } from "../../src/errors.ts";
import { formatSplitName, parseSplitName, splitNames } from "../../src/formats/gguf-split.ts";
import { formatReference, parseReference } from "../../src/models/reference.ts";

const hub = { kind: "hub", repo: "owner/repo", revision: undefined, file: undefined, quantisation: undefined };

describe("parseReference(text)", () => {
  test.each([
    ["models/a.gguf", { kind: "path", path: "models/a.gguf" }],
    ["~/a.gguf", { kind: "path", path: "~/a.gguf" }],
    ["C:\\models\\a.gguf", { kind: "path", path: "C:\\models\\a.gguf" }],
    ["demo:s", { kind: "demo", name: "s" }],
    ["demo:xs1k", { kind: "demo", name: "xs1k" }],
    ["hf:owner/repo", hub],
    ["hf:owner/repo/a.gguf", { ...hub, file: "a.gguf" }],
    ["hf:owner/repo/sub dir/a.gguf", { ...hub, file: "sub dir/a.gguf" }],
    ["hf:owner/repo@v1.0/a.gguf", { ...hub, revision: "v1.0", file: "a.gguf" }],
    ["hf:owner/repo@refs/pr/1/b/a.gguf", { ...hub, revision: "refs/pr/1", file: "b/a.gguf" }],
    ["hf:owner/repo@feature%2Fx", { ...hub, revision: "feature/x" }],
    ["hf:owner/repo:Q4_K_M", { ...hub, quantisation: "Q4_K_M" }],
    ["hf:owner/repo@v1:q8_0", { ...hub, revision: "v1", quantisation: "q8_0" }],
  ])("reads %s", (text, expected) => {
    expect(parseReference(text)).toEqual(expected);
  });

  test.each([
    "",
    "  ",
    "a\0b",
    "demo:",
    "demo:xl",
    "hf:",
    "hf:owner",
    "hf:owner/",
    "hf:/repo",
    "hf:ow ner/repo",
    "hf:owner/..",
    "hf:../../etc/passwd.gguf",
    "hf:owner/repo/",
    "hf:owner/repo/../../../a.gguf",
    "hf:owner/repo/a//b.gguf",
    "hf:owner/repo/..\\..\\a.gguf",
    "hf:owner/repo/C:a.gguf",
    "hf:owner/repo/model.safetensors",
    "hf:owner/repo@/a.gguf",
    "hf:owner/repo@..%2F..%2Fx",
    "hf:owner/repo@%zz/a.gguf",
    "hf:owner/repo:",
    "hf:owner/repo:Q4 K",
  ])("refuses %j as usage", (text) => {
    expect(() => parseReference(text)).toThrow(expect.objectContaining({ code: "usage" }));
  });

  test("names the ending it expects and how to convert", () => {
    try {
      parseReference("hf:owner/repo/model.safetensors");
      expect.unreachable();
    } catch (error) {
      expect((error as TrimtabError).message).toContain("expected a file that ends in .gguf");
      expect((error as TrimtabError).hint).toContain("convert");
    }
  });

  test("gives any text a meaning or a usage error, and reads back what it wrote", () => {
    const text = fc.oneof(
      fc.string(),
      fc.string().map((tail) => `hf:${tail}`),
      fc.stringMatching(/^hf:[a-z./@:%-]{0,20}(\.gguf)?$/),
    );
    fc.assert(
      fc.property(text, (given) => {
        try {
          const reference = parseReference(given);
          expect(parseReference(formatReference(reference))).toEqual(reference);
        } catch (error) {
          expect(error).toMatchObject({ code: "usage" });
        }
      }),
    );
  });

  test("formatReference is its inverse", () => {
    const word = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.]{0,12}$/).filter((text) => !text.includes(".."));
    const revision = fc.option(
      fc.oneof(
        word,
        fc.tuple(word, word).map((parts) => parts.join("/")),
        word.map((text) => `refs/pr/${text}`),
      ),
      {
        nil: undefined,
      },
    );
    const tail = fc.oneof(
      fc.record({ file: fc.constant(undefined), quantisation: fc.option(word, { nil: undefined }) }),
      fc.record({
        file: fc.array(word, { minLength: 1, maxLength: 3 }).map((parts) => `${parts.join("/")}.gguf`),
        quantisation: fc.constant(undefined),
      }),
    );
    fc.assert(
      fc.property(word, word, revision, tail, (owner, repo, at, rest) => {
        const reference = { kind: "hub", repo: `${owner}/${repo}`, revision: at, ...rest } as const;
        expect(parseReference(formatReference(reference))).toEqual(reference);
      }),
    );
  });
});

describe("split names", () => {
  test("parseSplitName(name) and formatSplitName are inverse", () => {
    expect(parseSplitName("a/b-00002-of-00003.gguf")).toEqual({ prefix: "a/b", part: 2, parts: 3 });
    expect(formatSplitName({ prefix: "a/b", part: 2, parts: 3 })).toBe("a/b-00002-of-00003.gguf");
  });

  test("splitNames(name) lists all parts whichever is named, and a whole file as itself", () => {
    const parts = ["m-00001-of-00002.gguf", "m-00002-of-00002.gguf"];
    expect(splitNames(parts[1]!)).toEqual(parts);
    expect(splitNames("m.gguf")).toEqual(["m.gguf"]);
    expect(splitNames("m-00003-of-00002.gguf")).toEqual(["m-00003-of-00002.gguf"]);
  });
});
