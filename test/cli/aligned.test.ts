import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { resolveCorpus } from "../../src/index.ts";
import { temporaryFolder } from "../formats/temporary-folder.ts";
import { run } from "./fake-effects.ts";

const folder = temporaryFolder();
const file = (name: string) => join(folder.path, name);
const models = ["demo:xs1k", "demo:m"];
/** The beginnings of 80 stories, a window each: enough to split in three. */
const text = ["--corpus", file("short.jsonl"), "--layers", "1:1", "--threads", "1"];

beforeAll(async () => {
  const lines: string[] = [];
  for await (const document of (await resolveCorpus("models/data/corpus.jsonl.gz")).documents()) {
    lines.push(JSON.stringify({ text: document.text.slice(0, 160) }));
    if (lines.length === 80) break;
  }
  await writeFile(file("short.jsonl"), lines.join("\n"));
  const pairs = await readFile("models/data/pairs/french.jsonl", "utf8");
  await writeFile(file("french.jsonl"), pairs.split("\n").slice(0, 12).join("\n"));
});

describe("fit demo:xs1k demo:m", () => {
  test("pairs by spans where nothing is said, says so, and inspect and transfer say it again", async () => {
    const { status, stdout, stderr } = await run([
      "fit",
      "demo:xs1k",
      "demo:m",
      ...text,
      "-o",
      file("map.safetensors"),
    ]);
    expect(status).toBe(0);
    expect(stderr).toContain(
      "Trimtab Stories XS1K and Trimtab Stories M have different tokenizers: rows are paired where a token of each model ends at the same byte of the text (--align spans)",
    );
    const paired =
      /^paired +by spans: usable \d\d\.\d % of \d+ tokens of the source, 100\.0 % of \d+ tokens of the target$/m;
    expect(stdout).toMatch(paired);
    expect(stdout).toMatch(/^left out .* \d+ without a row of their own, of \d+$/m);
    expect(stdout).toMatch(/a table by the target's token id leaves/);
    expect((await run(["inspect", file("map.safetensors")])).stdout).toMatch(paired);
    await run([
      "vector",
      "demo:xs1k",
      "--pairs",
      file("french.jsonl"),
      "--threads",
      "1",
      "--layer",
      "1",
      "-o",
      file("v.safetensors"),
    ]);
    const carried = await run([
      "transfer",
      file("v.safetensors"),
      "--map",
      file("map.safetensors"),
      "-o",
      file("w.safetensors"),
    ]);
    expect(carried.status).toBe(0);
    expect(carried.stdout).toMatch(paired);
  }, 60_000);

  test("refuses ids with a way out, words that it does not know, and rules beside sentences", async () => {
    const fit = (...more: string[]) => run(["fit", ...models, ...text, ...more, "-o", file("never.safetensors")]);
    const ids = await fit("--align", "ids");
    expect(ids.status).toBe(6);
    expect(ids.stderr).toMatch(/tokenizers: expected .* to share one/);
    expect(ids.stderr).toContain("--align spans");
    const unknown = await fit("--align", "words");
    expect(unknown.stderr).toContain("alignment: expected ids, spans, sentences, lines or documents");
    const rules = await fit("--align", "sentences", "--rows", "last");
    expect(rules.stderr).toContain("rows last: expected all with sentences@mean");
    expect([unknown.status, rules.status]).toEqual([3, 3]);
  }, 60_000);
});

test("moments collect --align sentences makes moments that say so, merge, and fit without the models", async () => {
  const collect = (part: string, name: string) =>
    run(["moments", "collect", ...models, ...text, "--align", "sentences", "--shard", part, "-o", file(name)]);
  const one = await collect("1/2", "one.safetensors");
  expect(one.stderr).toContain("a row is a sentence: the mean of its tokens' states (--align sentences@mean)");
  expect(one.stdout).toMatch(/^paired +by sentences@mean: usable 100\.0 %/m);
  await collect("2/2", "two.safetensors");
  const merged = await run([
    "moments",
    "merge",
    file("one.safetensors"),
    file("two.safetensors"),
    "-o",
    file("all.safetensors"),
  ]);
  expect(merged.status).toBe(0);
  const fitted = await run([
    "fit",
    "--moments",
    file("all.safetensors"),
    "-o",
    file("sentences.safetensors"),
    "--json",
  ]);
  expect(JSON.parse(fitted.stdout).map.fit.alignment).toMatchObject({ by: "sentences@mean", tokensOf: "target" });
  const ids = await run(["fit", "--moments", file("all.safetensors"), "--align", "ids", "-o", file("no.safetensors")]);
  expect(ids.stderr).toContain("--align");
  expect(ids.status).toBe(2);
}, 60_000);

test("sweep demo:xs1k demo:m scores every pair by spans and says so", async () => {
  const { status, stdout, stderr } = await run(["sweep", ...models, ...text]);
  expect(stderr).toContain("(--align spans)");
  expect(stdout).toMatch(/^paired +by spans/m);
  expect(status).toBe(0);
}, 60_000);

test("study tokenizers refuses models in another order, and strengths and concepts that it cannot use", async () => {
  const study = (...more: string[]) => run(["study", "tokenizers", ...more, "-o", file("study")]);
  const swapped = await study("demo:xs1k", "demo:xs", "demo:m", "--threads", "1", "--skip-untrained");
  expect(swapped.stderr).toContain(
    "SOURCE Trimtab Stories XS1K: expected the tokenizer of Trimtab Stories M, got another",
  );
  const length = await study("demo:xs", "demo:xs1k", "demo:m", "--strengths", "8");
  expect(length.stderr).toContain("--strengths: expected strengths above 0 in median row norms, got 8");
  const unknown = await study("demo:xs", "demo:xs1k", "demo:m", "--concepts", "german");
  expect(unknown.stderr).toMatch(/german\.jsonl/);
  expect([swapped.status, length.status, unknown.status]).toEqual([6, 2, 4]);
}, 60_000);
