import { mkdir, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { TrimtabError } from "../../src/errors.ts";
import { demoData } from "../../src/models/demo-family.ts";
import { resolveModel } from "../../src/models/resolve-model.ts";
import { temporaryFolder } from "./temporary-folder.ts";

let folder = "";
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => rm(folder, { recursive: true }));

const put = (name: string, text = "GGUF and more") => writeFile(join(folder, name), text);
const fail = (path: string, env: Record<string, string> = {}): Promise<TrimtabError> =>
  resolveModel(path, { env }).then(
    () => expect.unreachable(),
    (error: TrimtabError) => error,
  );

describe("resolveModel(path)", () => {
  test("takes a file, absolute, and ~ as the home folder", async () => {
    await put("a.gguf");
    const expected = { path: join(folder, "a.gguf"), files: [join(folder, "a.gguf")] };
    expect(await resolveModel(join(folder, "a.gguf"))).toMatchObject(expected);
    expect(await resolveModel("~/a.gguf", { env: { HOME: folder } })).toMatchObject(expected);
  });

  test("takes any part of a split model for the whole, part 1 first", async () => {
    await put("m-00001-of-00002.gguf");
    await put("m-00002-of-00002.gguf");
    const { path, files } = await resolveModel(join(folder, "m-00002-of-00002.gguf"));
    expect(path).toBe(join(folder, "m-00001-of-00002.gguf"));
    expect(files).toHaveLength(2);
  });

  test("names the part that is missing", async () => {
    await put("m-00001-of-00002.gguf");
    const error = await fail(join(folder, "m-00001-of-00002.gguf"));
    expect(error.code).toBe("not-found");
    expect(error.message).toContain("m-00002-of-00002.gguf");
  });

  test("refuses what is missing, and offers hf: for owner/repo", async () => {
    expect((await fail(join(folder, "none.gguf"))).code).toBe("not-found");
    const error = await fail("some-owner/some-repo");
    expect(error.code).toBe("not-found");
    expect(error.hint).toContain("hf:some-owner/some-repo");
  });

  test("refuses a directory and lists the models in it", async () => {
    await put("a.gguf");
    const error = await fail(folder);
    expect(error.code).toBe("bad-input");
    expect(error.message).toContain("a directory");
    expect(error.hint).toContain("a.gguf");
    await mkdir(join(folder, "empty"));
    expect((await fail(join(folder, "empty"))).hint).toContain("no .gguf file");
  });

  test.each([
    ["an empty file", "", "an empty file", "again"],
    ["two bytes", "GG", '"GG"', "convert"],
    ["a web page", "<!DOCTYPE html>", "<", "web page"],
    ["an LFS pointer", "version https://git-lfs", "vers", "git lfs pull"],
    ["a big-endian file", "FUGG....", "big-endian", "convert"],
  ])("refuses %s and says what it is", async (_title, text, got, hint) => {
    await put("x.gguf", text);
    const error = await fail(join(folder, "x.gguf"));
    expect(error.code).toBe("bad-input");
    expect(error.message).toContain(got);
    expect(error.hint).toContain(hint);
  });
});

describe("resolveModel(demo:…)", () => {
  test("is the package's own file, wherever the program was started", async () => {
    const { path, reference } = await resolveModel("demo:m");
    expect(path).toBe(resolve("models/demo/trimtab-stories-m.gguf"));
    expect(reference).toEqual({ kind: "demo", name: "m" });
  });
});

describe("demoData(name)", () => {
  test("refuses to lead out of the folder and names what is missing", () => {
    expect(() => demoData("../../package.json")).toThrow(expect.objectContaining({ code: "bad-input" }));
    expect(() => demoData("no-such-file.txt")).toThrow(expect.objectContaining({ code: "not-found" }));
  });
});
