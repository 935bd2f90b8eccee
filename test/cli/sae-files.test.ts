import { cp, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { residPost, type Sae, seededRandom, writeSae } from "../../src/index.ts";
import { temporaryFolder } from "../formats/temporary-folder.ts";
import { run } from "./fake-effects.ts";

const folder = temporaryFolder();
const file = (name: string): string => join(folder.path, name);
const quick = ["--threads", "1", "--max-tokens", "1500", "-q"];

beforeAll(async () => {
  const random = seededRandom(2);
  const draw = (n: number): Float32Array => Float32Array.from({ length: n }, () => random.normal());
  const sae = (width: number): Sae => ({
    width,
    features: 32,
    activation: "topk",
    encoder: draw(32 * width),
    encoderBias: new Float32Array(32),
    decoder: draw(32 * width),
    decoderBias: new Float32Array(width),
    threshold: undefined,
    k: 4,
    gate: undefined,
    subtractsDecoderBias: true,
    inputScale: 1,
    origin: { format: "trimtab", model: "another", modelSha256: undefined, site: residPost(1), facts: {} },
  });
  await writeSae(file("sae"), sae(96));
  await writeSae(file("narrow"), sae(64));
  folder.put(
    "pairs.jsonl",
    Array.from({ length: 6 }, (_, i) => `{"positive": "Le chat ${i}.", "negative": "The cat ${i}."}`).join("\n"),
  );
});

describe("trimtab sae examples", () => {
  test("shows where features are strongest, and warns that the autoencoder names another model", async () => {
    const { status, stdout, stderr } = await run([
      "sae",
      "examples",
      "demo:xs",
      "--sae",
      file("sae"),
      "--feature",
      "3,5",
      "--top",
      "2",
      ...quick,
    ]);
    expect(status).toBe(0);
    expect(stderr).toContain("warning: the autoencoder was trained on another, and this model is Trimtab Stories XS");
    expect(stdout).toMatch(/^read +\d+ tokens in \d+ documents \(\d+ windows\), at resid_post\.1\n/);
    expect(stdout.match(/^feature +\d+$/gm)).toEqual(["feature     3", "feature     5"]);
    for (const name of ["active", "activation", "tokens", "promoted", "suppressed"])
      expect(stdout.match(new RegExp(`^${name} `, "gm"))).toHaveLength(2);
    expect(stdout.match(/^ +\d\S+ {2}.*».+«/gm)).toHaveLength(4);
  });

  test("--json gives the same as data", async () => {
    const { stdout } = await run([
      "sae",
      "examples",
      "demo:xs",
      "--sae",
      file("sae"),
      "--feature=3",
      "--json",
      "--no-lens",
      ...quick,
    ]);
    const shown = JSON.parse(stdout);
    expect(shown).toMatchObject({ site: "resid_post.1", features: [{ feature: 3, lens: null }] });
    expect(shown.warnings).toHaveLength(1);
    expect(shown.features[0].firingRate).toBeCloseTo(shown.features[0].active / shown.rows, 12);
    expect(shown.features[0].examples[0].value).toBe(shown.features[0].values.max);
  });

  test("refuses what cannot be", async () => {
    const ask = (...argv: string[]) => run(["sae", "examples", "demo:xs", ...argv, ...quick]);
    expect(await ask("--feature", "1")).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("expected --sae PATH"),
    });
    expect(await ask("--sae", file("sae"))).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("expected --feature N"),
    });
    expect(await ask("--sae", file("sae"), "--feature", "one")).toMatchObject({ status: 2 });
    expect(await ask("--sae", file("sae"), "--feature", "32")).toMatchObject({
      status: 3,
      stderr: expect.stringContaining("expected a number from 0 to 31, got 32"),
    });
    expect(await ask("--sae", file("narrow"), "--feature", "1")).toMatchObject({
      status: 6,
      stderr: expect.stringContaining(
        "expected hidden states of width 96, as Trimtab Stories XS has them, got width 64",
      ),
    });
    expect(await ask("--sae", file("sae"), "--feature", "1", "--layer", "3")).toMatchObject({
      status: 3,
      stderr: expect.stringContaining("expected a layer from 0 to 2, got 3"),
    });
    expect(await ask("--sae", file("none"), "--feature", "1")).toMatchObject({ status: 4 });
  });
});

describe("trimtab sae features", () => {
  test("lists features with held-out scores beside those of shuffled sides", async () => {
    const argv = [
      "sae",
      "features",
      "demo:xs",
      "--sae",
      file("sae"),
      "--pairs",
      file("pairs.jsonl"),
      "--top",
      "3",
      "--shuffles",
      "19",
      "--threads",
      "1",
    ];
    const { status, stdout } = await run([...argv, "-q"]);
    expect(status).toBe(0);
    expect(stdout).toContain("pairs     3 to choose on, 3 held out");
    expect(stdout).toContain("best feature with sides exchanged at random, held out: median");
    const shown = JSON.parse((await run([...argv, "--json"])).stdout);
    expect(shown).toMatchObject({ site: "resid_post.1", readAt: "difference-mean", shuffled: { draws: 19 } });
    expect(shown.features).toHaveLength(3);
  });

  test("refuses what cannot be", async () => {
    const ask = (...argv: string[]) => run(["sae", "features", "demo:xs", ...argv, "--threads", "1", "-q"]);
    expect(await ask("--sae", file("sae"))).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("expected --pairs FILE"),
    });
    folder.put("two.jsonl", '{"positive": "a dog", "negative": "a cat"}\n{"positive": "dogs", "negative": "cats"}');
    expect(await ask("--sae", file("sae"), "--pairs", file("two.jsonl"))).toMatchObject({
      status: 3,
      stderr: expect.stringContaining("expected at least 4 pairs"),
    });
  });
});

describe("trimtab inspect", () => {
  test("tells of an autoencoder how it decides, what it codes and what it was trained on", async () => {
    const path = "test/fixtures/sae/gemma-scope-2b-pt-res/layer_20/width_16k/average_l0_71";
    const { status, stdout } = await run(["inspect", path]);
    expect(status).toBe(0);
    expect(stdout).toBe(`autoencoder      jumprelu, 24 features of width 8
layout           Gemma Scope
site             resid_post.20
trained on       google/gemma-2-2b
threshold        median 0.439, 5 to 95 % 0.0309 to 1.09
decoder rows     length median 1.61, 5 to 95 % 0.948 to 2.15
input            hidden states as they are
active in a row  71
`);
    const shown = JSON.parse((await run(["inspect", "test/fixtures/sae/saelens-topk", "--json"])).stdout);
    expect(shown).toMatchObject({
      kind: "sae",
      layout: "saelens",
      activation: "topk",
      k: 4,
      site: "resid_post.12",
      model: "gemma-2-2b",
    });
    // A path without the release's name: the layer is known, and what was assumed is said.
    await mkdir(file("layer_3"));
    await cp(join(path, "params.npz"), file("layer_3/params.npz"));
    expect((await run(["inspect", file("layer_3")])).stdout).toMatch(
      /site +resid_post\.3\ntrained on +the files do not say[\s\S]*assumed +the path names a layer/,
    );
  });
});
