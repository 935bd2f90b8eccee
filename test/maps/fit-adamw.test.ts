import { expect, test } from "vitest";
import { transpose } from "../../src/linalg/matrix.ts";
import { seededRandom } from "../../src/linalg/random.ts";
import { type FitAdamWOptions, fitAdamW, type RowWindow } from "../../src/maps/fit/fit-adamw.ts";
import { fitRidge } from "../../src/maps/fit/fit-ridge.ts";
import { scoreMoments } from "../../src/maps/score/score-moments.ts";
import { mapDistance, momentsOf, type Rows, readFits, relative } from "./fits-fixture.ts";
import { mapRows, normalRows, plantedMatrix } from "./planted.ts";

const fixture = readFits("adamw.safetensors");
const planted = readFits().rows("planted");

function windowsOf({ X, Y, n, dSource, dTarget }: Rows, size: number): () => AsyncGenerator<RowWindow> {
  return async function* () {
    for (let row = 0; row < n; row += size)
      yield {
        X: X.subarray(row * dSource, (row + size) * dSource),
        Y: Y.subarray(row * dTarget, (row + size) * dTarget),
      };
  };
}

function plantedRows(n: number, noise: number): Rows {
  const random = seededRandom(4);
  const A = plantedMatrix(6, 8, random);
  const X = normalRows(n, 8, random);
  return { X, Y: mapRows(X, A, new Float64Array(6).fill(2), noise, random), n, dSource: 8, dTarget: 6 };
}

const small = plantedRows(400, 0.1);
const base: FitAdamWOptions = { dSource: 8, dTarget: 6, learningRate: 0.02, batchWindows: 2, epochs: 30 };

test("fitAdamW(rows, options) agrees with torch.optim.AdamW in float64 over 300 and 360 steps, losses and all", async () => {
  // Both run in float64 from the same start; what differs is the order of sums, which a few hundred steps do not amplify beyond 1e-10.
  const options = { dSource: 20, dTarget: 28, initial: fixture.affine("initial") };
  const plain = await fitAdamW(windowsOf(planted, 25), {
    ...options,
    batchWindows: 4,
    epochs: 100,
    learningRate: 1e-2,
  });
  expect(plain.steps).toBe(300);
  expect(plain.rows).toBe(300);
  expect(mapDistance(plain, fixture.affine("plain"))).toBeLessThan(1e-10);
  expect(relative(plain.lossByEpoch, fixture.numbers("plain.losses"))).toBeLessThan(1e-10);
  const other = await fitAdamW(windowsOf(planted, 25), {
    ...options,
    batchWindows: 5,
    epochs: 120,
    learningRate: 3e-3,
    schedule: (step) => 1 - step / 360,
    betas: [0.8, 0.95],
    weightDecay: 0.3,
    epsilon: 1e-6,
  });
  expect(other.steps).toBe(360);
  expect(mapDistance(other, fixture.affine("other"))).toBeLessThan(1e-10);
  expect(relative(other.lossByEpoch, fixture.numbers("other.losses"))).toBeLessThan(1e-10);
});

test("fitAdamW(rows, options) comes to the exact fit where the rows are easy and the rate falls to nothing", async () => {
  const moments = momentsOf(small);
  const steps = 8 * 200;
  const fit = await fitAdamW(windowsOf(small, 25), {
    ...base,
    weightDecay: 0,
    epochs: 200,
    schedule: (step) => 1 - step / steps,
  });
  // Noise of the last small steps: 1e-3 of the coefficients.
  expect(mapDistance(fit, fitRidge(moments, { lambda: 0 }))).toBeLessThan(1e-2);
  expect(fit.warnings).toEqual([]);
  expect(scoreMoments(fit, moments).r2).toBeGreaterThan(0.98);
});

test("fitAdamW(rows, {seed}) depends on the seed and on nothing else", async () => {
  const fit = (seed: number) => fitAdamW(windowsOf(small, 25), { ...base, epochs: 2, seed });
  const [a, b, c] = await Promise.all([fit(1), fit(1), fit(2)]);
  expect(a).toEqual(b);
  expect(mapDistance(a, c)).toBeGreaterThan(0.01);
});

test("fitAdamW(rows, options) opens the stream once an epoch, tells it which, and does not change where it starts", async () => {
  const epochs: number[] = [];
  const told: number[] = [];
  const initial = { A: plantedMatrix(6, 8, seededRandom(1)), p: new Float64Array(6) };
  const before = initial.A.data.slice();
  await fitAdamW(
    (epoch) => {
      epochs.push(epoch);
      return windowsOf(small, 100)();
    },
    { ...base, epochs: 3, initial, onEpoch: (epoch) => told.push(epoch) },
  );
  expect([epochs, told]).toEqual([
    [0, 1, 2],
    [0, 1, 2],
  ]);
  expect(initial.A.data).toEqual(before);
});

test("fitAdamW(rows, {stopWhen}) shows the map so far and stops when told to", async () => {
  const moments = momentsOf(small);
  const seen: number[] = [];
  const fit = await fitAdamW(windowsOf(small, 25), {
    ...base,
    stopWhen: (map, epoch) => {
      seen.push(scoreMoments(map, moments).mse);
      return epoch === 4;
    },
  });
  expect(seen).toHaveLength(5);
  expect(fit.lossByEpoch).toHaveLength(5);
  expect(fit.steps).toBe(40);
  expect(scoreMoments(fit, moments).mse).toBe(seen[4]);
  expect(seen[4]).toBeLessThan(seen[0]!);
});

test("fitAdamW(rows, options) says that it has not converged, as at the paper's rate on few steps", async () => {
  const fit = await fitAdamW(windowsOf(small, 25), { dSource: 8, dTarget: 6, learningRate: 1e-2, batchWindows: 4 });
  expect(fit.lossByEpoch).toHaveLength(4);
  expect(fit.warnings).toEqual([expect.stringMatching(/^not converged: the last epoch still lowered the loss by \d/)]);
});

test("fitAdamW(rows, options) refuses what it cannot use and names it", async () => {
  const refusal = (message: string) => expect.objectContaining({ code: "bad-input", message });
  const run = (options: Partial<FitAdamWOptions>, rows = windowsOf(small, 25)) =>
    fitAdamW(rows, { ...base, ...options });
  await expect(run({ epochs: 0 })).rejects.toEqual(refusal("epochs: expected an integer of at least 1, got 0"));
  await expect(run({ learningRate: -1 })).rejects.toEqual(
    refusal("learningRate: expected a number of at least 0, got -1"),
  );
  await expect(run({ betas: [1, 0.9] })).rejects.toEqual(
    refusal("betas: expected two numbers from 0 to below 1, got 1"),
  );
  await expect(
    run({ initial: { A: transpose(plantedMatrix(6, 8, seededRandom(1))), p: new Float64Array(6) } }),
  ).rejects.toEqual(refusal("initial map: expected one from 8 to 6, got from 6 to 8"));
  await expect(run({}, async function* () {})).rejects.toEqual(refusal("rows: expected some in epoch 0, got none"));
  await expect(run({ dTarget: 5 })).rejects.toEqual(
    refusal("paired rows: expected whole rows of 8 and 5, equally many, got 200 and 150 values"),
  );
  const broken = { ...small, Y: small.Y.map((value, at) => (at === 700 ? Number.NaN : value)) };
  await expect(run({}, windowsOf(broken, 25))).rejects.toEqual(
    refusal("AdamW, step 2: expected a finite loss, got one that is not"),
  );
  await expect(run({ signal: AbortSignal.abort() })).rejects.toThrow(/abort/i);
});
