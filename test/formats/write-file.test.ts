import { chmodSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { splitFiles } from "../../src/formats/gguf-split.ts";
import { removeTemporaries, writeFileAtomic } from "../../src/formats/write-file.ts";
import { temporaryFolder } from "./temporary-folder.ts";

const folder = temporaryFolder();
const bytes = (text: string) => new TextEncoder().encode(text);

function leftovers(): string[] {
  return readdirSync(folder.path).filter((name) => name.endsWith(".tmp"));
}

describe("writeFileAtomic(path, data)", () => {
  test("writes bytes, iterables and async iterables, and replaces what was there", async () => {
    const path = join(folder.path, "a.bin");
    await writeFileAtomic(path, bytes("one"));
    expect(readFileSync(path, "utf8")).toBe("one");
    await writeFileAtomic(path, [bytes("tw"), bytes("o")]);
    expect(readFileSync(path, "utf8")).toBe("two");
    await writeFileAtomic(
      path,
      (async function* () {
        yield bytes("th");
        yield bytes("ree");
      })(),
    );
    expect(readFileSync(path, "utf8")).toBe("three");
    expect(leftovers()).toEqual([]);
  });

  test("keeps the old file and removes its own when the data fails half way or the signal aborts", async () => {
    const path = folder.put("old.txt", "old");
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield bytes("new");
      expect(leftovers()).toHaveLength(1);
      throw new Error("source failed");
    }
    await expect(writeFileAtomic(path, failing())).rejects.toThrow("source failed");
    const controller = new AbortController();
    async function* aborting(): AsyncGenerator<Uint8Array> {
      yield bytes("new");
      controller.abort();
      yield bytes("more");
    }
    await expect(writeFileAtomic(path, aborting(), { signal: controller.signal })).rejects.toMatchObject({
      code: "aborted",
    });
    expect(readFileSync(path, "utf8")).toBe("old");
    expect(leftovers()).toEqual([]);
  });

  test("says what to do about a folder of that name, a missing folder, and a full disk", async () => {
    mkdirSync(join(folder.path, "folder"));
    await expect(writeFileAtomic(join(folder.path, "folder"), bytes("x"))).rejects.toMatchObject({
      code: "io",
      hint: "add a file name to the path",
    });
    await expect(writeFileAtomic(join(folder.path, "none", "a"), bytes("x"))).rejects.toMatchObject({
      code: "io",
      hint: expect.stringContaining("mkdir -p"),
    });
    // /dev/full answers every write with ENOSPC; where there is none, the folder below it is missing, which is an io error too.
    await expect(writeFileAtomic("/dev/full", bytes("x"))).rejects.toMatchObject({ code: "io" });
  });

  test("follows a symbolic link and keeps the mode of the file it replaces", async () => {
    const path = folder.put("real.txt", "old");
    chmodSync(path, 0o640);
    symlinkSync(path, join(folder.path, "link.txt"));
    await writeFileAtomic(join(folder.path, "link.txt"), bytes("new"));
    expect(readFileSync(path, "utf8")).toBe("new");
    expect(lstatSync(join(folder.path, "link.txt")).isSymbolicLink()).toBe(true);
    expect(statSync(path).mode & 0o777).toBe(0o640);
  });

  test("removeTemporaries(path) removes what killed writers left, of this name only, however long names begin alike", async () => {
    const start = "a-name-of-more-than-forty-characters-for-part-";
    // The name that a writer of each would take, seen while it writes.
    const half: string[] = [];
    for (const part of ["1", "2"]) {
      const chunks = async function* () {
        yield Buffer.from("half");
        half.push(...leftovers());
        throw new Error("stopped");
      };
      await expect(writeFileAtomic(join(folder.path, `${start}${part}`), chunks())).rejects.toThrow();
    }
    const [first, second] = half as [string, string];
    for (const name of [first, second]) folder.put(name, "half");
    await removeTemporaries(join(folder.path, `${start}1`));
    expect(leftovers()).toEqual([second]);
    // A writer that runs is left alone.
    const running = second.replace(`${process.pid}-`, `${process.ppid}-`);
    folder.put(running, "half");
    await removeTemporaries(join(folder.path, `${start}2`));
    expect(leftovers()).toEqual([running]);
    rmSync(join(folder.path, running));
  });

  test("lets several writers of one name finish, the last one whole", async () => {
    const path = join(folder.path, "race.txt");
    const texts = ["a", "b", "c", "d"].map((letter) => letter.repeat(100_000));
    await Promise.all(texts.map((text) => writeFileAtomic(path, bytes(text))));
    expect(texts).toContain(readFileSync(path, "utf8"));
    expect(leftovers()).toEqual([]);
  });
});

describe("splitFiles(path)", () => {
  test("returns the path of a single file and all parts of a split one, first first", () => {
    expect(splitFiles("x/model.gguf")).toEqual(["x/model.gguf"]);
    const parts = [1, 2, 3].map((i) => folder.put(`m-0000${i}-of-00003.gguf`, ""));
    for (const part of parts) expect(splitFiles(part)).toEqual(parts);
  });

  test("names the parts that are missing", () => {
    const part = folder.put("n-00002-of-00003.gguf", "");
    expect(() => splitFiles(part)).toThrow("2 of 3 parts are missing: n-00001-of-00003.gguf, n-00003-of-00003.gguf");
    expect(() => splitFiles(join(folder.path, "n-00004-of-00003.gguf"))).toThrow("a part from 00001");
  });
});
