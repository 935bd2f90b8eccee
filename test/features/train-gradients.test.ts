import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { adamStep } from "../../src/features/train/adam.ts";
import { createBatchGradients } from "../../src/features/train/gradients.ts";
import {
  createParameters,
  normaliseRows,
  type Parameters,
  parameterNames,
  removeParallel,
} from "../../src/features/train/parameters.ts";
import { resolveTrainSettings, type TrainedKind } from "../../src/features/train/settings.ts";
import { stepLength } from "../../src/features/train/train-sae.ts";
import { seededRandom } from "../../src/linalg/random.ts";

type Values = Readonly<Record<(typeof parameterNames)[number], readonly number[]>>;

interface Fixture {
  readonly X: readonly (readonly number[])[];
  readonly start: Values;
  readonly steps: readonly {
    readonly loss: number;
    readonly unexplained: number;
    readonly aux: number;
    readonly l0: number;
    readonly gradients: Values;
    readonly after: Values;
  }[];
}

const fixture = JSON.parse(readFileSync("test/fixtures/features/train-step.json", "utf8")) as {
  readonly settings: {
    readonly width: number;
    readonly features: number;
    readonly rows: number;
    readonly k: number;
    readonly auxK: number;
    readonly auxWeight: number;
    readonly bandwidth: number;
    readonly sparsity: number;
    readonly learningRate: number;
    readonly dead: readonly number[];
    readonly variance: number;
  };
} & Readonly<Record<TrainedKind, Fixture>>;

function toParameters(values: Values): Parameters {
  return Object.fromEntries(
    parameterNames.map((name) => [name, Float64Array.from(values[name])]),
  ) as unknown as Parameters;
}

function largestDifference(a: Float64Array, b: readonly number[]): number {
  expect(a.length).toBe(b.length);
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - (b[i] as number))), 0);
}

describe("createBatchGradients and adamStep", () => {
  test.each(["topk", "batchtopk", "jumprelu"] as const)(
    "give the losses, gradients and parameters of two steps of PyTorch's differentiation and its Adam: %s",
    (kind) => {
      const { width, features, rows, k, dead, variance, ...rest } = fixture.settings;
      const { X, start, steps } = fixture[kind];
      const settings = resolveTrainSettings({ ...rest, kind, features, k, batch: rows }, width);
      const parameters = toParameters(start);
      const gradients = createParameters(settings, width);
      const moments = { first: createParameters(settings, width), second: createParameters(settings, width) };
      const gradientsOf = createBatchGradients(settings, width);
      for (const [n, expected] of steps.entries()) {
        const options = { settings, variance, dead: Int32Array.from(dead), sparsity: settings.sparsity };
        const got = gradientsOf(Float64Array.from(X[n] as readonly number[]), gradients, parameters, options);
        // Float64 on both sides; what differs is the order of sums of a few hundred terms.
        expect(got.loss).toBeCloseTo(expected.loss, 12);
        expect(got.unexplained).toBeCloseTo(expected.unexplained, 12);
        expect(got.auxUnexplained).toBeCloseTo(expected.aux, 12);
        expect(got.l0).toBeCloseTo(expected.l0, 12);
        for (const name of parameterNames)
          expect([name, largestDifference(gradients[name], expected.gradients[name]) < 1e-13]).toEqual([name, true]);
        removeParallel(gradients.decoder, parameters.decoder, width);
        adamStep(parameters, gradients, moments, { step: n + 1, learningRate: settings.learningRate });
        normaliseRows(parameters.decoder, width);
        // Adam divides by the gradient's own size, which lifts its rounding where a gradient is nearly 0.
        for (const name of parameterNames)
          expect([name, largestDifference(parameters[name], expected.after[name]) < 1e-9]).toEqual([name, true]);
      }
    },
  );

  test.each(["topk", "batchtopk", "jumprelu"] as const)(
    "agree with finite differences of the loss, between the jumps: %s",
    (kind) => {
      const [width, features, rows] = [5, 12, 9];
      const random = seededRandom(3);
      const settings = resolveTrainSettings(
        // A narrow rectangle: no pre-activation is near enough to a threshold for it to have a gradient that is not the loss's own.
        { kind, features, k: 3, batch: rows, auxK: 2, auxWeight: 0, bandwidth: 1e-9, sparsity: 0 },
        width,
      );
      const X = Float64Array.from({ length: rows * width }, () => random.normal());
      const parameters = createParameters(settings, width);
      for (const name of parameterNames)
        parameters[name].forEach((_, i) => {
          parameters[name][i] = 0.7 * random.normal();
        });
      const into = createParameters(settings, width);
      const gradientsOf = createBatchGradients(settings, width);
      const options = { settings, variance: 4, dead: new Int32Array(0), sparsity: 0 };
      const scratch = createParameters(settings, width);
      gradientsOf(X, into, parameters, options);
      const step = 1e-6;
      for (const name of ["encoder", "encoderBias", "decoder", "decoderBias"] as const)
        for (let i = 0; i < parameters[name].length; i++) {
          const values = parameters[name];
          const before = values[i] as number;
          const at = (value: number): number => {
            values[i] = value;
            return gradientsOf(X, scratch, parameters, options).loss;
          };
          const slope = (at(before + step) - at(before - step)) / (2 * step);
          values[i] = before;
          // Rounding of a loss of about 1 over 2e-6, and the step's square: 1e-9 together.
          expect(Math.abs(slope - (into[name][i] as number))).toBeLessThan(1e-8);
        }
    },
  );

  test("the gradient of a threshold is that of the expected loss: mean over noise of the estimate against differences of the mean loss", () => {
    const [width, rows] = [1, 20_000];
    const bandwidth = 0.3;
    const settings = resolveTrainSettings(
      { kind: "jumprelu", features: 2, k: 1, batch: rows, bandwidth, sparsity: 0.5, auxK: 0 },
      width,
    );
    const parameters = createParameters(settings, width);
    parameters.encoder.set([1, -1]);
    parameters.decoder.set([1, -1]);
    const random = seededRandom(1);
    // Uniform rows: the density that the rectangle estimates is the same everywhere within it.
    const X = Float64Array.from({ length: rows }, () => 2 * random.uniform() - 1);
    const gradientsOf = createBatchGradients(settings, width);
    const options = { settings, variance: 1 / 3, dead: new Int32Array(0), sparsity: 0.5 };
    const into = createParameters(settings, width);
    const at = (log: number): number => {
      parameters.logThreshold.set([log, Math.log(0.3)]);
      return gradientsOf(X, into, parameters, options).loss;
    };
    // Wide steps, since the loss of a sample jumps with every row that passes.
    const step = 0.1;
    const log = Math.log(0.5);
    const slope = (at(log + step) - at(log - step)) / (2 * step);
    at(log);
    // 3000 of the rows are within the rectangle: 2 % of noise, and the loss curves over the step by a few more.
    expect((into.logThreshold[0] as number) / slope).toBeGreaterThan(0.9);
    expect((into.logThreshold[0] as number) / slope).toBeLessThan(1.1);
  });
});

test("stepLength rises from 0, stays, and falls to nearly 0 at the last step", () => {
  const settings = { learningRate: 2, warmUp: 0.1, decay: 0.5, steps: 100 };
  const lengths = Array.from({ length: 100 }, (_, i) => stepLength(settings, i + 1));
  expect(lengths[0]).toBeCloseTo(0.2, 12);
  expect(lengths[9]).toBe(2);
  expect(lengths[50]).toBe(2);
  expect(lengths[99]).toBeCloseTo(0.04, 12);
  expect(Math.max(...lengths)).toBe(2);
});
