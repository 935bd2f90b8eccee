import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { demoData, readMaps } from "../../src/index.ts";
import { temporaryFolder } from "../formats/temporary-folder.ts";
import { run } from "./fake-effects.ts";

const folder = temporaryFolder().path;
const file = (name: string) => join(folder, name);
const corpus = demoData("corpus.jsonl.gz");
const collect = (output: string, ...more: string[]) =>
  run([
    ...["moments", "collect", "demo:xs", "demo:s", "--corpus", corpus, "--layers", "0:1,1:2"],
    ...["--max-tokens", "17000", "--threads", "1", "-o", file(output), ...more],
  ]);
const merge = (...words: string[]) => run(["moments", "merge", ...words]);

describe("on the demo models", () => {
  beforeAll(async () => {
    for (const [output, ...more] of [
      ["whole.safetensors"],
      ["1.safetensors", "--shard", "1/2"],
      ["2.safetensors", "--shard", "2/2"],
    ])
      expect(await collect(output!, "--quiet", ...more)).toMatchObject({ status: 0, stderr: "" });
  }, 120_000);

  test("moments collect says what it will hold, and what it wrote; inspect says the same", async () => {
    const { status, stdout, stderr } = await collect("again.safetensors");
    expect(status).toBe(0);
    expect(stderr).toMatch(
      /^will hold at most about [\d.]+ MB: [\d.]+ MB of moments, [\d.]+ MB of held-out rows and token means$/m,
    );
    expect(stdout).toMatch(/^from {6}Trimtab Stories XS F16, layers 0-1 of 3 blocks of width 96$/m);
    expect(stdout).toMatch(/^corpus {4}corpus\.jsonl\.gz: \d+ documents, \d+ windows$/m);
    expect(stdout).toMatch(/^read {6}17\d{3} tokens, as many as were asked for; there is more text$/m);
    expect(readFileSync(file("again.safetensors")).equals(readFileSync(file("whole.safetensors")))).toBe(true);
    expect(existsSync(file("again.safetensors.partial"))).toBe(false);
    const shown = await run(["inspect", file("again.safetensors")]);
    expect(`${shown.stdout}wrote     ${file("again.safetensors")}\n`).toBe(stdout);
    const json = JSON.parse((await run(["inspect", file("1.safetensors"), "--json"])).stdout);
    expect(json).toMatchObject({ kind: "moments", ledger: { isComplete: true, shards: [{ index: 1, of: 2 }] } });
  });

  test("moments merge of all parts is one run, and fit reads it; a part alone is said to be one", async () => {
    const merged = await merge(file("2.safetensors"), file("1.safetensors"), "-o", file("all.safetensors"), "--json");
    const { wrote, moments } = JSON.parse(merged.stdout);
    const whole = JSON.parse((await run(["inspect", file("whole.safetensors"), "--json"])).stdout);
    expect([wrote, moments]).toEqual([file("all.safetensors"), whole]);
    const fit = (from: string, to: string) =>
      run(["fit", "--moments", file(from), "--layers", "1:2", "-o", file(to), "--quiet"]);
    expect((await fit("all.safetensors", "map.safetensors")).status).toBe(0);
    const [map] = await readMaps(file("map.safetensors"));
    // 13 thousand rows; a map that had learnt nothing would be near 0.
    expect(map!.scores.r2).toBeGreaterThan(0.2);
    expect((await run(["inspect", file("1.safetensors")])).stdout).toMatch(/part 1\/2$/m);
    expect((await fit("1.safetensors", "part.safetensors")).stderr).toContain("part 1 of 2");
  });

  test("moments merge refuses the same file or part twice, and files that are no moments", async () => {
    const refuse = async (words: readonly string[], status: number, message: string) => {
      const ran = await merge(...words.map(file), "-o", file("never.safetensors"));
      expect([ran.status, existsSync(file("never.safetensors"))]).toEqual([status, false]);
      expect(ran.stderr).toContain(message);
    };
    await refuse(["1.safetensors", "1.safetensors"], 2, "every file once");
    await refuse(["1.safetensors", "all.safetensors"], 6, "the whole of it and one of 2 parts");
    await refuse(["whole.safetensors", "again.safetensors"], 6, "every text once");
    await refuse(["1.safetensors", "map.safetensors"], 3, "a trimtab-moments file, got a trimtab-map file");
    await refuse(["1.safetensors", "none.safetensors"], 4, "none.safetensors");
  });

  test("moments collect refuses what does not fit into memory, before it reads", async () => {
    const words = ["moments", "collect", "demo:xs", "demo:s", "--corpus", corpus, "--threads", "1"];
    const ran = await run([...words, "-o", file("big.safetensors")], { freeBytes: () => 1e6 });
    expect(ran.status).toBe(5);
    expect(ran.stderr).toMatch(
      /memory: expected [\d.]+ MB free to collect in \(.*\), got 1\.00 MB\n {2}hint: .*--layers/,
    );
  });
});

test.each([
  [[], 2, "usage", "moments collect|merge"],
  [["collect", "a.gguf", "b.gguf", "-o", "x.safetensors"], 2, "--corpus PATH", "folder"],
  [["collect", "a.gguf", "b.gguf", "--corpus", corpus, "--shard", "3/2", "-o", "x.safetensors"], 2, "part i/n", ""],
  [["collect", "a.gguf", "b.gguf", "--corpus", corpus, "--shard", "1/2", "--max-rows", "9"], 2, "--max-tokens", ""],
  [
    ["collect", "a.gguf", "b.gguf", "--corpus", corpus, "--rows", "pairs", "-o", "x.safetensors"],
    2,
    "--pairs FILE",
    "",
  ],
  [["collect", "a.gguf", "b.gguf", "--corpus", corpus, "--read-at", "last"], 2, "--read-at with --pairs", ""],
  [["colect"], 2, "collect, merge", "did you mean trimtab moments collect?"],
  [["merge", "a.safetensors", "-o", "b.safetensors"], 2, "FILE FILE", ""],
] as const)("trimtab moments %j ends with status %i", async (words, status, ...messages) => {
  const { status: found, stderr } = await run(["moments", ...words]);
  expect(found).toBe(status);
  for (const message of words.length > 0 ? messages : ["collect, merge"]) expect(stderr).toContain(message);
});

test("TRIMTAB_CHECKPOINT_MS must be milliseconds", async () => {
  const words = [
    "moments",
    "collect",
    "demo:xs",
    "demo:s",
    "--corpus",
    corpus,
    "--threads",
    "1",
    "-o",
    file("y.safetensors"),
  ];
  const { status, stderr } = await run(words, { env: { ...process.env, TRIMTAB_CHECKPOINT_MS: "soon" } });
  expect(status).toBe(2);
  expect(stderr).toContain('TRIMTAB_CHECKPOINT_MS: expected whole milliseconds, got "soon"');
});

test("trimtab moments --help and help moments name the commands of the group", async () => {
  const { status, stdout } = await run(["moments", "--help"]);
  expect(status).toBe(0);
  expect(stdout).toContain("Usage: trimtab moments collect|merge [options]");
  expect((await run(["help", "moments"])).stdout).toBe(stdout);
  expect((await run(["help", "moments", "merge"])).stdout).toContain("Usage: trimtab moments merge FILE FILE");
});
