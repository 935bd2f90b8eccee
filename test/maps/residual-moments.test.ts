import { expect, test } from "vitest";
import { seededRandom } from "../../src/linalg/random.ts";
import { createTokenSums, type TokenSums, tokenMean } from "../../src/maps/collect/token-sums.ts";
import { createJointSum, type JointMoments } from "../../src/maps/joint-moments.ts";
import { type Moments, toPairMoments } from "../../src/maps/moments.ts";
import { toResidualMoments, toValidationResiduals } from "../../src/maps/score/residual-moments.ts";
import { distance } from "../linalg/fixture.ts";
import { normalRows, type PlantedWindow, toWindow } from "./planted.ts";

const [dS, dT] = [3, 2];

/** Rows whose token shifts them, far from zero. */
function rows(n: number, vocabulary: number, seed: number): PlantedWindow {
  const random = seededRandom(seed);
  const tokens = Int32Array.from({ length: n }, () => random.integer(vocabulary));
  const shift = (rows: Float32Array, d: number): Float32Array =>
    rows.map((v, at) => 100 + v + tokens[Math.floor(at / d)]!);
  return toWindow(0, shift(normalRows(n, dS, random), dS), shift(normalRows(n, dT, random), dT), tokens);
}

const blocks = [
  { row: 0, col: 0 },
  { row: 1, col: 0 },
  { row: 1, col: 1 },
];

function sums({ states, tokens }: PlantedWindow, maxBytes = 1e6): { moments: JointMoments; tokens: TokenSums } {
  const moments = createJointSum({ widths: [dS, dT], blocks });
  const table = createTokenSums([dS, dT], maxBytes);
  moments.add(states);
  table.add(tokens, states, undefined);
  return { moments: moments.moments(), tokens: table.view() };
}

/** Σ r rᵀ of residuals about a table, row by row. */
function direct(of: PlantedWindow, { moments, tokens }: ReturnType<typeof sums>): Pick<Moments, "Cxx" | "Cyx" | "Cyy"> {
  const Cxx = { rows: dS, cols: dS, data: new Float64Array(dS * dS) };
  const Cyx = { rows: dT, cols: dS, data: new Float64Array(dT * dS) };
  const Cyy = { rows: dT, cols: dT, data: new Float64Array(dT * dT) };
  of.tokens.forEach((token, row) => {
    const x = Array.from(tokenMean(tokens, token, 0) ?? moments.means[0]!, (m, j) => of.X[row * dS + j]! - m);
    const y = Array.from(tokenMean(tokens, token, 1) ?? moments.means[1]!, (m, i) => of.Y[row * dT + i]! - m);
    for (let j = 0; j < dS; j++) {
      for (let i = 0; i < dS; i++) Cxx.data[i * dS + j]! += x[i]! * x[j]!;
      for (let i = 0; i < dT; i++) Cyx.data[i * dS + j]! += y[i]! * x[j]!;
    }
    for (let i = 0; i < dT; i++) for (let k = 0; k < dT; k++) Cyy.data[i * dT + k]! += y[i]! * y[k]!;
  });
  return { Cxx, Cyx, Cyy };
}

function expectSame(joint: JointMoments, b: Pick<Moments, "Cxx" | "Cyx" | "Cyy">): void {
  const a = toPairMoments(joint, 0, 1);
  // Sums of a few hundred products of size one; totals before subtraction are 100 times larger.
  expect(distance(a.Cxx.data, b.Cxx.data)).toBeLessThan(1e-8);
  expect(distance(a.Cyx.data, b.Cyx.data)).toBeLessThan(1e-8);
  expect(distance(a.Cyy.data, b.Cyy.data)).toBeLessThan(1e-8);
  expect([...a.meanX, ...a.meanY]).toEqual([0, 0, 0, 0, 0]);
}

test("toResidualMoments(moments, table) is what the rows themselves give about their token means", () => {
  const train = rows(300, 40, 1);
  expectSame(toResidualMoments(sums(train).moments, sums(train).tokens), direct(train, sums(train)));
});

test("toResidualMoments takes rows whose token did not fit into the table about the global mean", () => {
  const train = rows(300, 40, 2);
  const bounded = sums(train, 8 * (dS + dT) * 10);
  expect(bounded.tokens.byToken.size).toBe(10);
  expectSame(toResidualMoments(bounded.moments, bounded.tokens), direct(train, bounded));
});

test("toValidationResiduals is what the validation rows give about the training table, unseen tokens included", () => {
  const train = rows(300, 30, 3);
  const validation = rows(80, 40, 4);
  const trained = sums(train);
  expect([...validation.tokens].some((token) => !trained.tokens.byToken.has(token))).toBe(true);
  expectSame(toValidationResiduals(sums(validation), trained), direct(validation, trained));
});

test("residuals of dimensions that the token decides are exactly zero, not rounding", () => {
  const train = rows(200, 5, 5);
  const X = train.X.map((v, at) => (at % dS === 1 ? train.tokens[Math.floor(at / dS)]! * 0.1 : v));
  const { moments, tokens } = sums({ ...train, states: [X, train.Y] });
  const { Cxx } = toPairMoments(toResidualMoments(moments, tokens), 0, 1);
  expect([1, 3, 4, 5, 7].map((at) => Cxx.data[at])).toEqual([0, 0, 0, 0, 0]);
  expect(Cxx.data[0]).toBeGreaterThan(100);
});
