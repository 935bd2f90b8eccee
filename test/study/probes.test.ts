import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { splitRows } from "../../src/features/probes/split-rows.ts";
import { demoData, readProbe } from "../../src/index.ts";
import type { Matrix } from "../../src/linalg/matrix.ts";
import { seededRandom } from "../../src/linalg/random.ts";
import { plantedMap } from "../../src/maps/latent-truth.ts";
import { createLatentWorld } from "../../src/maps/latent-world.ts";
import { measureArms } from "../../src/study/probes/measure-arms.ts";
import { studyCell } from "../../src/study/probes/study-cell.ts";
import { scoreByTokens } from "../../src/study/probes/token-probe.ts";
import type { LabelledRows } from "../../src/vectors/logistic-rows.ts";
import { run } from "../cli/fake-effects.ts";
import { writeShortCorpus } from "./short-corpus.ts";

describe("studyCell() in a latent world", () => {
  const sizes = { features: 24, universalWidth: 20, active: 3, seed: 7 };
  const models = [{ width: 22 }, { width: 30 }];
  const world = createLatentWorld({ ...sizes, models });
  const drawn = world.draw(320, { seed: 5 });
  // The property: whether feature 0 or 1 is in the row's code, hard to tell but not impossible.
  const labels = Uint8Array.from({ length: 320 }, (_, i) => {
    const { offsets, indices } = drawn.code;
    return indices.slice(offsets[i], offsets[i + 1]).some((feature) => feature < 4) ? 1 : 0;
  });
  const groups = Int32Array.from(labels, (_, i) => i >> 1);
  const rowsOf = ({ data, cols }: Matrix): LabelledRows => ({
    rows: 320,
    width: cols,
    data: Float32Array.from(data),
    labels,
  });
  const split = splitRows({ labels, groups }, { seed: 1 });
  const cellOf = (target: LabelledRows, kind: "logistic" | "mean-difference") =>
    studyCell(rowsOf(drawn.states[0]!), target, {
      kind,
      split,
      groups,
      byTokens: new Float64Array(split.heldOut.length),
      maps: {
        backward: plantedMap(world, 1, 0),
        forward: plantedMap(world, 0, 1),
        shuffledBackward: { ...plantedMap(world, 1, 0), p: new Float64Array(22).fill(1) },
      },
      recalibrationGroups: 8,
      draws: 20,
      seed: 3,
    });

  test("with exact maps a probe carried backward is as good as on its own model, to the last text", () => {
    for (const kind of ["logistic", "mean-difference"] as const) {
      const { arms, nulls } = cellOf(rowsOf(drawn.states[1]!), kind);
      expect(arms.origin.auroc).toBeGreaterThan(0.7);
      expect(arms.backward.accuracy).toBe(arms.origin.accuracy);
      // Equal to rounding of float32 rows: at most a few pairs of 12,800 change their order.
      expect(arms.backward.auroc).toBeCloseTo(arms.origin.auroc, 3);
      expect(Math.max(...nulls.random.auroc)).toBeLessThan(arms.backward.auroc);
    }
  });

  test("a difference of means carried forward by an exact map separates the carried class means as its own does", () => {
    const { arms, correlation } = cellOf(rowsOf(drawn.states[1]!), "mean-difference");
    expect(arms.forward!.auroc).toBeGreaterThan(0.7);
    // A (μ⁺ − μ⁻) is the difference of the target's class means: the native probe itself.
    expect(correlation.forward).toBeCloseTo(1, 4);
    expect(arms.forward!.accuracy).toBe(arms.native.accuracy);
  });

  test("on a model of another world it is no better than its nulls", () => {
    const other = createLatentWorld({ ...sizes, seed: 8, models }).draw(320, { seed: 50 });
    const { arms } = cellOf(rowsOf(other.states[1]!), "logistic");
    // 160 texts: a chance AUROC has a standard deviation of 0.046.
    expect(Math.abs(arms.backward.auroc - 0.5)).toBeLessThan(0.16);
  });
});

describe("measureArms() and scoreByTokens()", () => {
  test("intervals hold the value, shrink with more groups, and the gap of an arm with itself is 0", () => {
    const random = seededRandom(4);
    const of = (n: number) => {
      const labels = Uint8Array.from({ length: n }, (_, i) => i % 2);
      const scores = Float64Array.from(labels, (label) => label + 1.5 * random.normal());
      const groups = Int32Array.from(labels, (_, i) => i >> 1);
      return measureArms([scores, scores], { labels, groups, seed: 1, resamples: 300 })[1]!;
    };
    const [few, many] = [of(60), of(600)];
    for (const { auroc, aurocInterval, gapInterval } of [few, many]) {
      expect(aurocInterval!.low).toBeLessThan(auroc);
      expect(aurocInterval!.high).toBeGreaterThan(auroc);
      expect(gapInterval).toEqual({ low: 0, high: 0 });
    }
    const widthOf = ({ aurocInterval }: typeof few): number => aurocInterval!.high - aurocInterval!.low;
    expect(widthOf(many)).toBeLessThan(widthOf(few) / 2);
  });

  test("scoreByTokens() tells texts by a token that only one class has, and nothing by tokens it never saw", () => {
    const random = seededRandom(9);
    const texts = Array.from({ length: 40 }, (_, i) =>
      Int32Array.from({ length: 12 }, (_, at) => (at === 3 ? 100 + (i % 2) : random.integer(30))),
    );
    const labels = Uint8Array.from(texts, (_, i) => i % 2);
    const [trained, scored] = [
      Int32Array.from({ length: 30 }, (_, i) => i),
      Int32Array.from({ length: 10 }, (_, i) => 30 + i),
    ];
    const scores = scoreByTokens(texts, labels, { trained, scored });
    for (const [k, i] of scored.entries()) expect(scores[k]! > 0).toBe(labels[i] === 1);
    const unknown = [...texts, Int32Array.of(900, 901)];
    const [bare] = scoreByTokens(unknown, Uint8Array.of(...labels, 0), { trained, scored: Int32Array.of(40) });
    const [again] = scoreByTokens([...texts, Int32Array.of(950)], Uint8Array.of(...labels, 0), {
      trained,
      scored: Int32Array.of(40),
    });
    expect(bare).toBe(again);
  });
});

describe("commands on the demo models", () => {
  let folder = "";
  const file = (name: string): string => join(folder, name);
  const run1 = (argv: readonly string[]) => run([...argv, "--threads", "1"]);
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "trimtab-probes-"));
    const lines = readFileSync(demoData("pairs/french.jsonl"), "utf8").split("\n");
    await writeFile(file("french.jsonl"), lines.slice(0, 32).join("\n"));
    await writeShortCorpus(file("short.jsonl"), 80);
    await writeFile(file("few.jsonl"), lines.slice(32, 40).join("\n"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  test("probe train, inspect, transfer and score: French is told on the model that the probe was carried to", async () => {
    const trained = await run1([
      "probe",
      "train",
      "demo:xs",
      "--pairs",
      file("french.jsonl"),
      "--layer",
      "1",
      "-o",
      file("p.safetensors"),
    ]);
    expect(trained.status, trained.stderr).toBe(0);
    expect(trained.stdout).toMatch(/held out {2,}32 texts: accuracy /);
    expect((await readProbe(file("p.safetensors"))).provenance.scores!.auroc).toBeGreaterThan(0.95);
    const shown = await run(["inspect", file("p.safetensors")]);
    expect(shown.stdout).toMatch(/^probe {2,}logistic, λ 1$/m);
    const fit = ["fit", "demo:s", "demo:xs", "--corpus", file("short.jsonl"), "--layers", "2:1", "--max-rows", "5000"];
    expect((await run1([...fit, "-o", file("back.safetensors")])).status).toBe(0);
    const transfer = ["probe", "transfer", file("p.safetensors"), "--map", file("back.safetensors")];
    const carried = await run1([
      ...transfer,
      "--model",
      "demo:s",
      "--pairs",
      file("few.jsonl"),
      "-o",
      file("c.safetensors"),
    ]);
    expect(carried.status, carried.stderr).toBe(0);
    expect(carried.stdout).toMatch(/carried {2,}backward: Bᵀ w/);
    expect(carried.stdout).toMatch(/threshold {2,}moved by .*, 16 labelled texts/);
    const score = ["probe", "score", "demo:s", file("c.safetensors"), "--json"];
    const scored = JSON.parse((await run1([...score, "--pairs", file("french.jsonl")])).stdout);
    expect(scored.measured.auroc).toBeGreaterThan(0.9);
    expect(scored.random).toHaveLength(20);
    const lone = JSON.parse(
      (await run1([...score, "--text", "Le chien est dans la maison.", "--text", "The dog is in the house."])).stdout,
    );
    expect(lone.texts[0].score).toBeGreaterThan(lone.texts[1].score);
    const wrong = await run1(["probe", "score", "demo:xs", file("c.safetensors"), "--text", "x"]);
    expect(wrong.status).toBe(6);
    expect(wrong.stderr).toMatch(/expected one of Trimtab Stories XS.*, got one of Trimtab Stories S/);
  });

  test("study probes writes page, figures, tables and numbers, with every null", async () => {
    const out = file("study");
    const pairs = ["--pairs", file("french.jsonl"), "--layers", "1:2", "--max-rows", "5000"];
    const { status, stderr, stdout } = await run1([
      "study",
      "probes",
      "demo:xs",
      "demo:s",
      "--corpus",
      file("short.jsonl"),
      ...pairs,
      "-o",
      out,
    ]);
    expect(status, stderr).toBe(0);
    expect(stdout).toMatch(/Mean AUROC is /);
    for (const name of [
      "report.html",
      "probes.json",
      "figures/logistic-source-to-target.svg",
      "tables/logistic-target-to-source.csv",
    ])
      expect(existsSync(join(out, name))).toBe(true);
    const { cells } = JSON.parse(readFileSync(join(out, "probes.json"), "utf8"));
    expect(cells).toHaveLength(4);
    for (const { arms, nulls, texts } of cells) {
      expect(texts).toEqual({ trained: 32, heldOut: 32 });
      expect(arms.backward.auroc).toBeGreaterThan(0.8);
      expect(nulls.random.auroc).toHaveLength(20);
      expect(nulls.shuffledLabels.auroc).toHaveLength(20);
    }
  });

  test("refuse what they cannot use, each with what to do", async () => {
    const cases: readonly (readonly [readonly string[], number, RegExp])[] = [
      [["probe", "train", "demo:xs", "-o", file("x.safetensors")], 2, /--pairs FILE or --labelled FILE, got neither/],
      [["probe", "train", "demo:xs", "--pairs", file("none.jsonl"), "-o", file("x.safetensors")], 4, /none.jsonl/],
      [
        [
          "probe",
          "train",
          "demo:xs",
          "--pairs",
          file("few.jsonl"),
          "--kind",
          "mean",
          "--lambda",
          "2",
          "-o",
          file("x.safetensors"),
        ],
        2,
        /--lambda with --kind logistic/,
      ],
      [["probe", "transfer", file("p.safetensors"), "-o", file("x.safetensors")], 2, /--map FILE, got none/],
      [
        ["probe", "transfer", file("p.safetensors"), "--map", file("p.safetensors"), "-o", file("x.safetensors")],
        3,
        /a trimtab-map file, got a trimtab-probe file/,
      ],
      [
        [
          "probe",
          "transfer",
          file("p.safetensors"),
          "--map",
          file("back.safetensors"),
          "--model",
          "demo:s",
          "-o",
          file("x.safetensors"),
        ],
        2,
        /--model with --pairs or --labelled/,
      ],
      [["probe", "score", "demo:xs", file("p.safetensors")], 2, /--pairs or --labelled, or --text or --texts/],
      [
        ["study", "probes", "demo:xs", "demo:s", "--pairs", file("few.jsonl"), "-o", file("y")],
        2,
        /--corpus PATH, got none/,
      ],
      [
        ["study", "probes", "demo:xs", "demo:s", "--corpus", file("few.jsonl"), "-o", file("y")],
        2,
        /--pairs FILE, got none/,
      ],
    ];
    for (const [argv, status, message] of cases) {
      const found = await run1(argv);
      expect(found.stderr).toMatch(message);
      expect(found.status).toBe(status);
    }
  });
});
