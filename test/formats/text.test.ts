import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TrimtabError } from "../../src/errors.ts";
import { parseCsv, readCsv } from "../../src/formats/csv.ts";
import { findDuplicateKey } from "../../src/formats/json-keys.ts";
import { readJsonl } from "../../src/formats/jsonl.ts";
import { readLines } from "../../src/formats/read-lines.ts";
import { readJson, readText } from "../../src/formats/read-text.ts";
import { onlyBadInput } from "./only-bad-input.ts";
import { temporaryFolder } from "./temporary-folder.ts";

const folder = temporaryFolder();

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

const lines = async (path: string) => (await all(readLines(path))).map(({ text }) => text);

describe("readLines(path)", () => {
  test("yields the same lines from text and from gzip, whatever the ending of the name", async () => {
    const text = `${"long ".repeat(30_000)}\r\nzwei: äöü 猫\n\nlast`; // longer than one 64 KiB read
    const expected = text.split(/\r?\n/);
    expect(await lines(folder.put("a.txt", text))).toEqual(expected);
    expect(await lines(folder.put("b.txt", gzipSync(text)))).toEqual(expected);
    expect(await lines(folder.put("c.txt", `${text}\n`))).toEqual(expected);
    expect(await lines(folder.put("d.txt", `\ufeffmarked\n\ufeffkept`))).toEqual(["marked", "\ufeffkept"]);
    expect(await lines(folder.put("e.txt", ""))).toEqual([]);
  });

  test("refuses what is not text, with file and line", async () => {
    const bad = folder.put("bad.txt", Buffer.from([0x6f, 0x6b, 10, 0xff, 0xfe, 10]));
    await expect(lines(bad)).rejects.toThrow(`${bad}:2: expected UTF-8 text`);
    await expect(lines(folder.put("utf16.txt", Buffer.from("\ufeffhi", "utf16le")))).rejects.toThrow("UTF-16");
    await expect(lines(folder.put("nul.txt", "a\nb\0c\n"))).rejects.toThrow("NUL");
    await expect(all(readLines(folder.put("wide.txt", "x".repeat(200)), { maxLineBytes: 100 }))).rejects.toThrow(
      "at most 100 bytes",
    );
    const cut = folder.put("cut.gz", gzipSync("hello ".repeat(1000)).subarray(0, 30));
    await expect(lines(cut)).rejects.toMatchObject({ code: "bad-input" });
    await expect(lines(folder.path)).rejects.toMatchObject({ code: "bad-input" });
    await expect(lines(join(folder.path, "none"))).rejects.toMatchObject({ code: "not-found" });
  });

  test("refuses a gzip bomb by the length of its line before it fills the memory", async () => {
    const bomb = folder.put("bomb.gz", gzipSync(Buffer.alloc(1 << 24, "x")));
    await expect(all(readLines(bomb, { maxLineBytes: 1 << 16 }))).rejects.toThrow("at most 65536 bytes");
  });

  test("closes the file when the reader stops early or aborts", async () => {
    const path = folder.put("many.txt", "line\n".repeat(100_000));
    for await (const { line } of readLines(path)) if (line === 3) break;
    const controller = new AbortController();
    const stopped = (async () => {
      for await (const { line } of readLines(path, { signal: controller.signal })) if (line === 3) controller.abort();
    })();
    await expect(stopped).rejects.toMatchObject({ code: "aborted" });
  });
});

describe("readJsonl(path)", () => {
  test("yields values with their lines and passes over blank ones", async () => {
    const path = folder.put("a.jsonl", gzipSync('{"a":1}\n\n[2]\r\n"three"'));
    expect(await all(readJsonl(path))).toEqual([
      { value: { a: 1 }, line: 1 },
      { value: [2], line: 3 },
      { value: "three", line: 4 },
    ]);
  });

  test("names file and line of what is not JSON", async () => {
    const path = folder.put("b.jsonl", '{"a":1}\n{"a":\n');
    await expect(all(readJsonl(path))).rejects.toThrow(`${path}:2: expected one JSON value, got {"a":`);
  });

  test("says bad-input or returns, for random bytes", async () => {
    const path = join(folder.path, "random.jsonl");
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 60 }), fc.boolean(), async (bytes, gzipMagic) => {
        folder.put("random.jsonl", gzipMagic ? Buffer.concat([Buffer.from([0x1f, 0x8b, 8]), bytes]) : bytes);
        try {
          await all(readJsonl(path));
        } catch (error) {
          expect(error).toBeInstanceOf(TrimtabError);
          expect(error).toMatchObject({ code: "bad-input" });
        }
      }),
      { numRuns: 200 },
    );
  });
});

test("readText and readJson read whole small files and refuse long ones", async () => {
  expect(await readText(folder.put("t.txt", gzipSync("a\r\nb\n")))).toBe("a\nb");
  expect(await readJson(folder.put("t.json", '[1,\n{"a":2}]'))).toEqual([1, { a: 2 }]);
  await expect(readText(folder.put("l.txt", "ab\n".repeat(100)), { maxBytes: 100 })).rejects.toThrow("at most 100");
  await expect(readJson(folder.put("u.json", "[1,"))).rejects.toMatchObject({ code: "bad-input" });
});

describe("parseCsv(text)", () => {
  test("reads quoted fields with commas, quotes and line breaks, and numbers the lines", () => {
    const rows = parseCsv('positive,negative\n"a, ""b""","c\nd"\ne,f\n');
    expect(rows.map(({ values }) => [...values.values()])).toEqual([
      ['a, "b"', "c\nd"],
      ["e", "f"],
    ]);
    expect(rows.map(({ line }) => line)).toEqual([3, 4]);
  });

  test("refuses ragged rows, open quotes, columns twice and nothing at all", () => {
    expect(() => parseCsv("a,b\n1,2\n1\n", { where: "x.csv" })).toThrow("x.csv:3: expected 2 fields, got 1");
    expect(() => parseCsv('a,b\n"1,2\n')).toThrow("CSV");
    expect(() => parseCsv("a,a\n1,2\n")).toThrow("each column once");
    expect(() => parseCsv("")).toThrow("columns' names");
  });

  test("says bad-input or returns, for random text, and splits .tsv at tabs", async () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("a", ",", '"', "\n", "\r", "é") }), (text) => {
        onlyBadInput(() => parseCsv(text));
      }),
      { numRuns: 500 },
    );
    const rows = await readCsv(folder.put("a.tsv", "a\tb\n1,5\t2\n"));
    expect(rows[0]!.values.get("a")).toBe("1,5");
  });
});

test("findDuplicateKey(json) finds a key twice in one object, however it is escaped, and nothing else", () => {
  expect(findDuplicateKey('{"a":1,"b":{"a":2},"c":[{"a":1},{"a":1}],"d":"a"}')).toBeUndefined();
  expect(findDuplicateKey('{"a":1,"b":{"x":1, "x" : 2}}')).toBe("x");
  expect(findDuplicateKey('{"a":1,"\\u0061":2}')).toBe("a");
  expect(findDuplicateKey('{"quote\\"{":1,"y":["}"]}')).toBeUndefined();
  fc.assert(fc.property(fc.json(), (json) => findDuplicateKey(JSON.stringify(JSON.parse(json))) === undefined));
});
