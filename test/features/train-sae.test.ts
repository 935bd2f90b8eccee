import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { beforeAll, describe, expect, test } from "vitest";
import { encodeRows } from "../../src/features/encode.ts";
import type { Sae } from "../../src/features/sae.ts";
import { adamStep } from "../../src/features/train/adam.ts";
import { createBatchGradients } from "../../src/features/train/gradients.ts";
import {
  createParameters,
  drawParameters,
  normaliseRows,
  removeParallel,
} from "../../src/features/train/parameters.ts";
import { toRowSource } from "../../src/features/train/row-source.ts";
import { resolveTrainSettings } from "../../src/features/train/settings.ts";
import { type TrainSaeOptions, trainSae } from "../../src/features/train/train-sae.ts";
import { seededRandom } from "../../src/linalg/random.ts";
import { setLinalgThreads } from "../../src/linalg/threads.ts";
import { temporaryFolder } from "../formats/temporary-folder.ts";
import { type PlantedCodes, plantedCodes } from "./planted-codes.ts";

const folder = temporaryFolder().path;
const planted = plantedCodes({ rows: 12_000, width: 24, features: 40, active: 3, seed: 5 });
const source = toRowSource("planted", planted.X, planted.width);
const quick: TrainSaeOptions = { features: 48, k: 3, batch: 256, steps: 500, learningRate: 3e-3, deadAfter: 5000 };

beforeAll(() => setLinalgThreads(1));

/** Of rows of length 1: their cosine. */
function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, i) => sum + value * (b[i] as number), 0);
}

/** Mean over the true directions of the largest cosine with a decoder row. */
function recovery({ decoder, features, width }: Sae, { directions }: PlantedCodes): number {
  const row = (of: Float32Array, j: number) => Float64Array.from(of.subarray(j * width, (j + 1) * width));
  const trues = directions.length / width;
  let sum = 0;
  for (let i = 0; i < trues; i++) {
    const own = row(directions, i);
    let best = -1;
    for (let j = 0; j < features; j++) best = Math.max(best, dot(own, row(decoder, j)));
    sum += best;
  }
  return sum / trues;
}

/** Equal to the bit, provenance and all. */
function expectSame(a: Sae, b: Sae): void {
  const bytes = (of: Float32Array | undefined): string => (of ? Buffer.from(of.buffer).toString("base64") : "none");
  for (const name of ["encoder", "encoderBias", "decoder", "decoderBias", "threshold"] as const)
    expect([name, bytes(a[name]) === bytes(b[name])]).toEqual([name, true]);
  const { encoder: _e, encoderBias: _b, decoder: _d, decoderBias: _c, threshold: _t, ...rest } = a;
  expect(b).toMatchObject(rest);
}

describe("trainSae recovers the directions of sparse codes", () => {
  test.each([
    ["topk", 3],
    ["batchtopk", 3],
    ["jumprelu", 3],
  ] as const)("%s: mean largest cosine above 0.9, and as many active features as planted", async (kind, k) => {
    const sae = await trainSae(source, { ...quick, kind, k, steps: kind === "jumprelu" ? 600 : 400 });
    expect(recovery(sae, planted)).toBeGreaterThan(0.9);
    // Random directions reach 0.5 at this width: the null.
    const random = plantedCodes({ rows: 1, width: planted.width, features: 48, active: 1, seed: 77 }).directions;
    expect(recovery({ ...sae, decoder: random }, planted)).toBeLessThan(0.65);
    const codes = encodeRows(sae, planted.X.subarray(0, 4000 * planted.width));
    expect(codes.indices.length / 4000).toBeGreaterThan(kind === "topk" ? 2.9 : 2.4);
    expect(codes.indices.length / 4000).toBeLessThan(kind === "topk" ? 3.01 : 3.6);
    // Directions written have length 1; what is read is scaled to a mean length of √width.
    for (let j = 0; j < 48; j++) expect(Math.hypot(...sae.decoder.subarray(j * 24, (j + 1) * 24))).toBeCloseTo(1, 5);
    expect(meanNorm(planted.X, 24) * sae.inputScale).toBeCloseTo(Math.sqrt(24), 1);
  });

  test("features too quiet to be chosen come back by auxK, and not without", () => {
    const [without, revived] = [0, 8].map(trainQuiet) as [number, number];
    // 30 of 48 features start with a twentieth of their voice, and 18 others cannot explain 40 directions.
    expect(without).toBeLessThan(3);
    expect(revived).toBeGreaterThan(20);
  });
});

/** Trains with most features too quiet to be chosen; returns how many of those are active at the end. */
function trainQuiet(auxK: number): number {
  const [width, features, quiet, batch] = [planted.width, 48, 30, 256];
  const settings = resolveTrainSettings({ ...quick, features, batch, auxK }, width);
  const mean = new Float64Array(width);
  const X = Float64Array.from(planted.X);
  X.forEach((value, at) => {
    mean[at % width] = (mean[at % width] as number) + (value * width) / X.length;
  });
  const parameters = drawParameters(settings, mean, seededRandom(2));
  for (let at = 0; at < quiet * width; at++) parameters.encoder[at] = 0.05 * (parameters.encoder[at] as number);
  const gradients = createParameters(settings, width);
  const moments = { first: createParameters(settings, width), second: createParameters(settings, width) };
  const gradientsOf = createBatchGradients(settings, width);
  const idle = new Float64Array(features);
  for (let step = 1; step <= 250; step++) {
    const dead = Int32Array.from(idle.keys()).filter((j) => (idle[j] as number) >= 2000);
    const from = ((step * batch) % 11_000) * width;
    const options = { settings, variance: 7, dead, sparsity: 0 };
    const { isActive } = gradientsOf(X.subarray(from, from + batch * width), gradients, parameters, options);
    removeParallel(gradients.decoder, parameters.decoder, width);
    adamStep(parameters, gradients, moments, { step, learningRate: 3e-3 });
    normaliseRows(parameters.decoder, width);
    idle.forEach((rows, j) => {
      idle[j] = isActive[j] ? 0 : rows + batch;
    });
  }
  return idle.subarray(0, quiet).filter((rows) => rows < 2000).length;
}

test("trainSae(source) gives the same bits twice, and other bits for another seed", async () => {
  const options = { ...quick, steps: 20 };
  const [first, again, other] = [
    await trainSae(source, options),
    await trainSae(source, options),
    await trainSae(source, { ...options, seed: 1 }),
  ];
  expectSame(again, first);
  expect(Buffer.from(other.decoder.buffer).equals(Buffer.from(first.decoder.buffer))).toBe(false);
});

test("rows beyond the buffer are read anew in each pass, and chunks and passes are told apart", async () => {
  let reads = 0;
  const counted = {
    ...source,
    chunks: (options?: Parameters<typeof source.chunks>[0]) => {
      reads++;
      return source.chunks(options);
    },
  };
  // 12,000 rows in chunks of 4096, a buffer of 5000: three blocks a pass of 16, 16 and 14 batches.
  const sae = await trainSae(counted, { ...quick, bufferRows: 5000, steps: 100 });
  expect(reads).toBe(3);
  expect(recovery(sae, planted)).toBeGreaterThan(0.7);
});

describe("a training that was interrupted goes on to the same bits", () => {
  const bounded = { ...quick, bufferRows: 5000, steps: 70, kind: "jumprelu" as const };
  let clock = 0;
  const checkpointAt = (name: string) => ({ path: join(folder, name), everyMs: 0, clock: () => clock++ });

  test("stopped by a signal, twice", async () => {
    const whole = await trainSae(source, bounded);
    const checkpoint = checkpointAt("signal.partial");
    for (const stopAt of [17, 61]) {
      const stop = new AbortController();
      const onProgress = ({ step }: { step: number }) => step === stopAt && stop.abort();
      const options = { ...bounded, checkpoint, signal: stop.signal, onProgress };
      await expect(trainSae(source, options)).rejects.toMatchObject({ code: "aborted" });
    }
    const resumed: number[] = [];
    const sae = await trainSae(source, { ...bounded, checkpoint, onResume: (step) => resumed.push(step) });
    expect(resumed).toEqual([61]);
    expectSame(sae, whole);
  });

  test("killed by SIGKILL", async () => {
    const whole = await trainSae(source, { ...bounded, checkpoint: checkpointAt("whole.partial") });
    const path = join(folder, "killed.partial");
    const child = spawn(process.execPath, [resolve("dist/test/features/train-child.js"), path], { stdio: "ignore" });
    const ended = once(child, "exit");
    while (!existsSync(path) && child.exitCode === null) await pause(1);
    await pause(5);
    child.kill("SIGKILL");
    await ended;
    expect(child.signalCode).toBe("SIGKILL");
    const resumed: number[] = [];
    const checkpoint = { path, clock: () => clock };
    const sae = await trainSae(source, { ...bounded, checkpoint, onResume: (step) => resumed.push(step) });
    expect(resumed[0]).toBeGreaterThan(0);
    expect(resumed[0]).toBeLessThan(70);
    expectSame(sae, whole);
    // Neither lock nor half-written file is left.
    expect(readdirSync(folder).filter((name) => name.includes("killed"))).toEqual(["killed.partial"]);
  }, 30_000);

  test("a checkpoint of other settings, other rows, another kind, or damaged, is refused by name", async () => {
    const path = join(folder, "signal.partial");
    const checkpoint = { path, clock: () => clock };
    const trying = (options: TrainSaeOptions, from = source) => trainSae(from, { ...bounded, checkpoint, ...options });
    await expect(trying({ seed: 4 })).rejects.toThrow("expected a checkpoint with seed 4, got one with seed 0");
    await expect(trying({ kind: "topk" })).rejects.toThrow('a checkpoint with kind "topk"');
    await expect(trying({ features: 96 })).rejects.toMatchObject({ code: "incompatible" });
    await expect(trying({}, toRowSource("other", planted.X, 24))).rejects.toThrow('a checkpoint with name "other"');
    const moved = toRowSource(
      "planted",
      planted.X.map((value) => value + 1e-3),
      24,
    );
    await expect(trying({}, moved)).rejects.toThrow("expected a checkpoint of these rows, got one of other rows");
    const bytes = readFileSync(path);
    const damaged = (change: (bytes: Buffer) => Buffer) => {
      writeFileSync(path, change(Buffer.from(bytes)));
      return trying({});
    };
    await expect(damaged((all) => all.subarray(0, all.length >> 1))).rejects.toMatchObject({ code: "bad-input" });
    await expect(damaged(() => Buffer.from("not a checkpoint"))).rejects.toMatchObject({ code: "bad-input" });
    await expect(
      damaged((all) => {
        all.fill(0xff, all.length - 64);
        return all;
      }),
    ).rejects.toThrow("a damaged one");
    await expect(
      damaged((all) =>
        Buffer.from(all.toString("latin1").replace("trimtab-sae-training", "trimtab-moments-file"), "latin1"),
      ),
    ).rejects.toThrow("a checkpoint of a training");
    await expect(
      damaged((all) => Buffer.from(all.toString("latin1").replace('\\"step\\":', '\\"stop\\":'), "latin1")),
    ).rejects.toThrow("a sound step in the checkpoint");
  });
});

describe("trainSae refuses what it cannot train on", () => {
  test.each([
    [{ kind: "relu" as "topk" }, "kind: expected topk, jumprelu or batchtopk, got relu"],
    [{ k: 0 }, "k: expected an integer from 1 to 48, got 0"],
    [{ k: 49 }, "k: expected an integer from 1 to 48, got 49"],
    [{ kind: "jumprelu" as const, k: Number.NaN }, "k: expected a number above 0"],
    [{ steps: 5, epochs: 1 }, "steps and epochs: expected one of them"],
    [{ learningRate: 0 }, "learningRate: expected a number above 0, got 0"],
    [{ warmUp: 0.8, decay: 0.5 }, "decay: expected a share"],
    [{ bufferRows: 10 }, "bufferRows: expected an integer from 256"],
    [{ batch: 20_000 }, "training rows: expected at least one batch of 20000, got 12000"],
    [{ seed: -1 }, "seed: expected an integer from 0"],
  ])("%o", async (options, message) => {
    await expect(trainSae(source, { ...quick, steps: undefined, ...options })).rejects.toThrow(message);
  });

  test("a source that gives no rows", async () => {
    const empty = { ...source, async *chunks() {} };
    await expect(trainSae(empty, quick)).rejects.toThrow("planted: expected rows to train on, got none");
  });

  test("rows: none, broken, not finite, all equal", async () => {
    expect(() => toRowSource("x", new Float32Array(0), 4)).toThrow("x: expected rows of width 4, got 0 values");
    expect(() => toRowSource("x", new Float32Array(7), 4)).toThrow("x: expected rows of width 4, got 7 values");
    expect(() => toRowSource("x", Float32Array.of(1, 2, Number.NaN, 4), 2)).toThrow("finite values, got NaN in row 1");
    const equal = toRowSource("x", new Float32Array(2000).fill(1), 2);
    await expect(trainSae(equal, { features: 4, k: 1, batch: 100 })).rejects.toThrow(
      "training rows: expected rows that vary",
    );
  });
});

function meanNorm(rows: Float32Array, width: number): number {
  let sum = 0;
  for (let at = 0; at < rows.length; at += width) sum += Math.hypot(...rows.subarray(at, at + width));
  return (sum * width) / rows.length;
}
