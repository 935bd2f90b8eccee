import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../formats/temporary-folder.ts";
import { run } from "./fake-effects.ts";

const folder = temporaryFolder();
const file = (name: string): string => join(folder.path, name);
const small = [
  ...["sae", "train", "demo:xs", "--layer", "1", "--features", "64", "--k", "8", "--steps", "30", "--batch", "128"],
  ...["--max-tokens", "1200", "--no-loss", "--threads", "1"],
];

describe("trimtab sae train", () => {
  test("writes an autoencoder with its scores, which sae score finds again on the documents held out", async () => {
    const words = small.filter((word) => word !== "--no-loss");
    const trained = await run([...words, "--json", "-o", file("sae")]);
    expect([trained.status, trained.stderr]).toEqual([0, ""]);
    const { wrote, autoencoder } = JSON.parse(trained.stdout);
    expect(wrote).toBe(file("sae"));
    expect(readdirSync(file("sae")).sort()).toEqual(["cfg.json", "sae_weights.safetensors"]);
    expect(readdirSync(folder.path)).toEqual(["sae"]);
    const { facts } = autoencoder.origin;
    expect(facts.training).toMatchObject({ steps: 30, rows: 3840, settings: { kind: "topk", features: 64, k: 8 } });
    expect(facts.training.history.at(-1).step).toBe(30);

    const scored = await run([
      ...["sae", "score", "demo:xs", "--sae", file("sae"), "--max-tokens", "800", "--threads", "1", "--json"],
    ]);
    expect(scored.status).toBe(0);
    const scores = JSON.parse(scored.stdout);
    expect(scores.corpus.part).toBe("held-out");
    expect(scores.arms.map((arm: { name: string }) => arm.name)).toEqual([
      ...["autoencoder", "untrained", "shuffled features", "mean row", "zero row"],
    ]);
    expect(scores.arms[0].explained.value).toBeGreaterThan(scores.arms[2].explained.value);
    expect(scores.clean.value).toBeGreaterThan(0.5);

    const shown = await run([
      ...["sae", "score", "demo:xs", "--sae", file("sae"), "--max-tokens", "1000", "--no-loss", "--part", "all"],
      ...["--svg", file("scores.svg")],
    ]);
    expect(shown.status).toBe(0);
    expect(shown.stdout).toMatch(/^scored on +\d+ rows of \d+ documents \(all\), corpus\.jsonl\.gz\n/);
    expect(readFileSync(file("scores.svg"), "utf8")).toContain("explained variance against active features a row");
    expect(shown.stdout).toMatch(/\nuntrained +−?\d\.\d{3} \(.*\) +\d\.\d{3} +\d\.\d +– +– +–\n/);
  });

  test("interrupted, leaves a checkpoint and no half-written folder; the same words go on to the same bytes", async () => {
    expect((await run([...small, "-o", file("whole")])).status).toBe(0);
    const stop = new AbortController();
    let looks = 0;
    const clock = (): number => {
      // A few looks at the clock before training, and two a step.
      if (looks++ === 40) stop.abort();
      return looks;
    };
    const env = { ...process.env, TRIMTAB_CHECKPOINT_MS: "0" };
    const stopped = await run([...small, "-o", file("cut")], { signal: stop.signal, clock, env });
    expect(stopped.status).toBe(130);
    expect(existsSync(file("cut"))).toBe(false);
    expect(existsSync(file("cut.partial"))).toBe(true);
    const other = await run([...small, "--seed", "1", "-o", file("cut")]);
    expect(other.status).toBe(6);
    expect(other.stderr).toContain("cut.partial: expected a checkpoint with seed 1, got one with seed 0");
    const resumed = await run([...small, "-o", file("cut")]);
    expect(resumed.status).toBe(0);
    expect(resumed.stderr).toMatch(/going on from step \d+ of an earlier run/);
    expect(existsSync(file("cut.partial"))).toBe(false);
    for (const name of ["cfg.json", "sae_weights.safetensors"])
      expect(readFileSync(join(file("cut"), name)).equals(readFileSync(join(file("whole"), name)))).toBe(true);
  });

  test.each([
    [["--k", "65"], "--k: expected a whole number from 1 to 64"],
    [["--l0", "8"], "--kind topk: expected --k, got --l0"],
    [["--kind", "relu"], "--kind: expected"],
    [["--epochs", "2"], "sae train: expected --steps or --epochs, got both"],
    [["--layer", "3"], "--layer: expected a whole number from 0 to 2"],
    [["--batch", "100000"], "training rows: expected at least one batch of 100000"],
    [["--corpus", "nowhere.txt"], "nowhere.txt"],
  ])("refuses %j", async (words, message) => {
    const names = new Set(words.filter((word) => word.startsWith("--")));
    const kept = small.filter((word, at) => !names.has(word) && !names.has(small[at - 1] as string));
    const { status, stderr } = await run([...kept, ...words, "-o", file("refused")]);
    expect(status).toBeGreaterThan(1);
    expect(stderr).toContain(message);
    expect(existsSync(file("refused"))).toBe(false);
  });

  test("refuses more features than fit the memory", async () => {
    const { status, stderr } = await run([...small, "-o", file("large")], { freeBytes: () => 5e5 });
    expect(status).toBe(5);
    expect(stderr).toContain("memory: expected");
    expect(stderr).toContain("free for 64 features of width 96, got 500 kB");
  });

  test("refuses a folder with files in it, no folder, no autoencoder and no text", async () => {
    mkdirSync(file("full"));
    writeFileSync(join(file("full"), "notes.txt"), "mine");
    expect((await run([...small, "-o", file("full")])).stderr).toContain("expected an empty folder");
    expect((await run(small)).stderr).toContain("sae train: expected -o DIR, got none");
    expect((await run(["sae", "score", "demo:xs"])).stderr).toContain("sae score: expected --sae DIR, got none");
    const model = "models/demo/trimtab-stories-xs.gguf";
    expect((await run(["sae", "train", model, "-o", file("n")])).stderr).toContain("expected --corpus PATH, got none");
  });
});
