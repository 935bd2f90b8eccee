import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { demoData, readMap, type SweepResult, writeCollection } from "../../src/index.ts";
import { temporaryFolder } from "../formats/temporary-folder.ts";
import { plantedCollection } from "../maps/planted-collection.ts";
import { run } from "./fake-effects.ts";

const folder = temporaryFolder();
const file = (name: string): string => join(folder.path, name);
const moments = file("moments.safetensors");
const corpus = demoData("corpus.jsonl.gz");
// Windows of 64 tokens: 40 of them are enough to split, and little to read.
const read = (rows: number, ...more: string[]): string[] => [
  ...[
    "sweep",
    "demo:xs",
    "demo:s",
    "--corpus",
    corpus,
    "--context",
    "64",
    "--max-rows",
    String(rows),
    "--threads",
    "1",
  ],
  ...more,
];

beforeAll(() => writeCollection(moments, plantedCollection()));

describe("sweep --moments", () => {
  test("prints the heat map, the best pairs, their caveats and the line that fits one", async () => {
    const { status, stdout } = await run(["sweep", "--moments", moments]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^held-out R²; shuffled ≤ 0\.01: rows small, columns large$/m);
    expect(stdout).toMatch(/^2 .*\[1\.\]$/m); // 0.999 at 2:4
    expect(stdout).toMatch(/^pairs {2,}12; the best of so many looks better than it is/m);
    expect(stdout).toMatch(/held-out R² {2,}2:4 {2,}0\.999 {2,}0\.000 {2,}0:0 {2,}0\.855$/m);
    expect(stdout).toMatch(/^to fit {2,}1:1: R² 0\.61\d \(0\.\d+ to 0\.\d+, 95 %\), beyond token identity 0\.61\d;$/m);
    expect(stdout).toContain(`trimtab fit --moments ${moments} --layers 1:1 -o map.safetensors\n`);
  });

  test("the line it ends with runs", async () => {
    const { stdout } = await run(["sweep", "--moments", moments]);
    const words = /^next {2,}trimtab (.*)$/m.exec(stdout)![1]!.replace("map.safetensors", file("map.safetensors"));
    expect((await run(words.split(" "))).status).toBe(0);
    const map = await readMap(file("map.safetensors"));
    expect([map.sources[0]!.site.layer, map.target.site.layer]).toEqual([1, 1]);
    expect(stdout).toContain(`1:1: R² ${map.scores.r2.toFixed(3)}`);
  });

  test("--show prints the maps named, each once; --layers leaves layers out", async () => {
    const { stdout } = await run([
      "sweep",
      "--moments",
      moments,
      "--show",
      "cka,svcca",
      "--show",
      "cka",
      "--layers",
      "1,2:all",
    ]);
    const titles = stdout.split("\n").filter((line) => line.endsWith("rows small, columns large"));
    expect(titles.map((title) => title.split(";")[0])).toEqual(["linear CKA", "SVCCA"]);
    expect(stdout).toMatch(/^pairs {2,}8;/m);
    const all = await run(["sweep", "--moments", moments, "--show", "all"]);
    expect(all.stdout.match(/rows small, columns large/g)).toHaveLength(4);
  });

  test("--json gives every number, as in the file", async () => {
    const argv = ["sweep", "--moments", moments, "--json", "-o", file("a.json"), "--svg", file("a.svg")];
    const { stdout, stderr, status } = await run(argv);
    expect([status, stderr]).toEqual([0, ""]);
    const { wrote, sweep } = JSON.parse(stdout) as { wrote: string[]; sweep: SweepResult };
    expect(wrote).toEqual([file("a.json"), file("a.svg")]);
    expect(sweep).toMatchObject({
      kind: "sweep",
      source: { name: "small" },
      layers: { source: [0, 1, 2], target: [0, 1, 3, 4] },
      best: { r2: { source: 2, target: 4 } },
      picked: { source: 1, target: 1 },
      gain: { interval: { level: 0.95 } },
    });
    expect(sweep.cells).toHaveLength(12);
    expect(JSON.parse(readFileSync(file("a.json"), "utf8"))).toEqual(sweep);
    const svg = readFileSync(file("a.svg"), "utf8");
    expect(svg.match(/<svg /g)).toHaveLength(5);
    expect(svg).toContain("prefers-color-scheme:dark");
    // Neither file is replaced unasked.
    const again = await run(argv);
    expect(again.status).toBe(2);
    expect(again.stderr).toContain(`expected no file ${file("a.json")} yet`);
    expect((await run([...argv, "--force"])).status).toBe(0);
  });

  test.each([
    [["--corpus", corpus], "sweep --moments: expected no models and nothing that is read with them, got --corpus"],
    [["demo:s"], "nothing that is read with them, got demo:s"],
    [["--save-moments", file("b.safetensors")], "got --save-moments"],
    [["--layers", "3:0"], "source layer: expected some of 0, 1, 2, got 3"],
    [["--layers", "9:0"], "source layer: expected a layer from 0 to 3, got 9"],
    [["--layers", "auto"], "layers: expected SOURCES:TARGETS such as all:all"],
    [["--show", "cak"], 'expected r2, beyond, cka, svcca or all, got "cak"\n  hint: did you mean cka?'],
    [["-o", file("c.txt")], "--output: expected a file that ends in .json"],
    [["--svg", file("c.png")], "--svg: expected a file that ends in .svg"],
    [["--svg", join(file("nowhere"), "c.svg")], "--svg: expected the folder"],
  ])("%j is refused", async (more, message) => {
    const before = readdirSync(folder.path);
    const { status, stderr } = await run(["sweep", "--moments", moments, ...more]);
    expect(status).not.toBe(0);
    expect(stderr).toContain(message);
    expect(readdirSync(folder.path)).toEqual(before);
  });
});

describe("sweep of two models", () => {
  test("says memory, pairs and time, sweeps, keeps its moments, and fits from them", async () => {
    const { status, stdout, stderr } = await run(
      read(2500, "--save-moments", file("kept.safetensors"), "-o", file("real.json"), "--svg", file("real.svg")),
    );
    expect([status, stderr.includes("trimtab:")]).toEqual([0, false]);
    expect(stderr).toContain("comparing 12 pairs: 3 layers of Trimtab Stories XS with 4 of Trimtab Stories S");
    expect(stderr).toMatch(/^will hold at most about \d+ MB: /m);
    expect(stderr).toMatch(/^about .* to read 2500 rows if the text has them, judging by the first \d+ tokens/m);
    const sweep = JSON.parse(readFileSync(file("real.json"), "utf8")) as SweepResult;
    expect(sweep.cells).toHaveLength(12);
    // Trained models share far more than shuffled pairs do, even after 2000 rows; 9000 give 0.24 to 0.53.
    for (const { r2, cka, svcca, shuffled } of sweep.cells) {
      expect(r2).toBeGreaterThan(shuffled.r2 + 0.1);
      expect(cka).toBeGreaterThan(shuffled.cka!);
      expect(svcca).toBeGreaterThan(shuffled.svcca! + 0.1);
    }
    expect(stdout).toContain(`trimtab fit --moments ${file("kept.safetensors")} --layers`);
    const again = await run(["sweep", "--moments", file("kept.safetensors"), "--json"]);
    expect((JSON.parse(again.stdout) as { sweep: SweepResult }).sweep).toEqual(sweep);
    expect(readdirSync(folder.path).filter((name) => /partial|tmp/.test(name))).toEqual([]);
  }, 120_000);

  test("names what it would read again in the line it ends with", async () => {
    const { stdout } = await run(read(2500, "--seed", "4", "--layers", "1:1-2"));
    expect(stdout).toMatch(
      /^next {2,}trimtab fit demo:xs demo:s --corpus \S+ --context 64 --max-rows 2500 --seed 4 --layers 1:[12] -o map\.safetensors$/m,
    );
  }, 60_000);

  test("refuses what does not fit, naming --layers, before anything is read", async () => {
    const { status, stderr } = await run(read(2500), { freeBytes: () => 1e6 });
    expect(status).not.toBe(0);
    expect(stderr).toMatch(/^trimtab: memory: expected .* free to collect in .*got 1\.00 MB$/m);
    expect(stderr).toContain("name fewer layers with --layers");
    expect(stderr).not.toContain("judging");
  }, 60_000);

  test("interrupted, leaves nothing but its save file; started again, goes on to the same result", async () => {
    const controller = new AbortController();
    const err: string[] = [];
    // Two units of 8192 tokens: it is saved after the first.
    const argv = read(10_000, "-o", file("cut.json"), "--svg", file("cut.svg"), "-q");
    const env = { ...process.env, TRIMTAB_CHECKPOINT_MS: "0" };
    const partial = file("cut.json.partial");
    const watch = setInterval(() => {
      if (readdirSync(folder.path).includes("cut.json.partial")) controller.abort();
    }, 5);
    const stopped = await run(argv, {
      env,
      signal: controller.signal,
      stderr: { write: (text) => void err.push(text) },
    });
    clearInterval(watch);
    expect(stopped.status).toBe(130);
    expect(readdirSync(folder.path).filter((name) => name.includes("cut"))).toEqual(["cut.json.partial"]);
    const resumed = await run(argv, { env });
    expect(resumed.stderr).toMatch(/^going on from \d+ tokens of an earlier run$/m);
    expect(readdirSync(folder.path)).not.toContain(partial);
    const whole = await run([...argv.map((word) => word.replace("cut.", "whole."))], { env: process.env });
    expect(whole.status).toBe(0);
    expect(readFileSync(file("cut.json"), "utf8")).toBe(readFileSync(file("whole.json"), "utf8"));
    expect(readdirSync(folder.path).filter((name) => /partial|tmp/.test(name))).toEqual([]);
  }, 300_000);

  test.each([
    [["sweep"], "expected sweep SOURCE TARGET --corpus PATH [-o sweep.json] [options], got nothing"],
    [["sweep", "demo:xs"], "got one model"],
    [["sweep", "demo:xs", "demo:s"], "sweep: expected --corpus PATH, got none"],
    [
      ["sweep", "demo:xs", "demo:s", "--corpus", corpus, "--threads", "1", "--layers", "0:4"],
      "target layer: expected a layer from 0 to 3, got 4",
    ],
  ])("%j is refused", async (argv, message) => {
    const { status, stderr } = await run(argv);
    expect(status).toBe(2);
    expect(stderr).toContain(message);
  });
});
