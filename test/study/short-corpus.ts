import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { gunzipSync } from "node:zlib";
import { demoData } from "../../src/index.ts";

/** Writes the beginnings of the demo corpus's first stories, 200 characters each: many windows of few tokens, so that a test reads little. */
export async function writeShortCorpus(path: string, documents: number): Promise<void> {
  const lines = gunzipSync(readFileSync(demoData("corpus.jsonl.gz")))
    .toString("utf8")
    .trim()
    .split("\n");
  const short = lines.slice(0, documents).map((line) => {
    const { text } = JSON.parse(line) as { text: string };
    return JSON.stringify({ text: text.slice(0, 200) });
  });
  await writeFile(path, `${short.join("\n")}\n`);
}
