import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { encodeRows } from "../../src/features/encode.ts";
import type { SparseRows } from "../../src/features/sparse-rows.ts";
import { readSae } from "../../src/index.ts";
import { measureSurvival } from "../../src/study/sae/feature-survival.ts";
import { explainedVariance, explainedWithInterval } from "../../src/study/sae/held-rows.ts";
import { snapshotSteps, stepFlops, stepsToReach } from "../../src/study/sae/training-cost.ts";
import { run } from "../cli/fake-effects.ts";
import { writeShortCorpus } from "./short-corpus.ts";

describe("parts of the study", () => {
  test("explainedVariance() is 1 of the rows themselves, 0 of their mean and below 0 of what is further off", () => {
    const rows = Float32Array.of(1, 10, 3, 20, 5, 30, 7, 40);
    const held = { rows, width: 2, groups: Int32Array.of(0, 0, 1, 1), groupCount: 2 };
    const mean = Float32Array.of(4, 25, 4, 25, 4, 25, 4, 25);
    expect(explainedVariance(held, rows)).toBe(1);
    expect(explainedVariance(held, mean)).toBe(0);
    expect(
      explainedVariance(
        held,
        mean.map((value) => -value),
      ),
    ).toBeLessThan(0);
    // Half the way from the mean to the rows leaves a quarter of the squares.
    const half = explainedWithInterval(
      held,
      rows.map((value, at) => (value + mean[at]!) / 2),
      1,
    );
    expect(half.value).toBeCloseTo(0.75, 6);
    expect(half.interval!.low).toBeCloseTo(0.75, 6);
  });

  test("measureSurvival() is numpy's corrcoef by feature, silent features 0, rare ones not judged", () => {
    const n = 60;
    const dense = (of: (row: number, feature: number) => number): SparseRows => {
      const [offsets, indices, values] = [[0], [] as number[], [] as number[]];
      for (let i = 0; i < n; i++) {
        for (let j = 0; j < 4; j++) {
          const value = of(i, j);
          if (value !== 0) {
            indices.push(j);
            values.push(value);
          }
        }
        offsets.push(indices.length);
      }
      const typed = {
        offsets: Int32Array.from(offsets),
        indices: Int32Array.from(indices),
        values: Float32Array.from(values),
      };
      return { rows: n, cols: 4, ...typed };
    };
    const before = dense((i, j) => (j === 3 ? (i < 5 ? 1 : 0) : i % (j + 2) === 0 ? 1 + (i % 5) : 0));
    const after = dense((i, j) => (j === 0 && i % 2 === 0 ? 2 * (1 + (i % 5)) : j === 1 && i % 3 === 1 ? 1 : 0));
    const { judged, silent, byFeature } = measureSurvival(before, after);
    expect([judged, silent]).toEqual([3, 1]);
    expect(byFeature[0]).toBeCloseTo(1, 12);
    const column = (of: SparseRows, j: number): number[] =>
      Array.from({ length: n }, (_, i) => {
        for (let at = of.offsets[i]!; at < of.offsets[i + 1]!; at++) if (of.indices[at] === j) return of.values[at]!;
        return 0;
      });
    const [a, b] = [column(before, 1), column(after, 1)];
    const mean = (x: readonly number[]): number => x.reduce((sum, value) => sum + value, 0) / n;
    const dot = (x: readonly number[], y: readonly number[]): number =>
      x.reduce((sum, value, i) => sum + (value - mean(x)) * (y[i]! - mean(y)), 0);
    expect(byFeature[1]).toBeCloseTo(dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b)), 10);
    expect(byFeature[2]).toBe(0);
    expect(byFeature[3]).toBeNaN();
  });

  test("stepsToReach() reads a curve in straight lines; stepFlops() counts the products; snapshotSteps() ends at the last", () => {
    const curve = [0, 10, 30].map((step, i) => ({ step, explained: [0.2, 0.6, 0.7][i]! }));
    expect(stepsToReach(curve, 0.1)).toBe(0);
    expect(stepsToReach(curve, 0.4)).toBeCloseTo(5, 12);
    expect(stepsToReach(curve, 0.65)).toBeCloseTo(20, 12);
    expect(stepsToReach(curve, 0.8)).toBeUndefined();
    // 2·4·8·16 for the encoder, 8·4·2·16 for the active features, 20·8·16 for Adam.
    expect(stepFlops({ batch: 4, features: 8, width: 16, k: 2 })).toBe(1024 + 1024 + 2560);
    const steps = snapshotSteps(400);
    expect([steps[0], steps.at(-1)]).toEqual([0, 400]);
    expect(steps.every((step, i) => i === 0 || step > steps[i - 1]!)).toBe(true);
  });
});

describe("commands on the demo models", () => {
  let folder = "";
  const file = (name: string): string => join(folder, name);
  const run1 = (argv: readonly string[]) => run([...argv, "--threads", "1"]);
  const corpus = (): string => file("short.jsonl");
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "trimtab-sae-"));
    await writeShortCorpus(corpus(), 80);
  });
  afterAll(() => rm(folder, { recursive: true }));

  test("study sae writes page, figure, tables and numbers: from the carried one training explains more at once", async () => {
    const out = file("study");
    const small = [
      "--features",
      "64",
      "--k",
      "6",
      "--steps",
      "40",
      "--batch",
      "256",
      "--seeds",
      "1",
      "--max-tokens",
      "6000",
    ];
    const argv = ["study", "sae", "demo:s", "demo:xs", "--corpus", corpus(), "--layers", "2:1", ...small, "-o", out];
    const { status, stderr, stdout } = await run1(argv);
    expect(status, stderr).toBe(0);
    expect(stdout).toMatch(/Without any training on the target, the carried autoencoder explains 0\.\d\d/);
    for (const name of ["report.html", "sae.json", "figures/curves.svg", "tables/savings.csv", "tables/losses.csv"])
      expect(existsSync(join(out, name))).toBe(true);
    const { seeds, ceiling, losses, flops } = JSON.parse(readFileSync(join(out, "sae.json"), "utf8"));
    const [{ zeroShot, curves, survival }] = seeds;
    expect(zeroShot.carried.value).toBeGreaterThan(zeroShot.shuffledMap.value + 0.1);
    expect(zeroShot.carried.value).toBeLessThan(ceiling.value + 0.05);
    expect(curves.carried[0].explained).toBeGreaterThan(curves["shuffled map"][0].explained);
    expect(curves.carried.length).toBe(curves.scratch.length);
    expect(survival.survives).toBeGreaterThan(survival.nullSurvives);
    expect(losses.arms.map(({ name }: { name: string }) => name)).toContain("carried, no training");
    expect(flops.training).toBe(40 * flops.step);
  });

  test("sae transfer writes an autoencoder of the new model that encodes its states; refusals name what is missing", async () => {
    const train = [
      "sae",
      "train",
      "demo:xs",
      "--layer",
      "1",
      "--corpus",
      corpus(),
      "--features",
      "48",
      "--k",
      "4",
      "--steps",
      "20",
    ];
    const trained = await run1([...train, "--batch", "128", "--max-tokens", "4000", "-o", file("xs")]);
    expect(trained.status, trained.stderr).toBe(0);
    const collect = [
      "moments",
      "collect",
      "demo:xs",
      "demo:s",
      "--corpus",
      corpus(),
      "--layers",
      "1:2",
      "--max-rows",
      "2500",
      "--context",
      "64",
    ];
    expect((await run1([...collect, "-o", file("m.safetensors")])).status).toBe(0);
    const fit = ["fit", "--moments", file("m.safetensors")];
    expect((await run([...fit, "-o", file("there.safetensors")])).status).toBe(0);
    expect((await run([...fit, "--reverse", "-o", file("back.safetensors")])).status).toBe(0);
    const [there, back] = [file("there.safetensors"), file("back.safetensors")];
    const carry = ["sae", "transfer", file("xs")];
    const found = await run([...carry, "--map", there, "--back", back, "-o", file("s")]);
    expect(found.status, found.stderr).toBe(0);
    expect(found.stdout).toMatch(/to {2,}Trimtab Stories S at resid_post.2, width 128/);
    const sae = await readSae(file("s"));
    expect([sae.width, sae.features, sae.origin.site?.layer]).toEqual([128, 48, 2]);
    expect(encodeRows(sae, new Float32Array(256).fill(0.5)).rows).toBe(2);
    const further = [
      "sae",
      "train",
      "demo:s",
      "--from",
      file("s"),
      "--corpus",
      corpus(),
      "--no-loss",
      "--steps",
      "3",
      "--batch",
      "128",
    ];
    const on = await run1([...further, "-o", file("further")]);
    expect(on.status, on.stderr).toBe(0);
    const grown = await readSae(file("further"));
    expect([grown.features, grown.k, grown.origin.site?.layer]).toEqual([48, 4, 2]);
    const cases: readonly (readonly [readonly string[], number, RegExp])[] = [
      [[...carry, "--map", there, "-o", file("z")], 2, /--map FILE and --back FILE, got no --back/],
      [[...carry, "--map", there, "--back", back], 2, /--output: expected a folder, got nothing/],
      [[...carry, "--map", there, "--back", back, "-o", file("s")], 2, /an empty folder, or none yet/],
      [
        [...carry, "--map", back, "--back", there, "-o", file("z")],
        6,
        /one from resid_post.1 of Trimtab Stories XS, width 96/,
      ],
      [[...carry, "--map", there, "--back", there, "-o", file("z")], 6, /map back: expected one from resid_post.2/],
      [[...further, "--features", "9", "-o", file("z")], 2, /--from or --features, got both/],
      [
        ["sae", "train", "demo:xs", "--from", file("s"), "--corpus", corpus(), "-o", file("z")],
        6,
        /hidden states of width 96.*width 128/,
      ],
      [["study", "sae", "demo:xs", "demo:s", "-o", file("z")], 2, /--corpus PATH, got none/],
      [
        [
          "study",
          "sae",
          "demo:xs",
          "demo:s",
          "--corpus",
          corpus(),
          "--sae",
          file("xs"),
          "--features",
          "9",
          "-o",
          file("z"),
        ],
        2,
        /--sae or --features, got both/,
      ],
    ];
    for (const [argv, status, message] of cases) {
      const { status: got, stderr } = await run(argv);
      expect(stderr).toMatch(message);
      expect(got).toBe(status);
    }
  });
});
