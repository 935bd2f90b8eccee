import { expect, test } from "vitest";
import type { PairedRows } from "../../src/activations/paired-rows.ts";
import { seededRandom } from "../../src/linalg/random.ts";
import { createMomentsSum, type Moments } from "../../src/maps/moments.ts";
import { toResidualMoments, toValidationResiduals } from "../../src/maps/residual-moments.ts";
import { createTokenSums, type TokenTable } from "../../src/maps/token-table.ts";
import { distance } from "../linalg/fixture.ts";
import { normalRows, toWindow } from "./planted.ts";

const [dS, dT] = [3, 2];

/** Rows whose token shifts them, far from zero. */
function rows(n: number, vocabulary: number, seed: number): PairedRows {
  const random = seededRandom(seed);
  const tokens = Int32Array.from({ length: n }, () => random.integer(vocabulary));
  const shift = (rows: Float32Array, d: number): Float32Array =>
    rows.map((v, at) => 100 + v + tokens[Math.floor(at / d)]!);
  return toWindow(0, shift(normalRows(n, dS, random), dS), shift(normalRows(n, dT, random), dT), tokens);
}

function sums({ X, Y, tokens }: PairedRows, maxBytes = 1e6): { moments: Moments; table: TokenTable } {
  const moments = createMomentsSum(dS, dT);
  const table = createTokenSums(dS, dT, maxBytes);
  moments.add(X, Y);
  table.add(tokens, X, Y);
  return { moments: moments.moments(), table: table.table() };
}

/** Σ r rᵀ of residuals about a table, row by row. */
function direct(of: PairedRows, { moments, table }: ReturnType<typeof sums>): Pick<Moments, "Cxx" | "Cyx" | "Cyy"> {
  const Cxx = { rows: dS, cols: dS, data: new Float64Array(dS * dS) };
  const Cyx = { rows: dT, cols: dS, data: new Float64Array(dT * dS) };
  const Cyy = { rows: dT, cols: dT, data: new Float64Array(dT * dT) };
  of.tokens.forEach((token, row) => {
    const mean = table.find(token) ?? { x: moments.meanX, y: moments.meanY };
    const x = Array.from(mean.x, (m, j) => of.X[row * dS + j]! - m);
    const y = Array.from(mean.y, (m, i) => of.Y[row * dT + i]! - m);
    for (let j = 0; j < dS; j++) {
      for (let i = 0; i < dS; i++) Cxx.data[i * dS + j]! += x[i]! * x[j]!;
      for (let i = 0; i < dT; i++) Cyx.data[i * dS + j]! += y[i]! * x[j]!;
    }
    for (let i = 0; i < dT; i++) for (let k = 0; k < dT; k++) Cyy.data[i * dT + k]! += y[i]! * y[k]!;
  });
  return { Cxx, Cyx, Cyy };
}

function expectSame(a: Moments, b: Pick<Moments, "Cxx" | "Cyx" | "Cyy">): void {
  // Sums of a few hundred products of size one; totals before subtraction are 100 times larger.
  expect(distance(a.Cxx.data, b.Cxx.data)).toBeLessThan(1e-8);
  expect(distance(a.Cyx.data, b.Cyx.data)).toBeLessThan(1e-8);
  expect(distance(a.Cyy.data, b.Cyy.data)).toBeLessThan(1e-8);
  expect([...a.meanX, ...a.meanY]).toEqual([0, 0, 0, 0, 0]);
}

test("toResidualMoments(moments, table) is what the rows themselves give about their token means", () => {
  const train = rows(300, 40, 1);
  expectSame(toResidualMoments(sums(train).moments, sums(train).table), direct(train, sums(train)));
});

test("toResidualMoments takes rows whose token did not fit into the table about the global mean", () => {
  const train = rows(300, 40, 2);
  const bounded = sums(train, 8 * (dS + dT) * 10);
  expect(bounded.table.size).toBe(10);
  expectSame(toResidualMoments(bounded.moments, bounded.table), direct(train, bounded));
});

test("toValidationResiduals is what the validation rows give about the training table, unseen tokens included", () => {
  const train = rows(300, 30, 3);
  const validation = rows(80, 40, 4);
  const trained = sums(train);
  expect([...validation.tokens].some((token) => trained.table.find(token) === undefined)).toBe(true);
  expectSame(toValidationResiduals(sums(validation), trained), direct(validation, trained));
});

test("residuals of dimensions that the token decides are exactly zero, not rounding", () => {
  const train = rows(200, 5, 5);
  const X = train.X.map((v, at) => (at % dS === 1 ? train.tokens[Math.floor(at / dS)]! * 0.1 : v));
  const { moments, table } = sums({ ...train, X });
  const { Cxx } = toResidualMoments(moments, table);
  expect([1, 3, 4, 5, 7].map((at) => Cxx.data[at])).toEqual([0, 0, 0, 0, 0]);
  expect(Cxx.data[0]).toBeGreaterThan(100);
});
