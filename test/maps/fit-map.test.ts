import { expect, test } from "vitest";
import { type Corpus, toCorpus } from "../../src/activations/corpus.ts";
import { residPost } from "../../src/engine/site.ts";
import { seededRandom } from "../../src/linalg/random.ts";
import type { CollectProgress } from "../../src/maps/collect/collect-moments.ts";
import { defaultRows, type FitMapOptions, fitMap, fitMaps } from "../../src/maps/fit-map.ts";
import { plantedModel } from "../activations/planted-model.ts";
import { distance } from "../linalg/fixture.ts";
import { plantedMatrix } from "./planted.ts";

/** Source states are fixed random features of token and position; target states are A x + p of them. */
const [dSource, dTarget] = [6, 4];
const A = plantedMatrix(dTarget, dSource, seededRandom(1));
const p = [1, -2, 3, 0];
const sourceState = (token: number, position: number): number[] => {
  const random = seededRandom(1000 * token + position);
  return Array.from({ length: dSource }, () => random.normal());
};
const targetState = (token: number, position: number): number[] => {
  const x = sourceState(token, position);
  return p.map((shift, i) => shift + x.reduce((sum, value, j) => sum + A.data[i * dSource + j]! * value, 0));
};
const source = plantedModel({ name: "small", width: dSource, state: sourceState });
const target = plantedModel({ name: "large", width: dTarget, state: targetState });

function letters(documents: number, length = 20): Corpus {
  const random = seededRandom(5);
  const word = (): string => Array.from({ length }, () => String.fromCharCode(97 + random.integer(26))).join("");
  return toCorpus("letters", Array.from({ length: documents }, word));
}

const options: FitMapOptions = { corpus: letters(120), sourceSite: residPost(1), targetSite: residPost(2), seed: 3 };

test("fitMap(source, target, options) recovers a planted map and says how it was made", async () => {
  const { map, warnings } = await fitMap(source, target, { ...options, createdAt: "2026-01-01T00:00:00Z" });
  expect(warnings).toEqual([]);
  // States are float32, so coefficients are exact to 1e-6; the smallest penalty that scores best may add as much.
  expect(distance(map.A.data, A.data)).toBeLessThan(1e-5);
  expect(distance(map.p, p)).toBeLessThan(1e-5);
  expect(map.scores.r2).toBeGreaterThan(1 - 1e-9);
  expect(map.scores.tokenIdentity.beyond).toBeGreaterThan(0.9);
  expect(map.scores.tokenIdentity.tokensSeen).toBe(26);
  expect(map.sources[0]!).toMatchObject({ model: { name: "small", width: dSource }, site: residPost(1) });
  expect(map.target).toMatchObject({ model: { name: "large", width: dTarget }, site: residPost(2) });
  expect(map.fit).toMatchObject({
    seed: 3,
    context: 64,
    space: "standardised",
    choice: "validation",
    rowSelection: "all",
    corpus: { name: "letters", documents: 120, windows: 120, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
    rows: {
      total: 120 * 21,
      train: 96 * 20,
      validation: 12 * 20,
      heldOut: 12 * 20,
      leftOut: { first: 120, special: 0, sink: 0, unselected: 0 },
    },
    createdAt: "2026-01-01T00:00:00Z",
  });
  // Median length of 6 standard normals: √5.35.
  expect(map.sources[0]!.medianNorm).toBeGreaterThan(2);
  expect(map.sources[0]!.medianNorm).toBeLessThan(2.7);
});

test("fitMap gives the same map for the same seed and holds out other windows for another", async () => {
  const first = await fitMap(source, target, options);
  expect(await fitMap(source, target, options)).toEqual(first);
  const other = await fitMap(source, target, { ...options, seed: 4 });
  expect(other.map.fit.corpus).toEqual(first.map.fit.corpus);
  expect(other.map.A.data).not.toEqual(first.map.A.data);
});

test("fitMap stops at the rows asked for, reports progress, and digests only the text it used", async () => {
  const seen: CollectProgress[] = [];
  const { map } = await fitMap(source, target, {
    ...options,
    maxRows: 1000,
    onProgress: (progress) => seen.push(progress),
  });
  expect(map.fit.corpus).toMatchObject({ documents: 50, windows: 50 });
  expect(seen).toHaveLength(50);
  expect(seen.at(-1)).toEqual({ rows: 1000, maxRows: 1000, tokens: 1050, windows: 50, fraction: 1 });
  seen.forEach(({ fraction }, at) => {
    expect(fraction).toBeGreaterThan(seen[at - 1]?.fraction ?? 0);
  });
  const half = await fitMap(source, target, { ...options, corpus: letters(50) });
  expect(half.map.fit.corpus.sha256).toBe(map.fit.corpus.sha256);
  expect(half.map.A).toEqual(map.A);
});

test("fitMap reads only as far as rows ask, give or take what is under way", async () => {
  const counted = plantedModel({ width: dSource, state: sourceState });
  await fitMap(counted, target, { ...options, corpus: letters(4000), maxRows: 1000 });
  // A unit of 8192 tokens calibrates the sink bound and is read; one more may wait decoded.
  expect(counted.read.length).toBeLessThan((2 * 8192) / 21 + 3);
});

test("fitMap tries the penalties it is given, and least squares is one of them", async () => {
  const { map, warnings } = await fitMap(source, target, { ...options, lambdas: [1, 10] });
  expect(map.fit).toMatchObject({ method: "ridge", lambda: 1 });
  expect(map.fit.tried.map(({ lambda }) => lambda)).toEqual([1, 10]);
  expect(warnings).toEqual([]);
  expect((await fitMap(source, target, { ...options, lambdas: [0] })).map.fit).toMatchObject({
    method: "ols",
    lambda: 0,
  });
});

test("fitMap refuses a corpus too small to score on, with the counts of what it read", async () => {
  await expect(fitMap(source, target, { ...options, corpus: letters(12) })).rejects.toMatchObject({
    code: "bad-input",
    message:
      "letters: expected at least 30 windows with rows to split into three, got 12 of 12 " +
      "(252 tokens; left out: 12 first positions, 0 special tokens, 0 sinks, 0 not selected)",
    hint: expect.stringMatching(/more text/),
  });
});

test("fitMap refuses more folds than its text has documents for, before it fits anything", async () => {
  await expect(fitMap(source, target, { ...options, corpus: letters(40), folds: 60 })).rejects.toMatchObject({
    code: "bad-input",
    // Four of forty are held out; the 36 others fill as many folds.
    message: "letters: expected rows in each of 60 folds, got none in 24 of them, from 40 documents",
    hint: expect.stringMatching(/fewer folds/),
  });
});

test("fitMap warns of a limit of its own that cuts the text, and notes one that was asked for", async () => {
  const [cut, asked] = [/^read \d+ documents from the beginning of letters, as many as the limit allows/, letters(60)];
  const own = await fitMap(source, target, { ...options, corpus: letters(400, 60) });
  expect(own.notes).toEqual([]);
  expect(own.warnings).toContainEqual(expect.stringMatching(/^read 334 documents .* should be shuffled/));
  const limited = await fitMap(source, target, { ...options, corpus: asked, maxRows: 800 });
  expect(limited.notes).toEqual([expect.stringMatching(cut)]);
  expect(limited.warnings.filter((warning) => cut.test(warning))).toEqual([]);
  const whole = await fitMap(source, target, { ...options, corpus: asked });
  expect(whole.notes).toEqual([]);
});

test("fitMap refuses bad options before it reads anything", async () => {
  const fresh = plantedModel({ width: dSource, state: sourceState });
  const fit = (changed: Partial<FitMapOptions>): Promise<unknown> => fitMap(fresh, target, { ...options, ...changed });
  await expect(fit({ maxRows: 0 })).rejects.toThrow("rows: expected a positive integer, got 0");
  await expect(fit({ context: 65 })).rejects.toThrow(/context: expected an integer from 2 to 64/);
  await expect(fit({ rows: [{ kind: "all", weight: 1e-3 }] })).rejects.toThrow(
    "rows: expected a rule that weighs at least 0.01, got 0.001 at most",
  );
  await expect(fit({ lambdas: [-1] })).rejects.toThrow("lambda: expected a number of at least 0, got -1");
  await expect(fit({ lambdas: [] })).rejects.toThrow("lambdas: expected at least one penalty, got none");
  await expect(fit({ seed: 1.5 })).rejects.toThrow(/seed: expected/);
  await expect(fit({ targetSite: residPost(9) })).rejects.toThrow("target layer: expected a layer from 0 to 3, got 9");
  await expect(fit({ corpus: "nowhere.txt" })).rejects.toMatchObject({ code: "not-found" });
  expect(fresh.read).toEqual([]);
});

test("fitMap refuses models that cannot be tapped, with the reason, and models with different tokenizers by ids", async () => {
  await expect(fitMap(plantedModel({ tap: false }), target, options)).rejects.toMatchObject({
    code: "unsupported",
    hint: "no tensor l_out-0",
  });
  const byIds = { ...options, align: { kind: "ids" } } as const;
  await expect(fitMap(plantedModel({ fingerprint: "other" }), target, byIds)).rejects.toMatchObject({
    code: "incompatible",
    hint: expect.stringContaining("--align spans"),
  });
});

test("fitMap stops when it is told to", async () => {
  const stop = new AbortController();
  const onProgress = ({ windows }: CollectProgress): void => {
    if (windows === 5) stop.abort();
  };
  await expect(fitMap(source, target, { ...options, signal: stop.signal, onProgress })).rejects.toMatchObject({
    code: "aborted",
  });
});

test("defaultRows(width) is 20 rows for every source dimension and at least 20 000", () => {
  expect(defaultRows(128)).toBe(20_000);
  expect(defaultRows(2304)).toBe(46_080);
});

test("fitMaps of unconnected pairs gives each the map that fitMap gives it alone", async () => {
  const layers = [
    { sources: [0], target: 1 },
    { sources: [1], target: 2 },
    { sources: [0, 1], target: 0 },
  ];
  // Each layer of the source has states of its own, so that nothing of one pair can pass for another's.
  const layered = plantedModel({
    name: "layered",
    width: dSource,
    state: (token, position, layer) => sourceState(token + 300 * layer, position),
  });
  const { maps } = await fitMaps(layered, target, { ...options, layers: { kind: "pairs", maps: layers } });
  expect(maps.map(({ sources, target: end }) => [sources.map(({ site }) => site.layer), end.site.layer])).toEqual(
    layers.map(({ sources, target: layer }) => [sources, layer]),
  );
  for (const [at, layer] of [0, 1].entries()) {
    const alone = await fitMap(layered, target, {
      ...options,
      sourceSite: residPost(layer),
      targetSite: residPost(layer + 1),
    });
    // The same sums of the same rows.
    expect(maps[at]).toEqual(alone.map);
  }
});
