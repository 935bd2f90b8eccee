import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { readVector, writeSae } from "../../src/index.ts";
import { signSae } from "../features/sign-sae.ts";
import { temporaryFolder } from "../formats/temporary-folder.ts";
import { run } from "./fake-effects.ts";

const folder = temporaryFolder();
const file = (name: string): string => join(folder.path, name);
const corpus = "models/data/corpus.jsonl.gz";

beforeAll(async () => {
  await writeSae(file("signs"), signSae(96));
  await writeSae(file("narrow"), signSae(8));
});

describe("trimtab sae map and sae vector", () => {
  test("write a map, say what it is, and a vector of the large model by feature index", async () => {
    const map = file("s2l.safetensors");
    const threads = ["--threads", "1"];
    const words = ["demo:xs", "demo:s", "--sae", file("signs"), "--corpus", corpus, "--layers", "1:1"];
    const made = await run(["sae", "map", ...words, "--max-rows", "3000", "-o", map, ...threads, "--json"]);
    expect(made.status, made.stderr).toBe(0);
    const { scores } = JSON.parse(made.stdout);
    expect(scores.r2).toBeGreaterThan(scores.nulls.shuffled.r2 + 0.1);
    const shown = await run(["inspect", map]);
    expect(shown.stdout).toContain("192 features of");
    expect(shown.stdout).toContain("resid_post.1 of Trimtab Stories S");
    const vector = file("v.safetensors");
    const drawn = await run(["sae", "vector", map, "--feature", "6", "--feature", "9=-0.5", "-o", vector]);
    expect(drawn.status, drawn.stderr).toBe(0);
    expect(drawn.stdout).toMatch(/feature 9 +weight -0.5; active in \d+ of \d+ rows/);
    expect((await readVector(vector)).directions[0]!.vector).toHaveLength(128);
    // The same command again refuses to replace what stands there, and leaves it.
    const before = await readFile(vector);
    expect((await run(["sae", "vector", map, "--feature", "7", "-o", vector])).status).toBe(2);
    expect(await readFile(vector)).toEqual(before);
    const far = await run(["sae", "vector", map, "--feature", "192", "-o", file("w.gguf")]);
    expect(far.stderr).toContain("feature: expected an index from 0 to 191, got 192");
    await expect(stat(file("w.gguf"))).rejects.toThrow();
  });

  test("refuse to replace the autoencoder that is read, --force or not", async () => {
    const weights = join(file("signs"), "sae_weights.safetensors");
    const before = await readFile(weights);
    const words = ["demo:xs", "demo:s", "--sae", file("signs"), "--corpus", corpus, "--layers", "1:1"];
    const { status, stderr } = await run(["sae", "map", ...words, "--max-rows", "2000", "-o", weights, "--force"]);
    expect(status).toBe(2);
    expect(stderr).toContain("which is read");
    expect(await readFile(weights)).toEqual(before);
  });

  test("refuse wrong words by name", async () => {
    const refused = async (...argv: string[]): Promise<string> => {
      const { status, stderr } = await run(argv);
      expect(status).not.toBe(0);
      return stderr;
    };
    const output = ["-o", file("never.safetensors"), "--threads", "1"];
    const both = ["demo:xs", "demo:s", "--corpus", corpus];
    expect(await refused("sae", "map", ...both, ...output)).toContain("--sae DIR");
    expect(await refused("sae", "map", "demo:xs", "demo:s", "--sae", file("signs"), ...output)).toContain(
      "--corpus PATH",
    );
    expect(await refused("sae", "map", ...both, "--sae", file("none"), ...output)).toContain("none");
    expect(await refused("sae", "map", ...both, "--sae", file("narrow"), "--layers", "1:1", ...output)).toContain(
      "width 96",
    );
    expect(await refused("sae", "map", ...both, "--sae", file("signs"), "--layers", "1:9", ...output)).toContain(
      "layer",
    );
    expect(await refused("sae", "map", ...both, "--sae", file("signs"), "--lambda", "0", ...output)).toContain(
      "above 0",
    );
    expect(await refused("sae", "map", ...both, "--sae", file("signs"), ...output)).toContain("--layer");
    expect(await refused("sae", "vector", file("signs"), ...output.slice(0, 2))).toContain("--feature N");
    expect(await refused("sae", "vector", file("signs"), "--feature", "x", ...output.slice(0, 2))).toContain(
      "an index",
    );
    const others = ["demo:xs", "demo:xs1k", "--corpus", corpus, "-o", file("study")];
    const apart = await refused("study", "decoders", ...others, "--threads", "1");
    expect(apart).toContain("tokenizers: expected");
    expect(apart).not.toContain("training"); // refused before anything is trained
    for (const study of ["decoders", "features"]) {
      expect(await refused("study", study, "demo:xs", "demo:s", "-o", file("study"))).toContain("--corpus PATH");
      expect(await refused("study", study, ...both)).toContain("-o DIR");
      expect(await refused("study", study, ...both, "--layers", "1", "-o", file("study"))).toContain("SOURCE:TARGET");
    }
    expect(await refused("study", "features", ...both, "--pairs", "x.jsonl", "-o", file("study"))).toContain(
      "FILE=SCORE",
    );
    expect(await refused("study", "features", ...both, "--strengths", "8", "-o", file("study"))).toContain(
      "median norms",
    );
    // Said at once: training on the first model would take a minute.
    const other = ["study", "features", "demo:xs1k", "demo:xs", "--corpus", corpus, "-o", file("study")];
    expect(await refused(...other, "--threads", "1")).toContain("tokenizer");
    await expect(stat(file("study"))).rejects.toThrow();
  });
});
