import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { demoData, readMap, readVector } from "../../src/index.ts";
import { run } from "./fake-effects.ts";

const root = resolve(".");
let folder = "";
const file = (name: string) => join(folder, name);
// One thread: threads wait for each other by spinning, which on a machine with other work takes longer than these models' work itself.
const run1 = (argv: readonly string[]) => run([...argv, "--threads", "1"]);
const json = async (...argv: string[]): Promise<Record<string, never>> => {
  const { status, stdout, stderr } = await run1([...argv, "--json"]);
  expect(stderr).toBe("");
  expect(status).toBe(0);
  return JSON.parse(stdout);
};

const pairs = demoData("pairs/french.jsonl");
const fit = (...more: string[]) => [
  "fit",
  "demo:s",
  "demo:m",
  "--corpus",
  demoData("corpus.jsonl.gz"),
  "--max-rows",
  "6000",
  "--layers",
  "1:2",
  ...more,
];

// The commands build on each other's files, as a user's do: the tests run in this order.
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "trimtab-cli-"));
});
afterAll(() => rm(folder, { recursive: true }));

describe("on the demo models", () => {
  test("inspect says what a model is and what can be reached", async () => {
    const text = await run1(["inspect", "demo:m"]);
    expect(text.stdout).toMatch(/^architecture {2,}llama, 6 blocks of width 192$/m);
    expect(text.stdout).toMatch(/^steer {2,}layers 1-5 by control vector, layer 0 by editing$/m);
    const shown = await json("inspect", "demo:m");
    expect(shown).toMatchObject({
      kind: "model",
      description: { width: 192, blocks: 6, capabilities: { tap: true, steer: true } },
      layers: { read: [0, 1, 2, 3, 4, 5], steer: [1, 2, 3, 4, 5] },
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  test("fit writes a map that inspect explains, the same for the same seed", async () => {
    const shown = await json(...fit("-o", file("map.safetensors")));
    expect(shown).toMatchObject({ wrote: file("map.safetensors"), map: { kind: "map", fit: { seed: 0 } } });
    // 20000 rows reach 0.45; a map that had learnt nothing would be near its shuffled null, 0.
    const map = await readMap(file("map.safetensors"));
    expect(map.scores.r2).toBeGreaterThan(0.25);
    expect(Math.abs(map.scores.nulls.shuffled.r2)).toBeLessThan(0.1);
    await json(...fit("-o", file("again.safetensors")));
    expect((await readFile(file("map.safetensors"))).equals(await readFile(file("again.safetensors")))).toBe(true);
    const text = await run(["inspect", file("map.safetensors")]);
    expect(text.stdout).toMatch(/^from {2,}.*resid_post\.1 of 4 blocks/m);
    expect(text.stdout).toMatch(/^held out {2,}R² 0\.\d{3} /m);
  });

  test("vector writes a direction that separates its pairs", async () => {
    const shown = await json("vector", "demo:s", "--pairs", pairs, "--layer", "1", "-o", file("french.safetensors"));
    expect(shown).toMatchObject({ readAt: "difference-mean", pairs: 160 });
    // French against English is told apart perfectly; chance is 0.5.
    expect(shown).toHaveProperty("sites.0.heldOut.auc", expect.closeTo(1, 1));
  });

  test("vector writes personas from two descriptions, as a control vector of several layers", async () => {
    const argv = [
      "vector",
      "demo:s",
      "--concept",
      "happy",
      "--versus",
      "sad",
      "--layers",
      "1-2",
      "-o",
      file("happy.gguf"),
    ];
    expect(await json(...argv)).toMatchObject({ readAt: "last", provenance: { concept: "happy − sad" } });
    expect((await readVector(file("happy.gguf"))).directions.map(({ site }) => site.layer)).toEqual([1, 2]);
  });

  test("transfer carries it into the large model and says by what", async () => {
    const argv = [
      "transfer",
      file("french.safetensors"),
      "--map",
      file("map.safetensors"),
      "-o",
      file("french-m.gguf"),
    ];
    const { status, stdout } = await run(argv);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^bias {2,}.* not added$/m);
    const text = (await run(["inspect", file("french-m.gguf")])).stdout;
    expect(text).toMatch(/^vector {2,}transferred/m);
    expect(text).toMatch(/^carried .*resid_post\.1 → .*resid_post\.2, A v$/m);
    const withBias = await run([...argv.slice(0, -1), file("bias.gguf"), "--with-bias"]);
    expect(withBias.stdout).toMatch(/^bias {2,}.* added$/m);
    expect((await readFile(file("bias.gguf"))).equals(await readFile(file("french-m.gguf")))).toBe(false);
  });

  test("steer streams a text that the vector changes, the same for the same seed", async () => {
    const steer = (strength: string, ...more: string[]) =>
      run1(["steer", "demo:m", "-v", `${file("french-m.gguf")}=${strength}`, "Once upon a time", "-n", "20", ...more]);
    const [first, second, none, other] = [
      await steer("0.5n"),
      await steer("0.5n"),
      await steer("0"),
      await steer("0.5n", "--seed", "1"),
    ];
    expect(first.stdout).toMatch(/^Once upon a time.+\n$/s);
    expect(first.stdout).toBe(second.stdout);
    expect(first.stdout).not.toBe(none.stdout);
    expect(first.stdout).not.toBe(other.stdout);
    expect(first.stderr).toMatch(/tokens, \d+ tokens\/s, ended by (length|end)/);
    expect((await steer("0.5n", "--quiet")).stderr).toBe("");
  });

  test("steer --compare puts the unsteered text beside; a strength of 0 changes nothing", async () => {
    const argv = ["steer", "demo:m", "-v", `${file("french-m.gguf")}=0`, "Once", "-n", "20", "--compare"];
    const shown = await json(...argv);
    expect(shown["steered"]).toEqual(shown["unsteered"]);
    const { stdout } = await run1(argv);
    expect(stdout.split("\n")[0]).toMatch(/^unsteered .*│ /);
  });

  test("steer --phase generation differs from all, and --layers chooses among the vector's", async () => {
    const steer = (...more: string[]) =>
      json("steer", "demo:m", "-v", `${file("french-m.gguf")}=1n`, "Once upon a time", "-n", "20", ...more);
    expect((await steer("--phase", "generation"))["steered"]).not.toEqual((await steer())["steered"]);
    expect((await steer("--layers", "1-4"))["steered"]).toEqual((await steer())["steered"]);
    const missed = await run1(["steer", "demo:m", "-v", `${file("french-m.gguf")}=1`, "x", "--layers", "4"]);
    expect([missed.status, missed.stderr]).toEqual([3, expect.stringContaining("which the vector has")]);
  });
});

describe("refused", () => {
  test.each([
    [
      "a vector of another width",
      () => ["steer", "demo:s", "-v", `${file("french-m.gguf")}=1`, "x"],
      6,
      "carry it over",
    ],
    ["a map in place of a vector", () => ["steer", "demo:m", "-v", `${file("map.safetensors")}=1`, "x"], 3, "map"],
    [
      "a vector as a model",
      () => ["steer", file("french-m.gguf"), "-v", `${file("french-m.gguf")}=1`, "x"],
      3,
      "control vector",
    ],
    [
      "a layer out of range",
      () => ["vector", "demo:s", "--pairs", pairs, "--layer", "4", "-o", file("x.gguf")],
      3,
      "0 to 3",
    ],
    [
      "a map carried the wrong way",
      () => ["transfer", file("french-m.gguf"), "--map", file("map.safetensors"), "-o", file("y.gguf")],
      6,
      "the map's source",
    ],
    ["an output that is there", () => fit("-o", file("map.safetensors")), 2, "--force"],
    ["an output with another ending", () => fit("-o", file("map.gguf")), 2, ".safetensors"],
    ["an output in no folder", () => fit("-o", file("none/map.safetensors")), 9, "mkdir -p"],
    [
      "an output that is a folder",
      () => ["transfer", "a", "--map", "b", "-o", "node_modules"],
      2,
      ".safetensors or .gguf",
    ],
    [
      "a prompt longer than the context",
      () => ["steer", "demo:m", "-v", `${file("french-m.gguf")}=1`, "a".repeat(5000)],
      3,
      "shorten",
    ],
    [
      "a chat without a template",
      () => ["steer", "demo:m", "-v", `${file("french-m.gguf")}=1`, "x", "--chat"],
      5,
      "chat",
    ],
  ])("%s, with status and hint, writing nothing", async (_title, argv, status, text) => {
    const before = await readdir(folder);
    const ran = await run(argv());
    expect([ran.status, ran.stdout]).toEqual([status, ""]);
    expect(ran.stderr).toContain(text);
    expect(await readdir(folder)).toEqual(before);
  });

  test("--force replaces the file", async () => {
    await writeFile(file("old.gguf"), "old");
    const argv = ["transfer", file("french.safetensors"), "--map", file("map.safetensors"), "-o", file("old.gguf")];
    expect((await run(argv)).status).toBe(2);
    expect(await readFile(file("old.gguf"), "utf8")).toBe("old");
    expect((await run([...argv, "--force"])).status).toBe(0);
    expect((await readFile(file("old.gguf"))).equals(await readFile(file("french-m.gguf")))).toBe(true);
  });

  test("doctor proves the engine by opening a model", async () => {
    const { status, stdout } = await run(["doctor", "--json"], { env: { ...process.env, HF_HOME: root } });
    const { usable, findings } = JSON.parse(stdout);
    expect([status, usable]).toEqual([0, true]);
    expect(findings).toContainEqual(
      expect.objectContaining({ about: expect.stringContaining("llama.cpp"), state: "good" }),
    );
    expect((await run(["doctor"])).stdout).toContain("Trimtab can be used here.");
  });

  test("doctor says how to mend a library that is not there, and ends with the engine's status", async () => {
    const missing = await run(["doctor", "--library", "vulkan"], { env: {} });
    // Only where the Vulkan package happens to be installed is this machine well.
    if (missing.status === 0) expect(missing.stdout).toContain("vulkan installed");
    else {
      expect(missing.status).toBe(10);
      expect(missing.stdout).toContain("npm install @node-llama-cpp/");
      expect(missing.stdout).toContain("cannot be used here yet");
    }
  });
});
