import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openModel } from "../../src/engine/open.ts";
import { residPost } from "../../src/engine/site.ts";
import { fitMap } from "../../src/maps/fit-map.ts";
import { writeMap } from "../../src/maps/map-file.ts";
import { demoPath } from "../engine/demo-models.ts";
import { run } from "./fake-effects.ts";

let folder: string;
let map: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "trimtab-cli-stitch-"));
  map = join(folder, "map.safetensors");
  await using xs = await openModel(demoPath("xs"), { threads: 1 });
  const sites = { sourceSite: residPost(0), targetSite: residPost(0) };
  await writeMap(
    map,
    (await fitMap(xs, xs, { corpus: "models/data/corpus.jsonl.gz", maxRows: 2500, context: 32, ...sites })).map,
  );
});
afterAll(() => rm(folder, { recursive: true }));

describe("trimtab stitch", () => {
  test("writes with a stitched model and says what it costs", async () => {
    const argv = [
      "stitch",
      "demo:xs",
      "demo:xs",
      "--map",
      map,
      "A dog",
      "-n",
      "6",
      "--temperature",
      "0",
      "--threads",
      "1",
    ];
    const { status, stdout, stderr } = await run(argv);
    expect(status).toBe(0);
    expect(stdout.startsWith("A dog")).toBe(true);
    expect(stderr).toContain(
      "Trimtab Stories XS to block 0, Trimtab Stories XS from block 1: its late blocks alone, in memory",
    );
    expect(stderr).toMatch(/stitched: .* of weights, 10\d % of the compute, [\d.]+ ms a token/);
    const json = await run([...argv, "--json"]);
    const told = JSON.parse(json.stdout);
    expect(stdout).toBe(`A dog${told.text}\n`);
    expect(told).toMatchObject({ layers: { sources: [0], target: 0 }, tail: { way: "memory" }, tokens: 6 });
    expect(told.models.map(({ name }: { name: string }) => name)).toEqual([
      "stitched",
      "Trimtab Stories XS",
      "Trimtab Stories XS",
    ]);
  });

  test.each([
    [["stitch", "demo:xs", "demo:s"], 2, "--map FILE"],
    [["stitch", "demo:xs"], 2, "stitch SOURCE TARGET"],
    [["stitch", "demo:xs", "demo:xs", "--map", "nothing.safetensors"], 4, "nothing.safetensors"],
    [["stitch", "demo:xs", "demo:xs", "--map", "MAP", "--tail", "disk"], 2, "auto, memory, file"],
    [["stitch", "demo:xs", "demo:xs", "--map", "MAP", "--tail-file", "x.gguf"], 2, "--tail file"],
    [["stitch", "demo:xs", "demo:xs", "--map", "MAP", "--layer", "2"], 2, "target layers 0"],
    [["stitch", "demo:s", "demo:xs", "--map", "MAP", "--threads", "1"], 6, "trimtab fit"],
    [["stitch", "fit", "demo:xs", "demo:xs", "--map", "MAP", "-o", "x.safetensors"], 2, "--corpus PATH"],
    [["stitch", "fit", "demo:xs", "demo:xs", "--map", "MAP", "--corpus", "c", "-o", "x.txt"], 2, ".safetensors"],
    [["study", "stitch", "demo:xs", "demo:s", "-o", "nowhere/x"], 9, "nowhere"],
    [["study", "stitch", "demo:xs", "demo:s", "--corpus", "c"], 2, "-o DIR"],
  ])("%j is refused with status %i", async (argv, status, words) => {
    const ran = await run(argv.map((word) => (word === "MAP" ? map : word)));
    expect([ran.status, ran.stderr]).toEqual([status, expect.stringContaining(words)]);
  });
});
