import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Corpus, type CorpusDocument, resolveCorpus, toCorpus } from "../../src/activations/corpus.ts";
import { cutText } from "../../src/activations/cut-text.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "trimtab-corpus-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function file(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await mkdir(join(path, ".."), { recursive: true });
  await writeFile(path, content);
  return path;
}

async function read(corpus: Corpus): Promise<CorpusDocument[]> {
  const documents: CorpusDocument[] = [];
  for await (const document of corpus.documents()) documents.push(document);
  return documents;
}

const textsOf = async (path: string): Promise<string[]> =>
  (await read(await resolveCorpus(path))).map(({ text }) => text);

test("resolveCorpus(file.txt) reads the whole file as one document; blank lines do not divide it", async () => {
  expect(await textsOf(await file("one.txt", "One.\n\n\nTwo.\n"))).toEqual(["One.\n\n\nTwo."]);
});

test("resolveCorpus(file.txt) divides at <|endoftext|>, on a line of its own or within one", async () => {
  const path = await file("many.txt", "One.\nMore.\n<|endoftext|>\n\nTwo.<|endoftext|>Three.\r\n<|endoftext|>\n  \n");
  expect(await textsOf(path)).toEqual(["One.\nMore.", "Two.", "Three."]);
});

test("resolveCorpus(file.jsonl) reads the text field of every line", async () => {
  const path = await file("docs.jsonl", '{"text":"One"}\n\n{"text":"Two\\nlines","id":7}\n{"text":"  "}\n');
  expect(await textsOf(path)).toEqual(["One", "Two\nlines"]);
});

test("resolveCorpus(file.gz) reads the same documents as the unpacked file", async () => {
  const json = '{"text":"Un été"}\n{"text":"Two"}\n';
  expect(await textsOf(await file("docs2.jsonl.gz", gzipSync(json)))).toEqual(["Un été", "Two"]);
  expect(await textsOf(await file("one2.txt.gz", gzipSync("A\n<|endoftext|>\nB")))).toEqual(["A", "B"]);
});

test("resolveCorpus(folder) reads every corpus file below it in the order of paths, and passes over the rest", async () => {
  await file("tree/b.txt", "b");
  await file("tree/a/z.jsonl", '{"text":"z"}');
  await file("tree/a/y.txt.gz", gzipSync("y"));
  await file("tree/a.txt", "a");
  await file("tree/.hidden.txt", "hidden");
  await file("tree/.cache/c.txt", "cached");
  await file("tree/readme.md", "readme");
  const corpus = await resolveCorpus(join(folder, "tree"));
  const documents = await read(corpus);
  expect(documents.map(({ text }) => text)).toEqual(["a", "y", "z", "b"]); // "." sorts before "/"
  expect(documents.map(({ index }) => index)).toEqual([0, 1, 2, 3]);
  expect(documents.at(-1)!.fraction).toBe(1);
  expect(corpus.name).toBe("tree");
  expect((await read(corpus)).map(({ text }) => text)).toEqual(["a", "y", "z", "b"]);
});

test("resolveCorpus(path) says what it expected of files and folders of other kinds", async () => {
  await expect(resolveCorpus(await file("model.gguf", "GGUF"))).rejects.toMatchObject({ code: "bad-input" });
  await expect(resolveCorpus(join(folder, "nowhere"))).rejects.toMatchObject({ code: "not-found" });
  await file("pictures/cat.png", "x");
  await expect(resolveCorpus(join(folder, "pictures"))).rejects.toThrow(/got none of them/);
});

test("a corpus refuses records without a text field, by file and line, and names a contrast set as one", async () => {
  const contrast = await file("pairs.jsonl", '{"text":"fine"}\n{"positive":"a","negative":"b"}\n');
  await expect(textsOf(contrast)).rejects.toMatchObject({
    message: `${contrast}:2: expected an object with a "text" string, got fields positive, negative`,
    hint: expect.stringMatching(/contrast set/),
  });
  await expect(textsOf(await file("list.jsonl", '["a"]\n'))).rejects.toThrow(/got an array/);
  await expect(textsOf(await file("number.jsonl", '{"text":4}\n'))).rejects.toThrow(/got fields text/);
  const nul = await file("nul.jsonl", '{"text":"fine"}\n{"text":"a\\u0000b"}\n');
  await expect(textsOf(nul)).rejects.toThrow(`${nul}:2: expected text, got a NUL character`);
  await expect(textsOf(await file("broken.jsonl", '{"text":"a"\n'))).rejects.toMatchObject({ code: "bad-input" });
});

test("a corpus without any text is an error, never an empty result", async () => {
  await expect(textsOf(await file("empty.txt", ""))).rejects.toThrow(
    /expected a corpus with text in it, got no document/,
  );
  await expect(textsOf(await file("blank.jsonl", '{"text":" "}\n'))).rejects.toThrow(/no document/);
});

test("a text file far longer than a document comes in parts at line ends, nothing lost", async () => {
  const lines = Array.from({ length: 40_000 }, (_, i) => `line ${i} ${"x".repeat(i % 20)}`);
  const parts = await textsOf(await file("long.txt", lines.join("\n")));
  expect(parts.length).toBeGreaterThan(2);
  expect(parts.join("\n")).toBe(lines.join("\n"));
  for (const part of parts) expect(part.length).toBeLessThan(2 ** 18);
});

test("cutText(text, limit) gives parts within the limit that join to the text and split no surrogate pair", () => {
  const text = fc.string({ unit: fc.constantFrom("a", " ", "\n", "😀", "é") });
  fc.assert(
    fc.property(text, fc.integer({ min: 2, max: 9 }), (whole, limit) => {
      const parts = [...cutText(whole, limit)];
      expect(parts.join("")).toBe(whole);
      for (const part of parts) {
        expect(part.length).toBeLessThanOrEqual(limit);
        expect(() => encodeURIComponent(part)).not.toThrow(); // it throws at half a pair
      }
    }),
  );
  expect([...cutText("one two\nthree four", 12)]).toEqual(["one two\n", "three four"]);
  expect([...cutText("one two three", 9)]).toEqual(["one two", " three"]);
});

test("a document's fraction grows with the text read to about 1, in packed and plain files alike", async () => {
  const lines = Array.from({ length: 100 }, (_, i) =>
    JSON.stringify({ id: i, text: `Document ${i}, like the others.` }),
  );
  const plain = await file("even.jsonl", lines.join("\n"));
  const packed = await file("even.jsonl.gz", gzipSync(lines.join("\n")));
  for (const path of [plain, packed]) {
    const fractions = (await read(await resolveCorpus(path))).map(({ fraction }) => fraction);
    fractions.forEach((fraction, at) => {
      expect(Math.abs(fraction - (at + 1) / 100)).toBeLessThan(0.02);
    });
  }
});

test("toCorpus(name, texts) gives the texts as documents and drops blank ones", async () => {
  const documents = await read(toCorpus("demo", ["a", " ", "b"]));
  expect(documents.map(({ text, index, source }) => [text, index, source])).toEqual([
    ["a", 0, "demo:1"],
    ["b", 1, "demo:3"],
  ]);
});
