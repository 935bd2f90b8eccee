import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { resolveCorpus, toCorpus } from "../../src/activations/corpus.ts";
import type { EngineModel } from "../../src/engine/engine-model.ts";
import { parseLayerGrid } from "../../src/maps/layer-grid.ts";
import { toStitchReport } from "../../src/report/studies/stitch-report.ts";
import { toDocumentLosses, toLoss } from "../../src/study/stitch/document-losses.ts";
import type { StitchResult } from "../../src/study/stitch/stitch-result.ts";
import { studyStitch } from "../../src/study/stitch/study-stitch.ts";
import { openDemo } from "../engine/demo-models.ts";

let xs: EngineModel;
let result: StitchResult;
let time = 0;
const options = {
  grid: parseLayerGrid("1:1,2"),
  maxRows: 2500,
  heldOut: 4,
  validation: 2,
  tune: 0,
  seed: 5,
  threads: 1,
  clock: () => time++,
};

beforeAll(async () => {
  xs = await openDemo("xs");
  const texts: string[] = [];
  for await (const { text } of (await resolveCorpus("models/data/corpus.jsonl.gz")).documents()) {
    texts.push(text);
    if (texts.length === 36) break;
  }
  // A model stitched to itself: at equal layers the map that is wanted is the identity.
  result = await studyStitch(xs, xs, { ...options, corpus: toCorpus("stories", texts) });
});
afterAll(() => xs.close());

describe("studyStitch(source, target, { corpus })", () => {
  test("finds that a model stitched to itself at one layer is the model, and that nulls are not", () => {
    const [same, later] = result.pairs;
    expect([same!.source, same!.target, later!.target]).toEqual([1, 1, 2]);
    expect(same!.r2).toBeGreaterThan(0.999);
    // The map is fitted, with a penalty, on some two thousand rows.
    expect(Math.abs(same!.loss.nats - result.source.loss.nats)).toBeLessThan(0.05);
    expect(same!.nulls.shuffledNats).toBeGreaterThan(same!.loss.nats + 1);
    const [at] = result.targets;
    expect(at!.table.nats).toBeGreaterThan(same!.loss.nats);
    expect(at!.constantNats).toBeGreaterThan(at!.table.nats);
    expect(at!.unseenShare).toBeGreaterThan(0);
    expect(later!.loss.nats).toBeGreaterThan(same!.loss.nats);
  });

  test("counts documents once, puts losses inside their intervals, and measures cost", () => {
    expect(result.documents).toEqual({ fit: 30, validation: 2, heldOut: 4 });
    for (const { loss, cost, msPerToken } of [...result.pairs, result.source, result.target]) {
      expect(loss.low).toBeLessThanOrEqual(loss.nats);
      expect(loss.high).toBeGreaterThanOrEqual(loss.nats);
      expect(msPerToken).toBeGreaterThan(0);
      expect(cost.weights.parameters).toBeGreaterThan(0);
    }
    expect(result.target.cost.computeShare).toBe(1);
    // The same blocks, and the map between them.
    const map = 96 * 97;
    const multiplied = result.target.cost.weights.parameters;
    expect(result.pairs[0]!.cost.computeShare).toBeCloseTo((multiplied + map) / multiplied, 6);
    expect(result.pairs[1]!.cost.computeShare).toBeLessThan(1);
  });

  test("is told as a report that says where stitching is worse", () => {
    const run = { title: "t", seed: 5, software: [], models: [], warnings: [] };
    const report = toStitchReport(result, run);
    expect(report.answer[0]).toContain(`of ${result.pairs.length} pairs`);
    expect(report.answer[0]).toContain("no pair is better than Trimtab Stories XS alone");
    expect(report.answer[2]).toBe("No map was tuned on the stitched loss.");
    const figures = report.sections[0]!.figures;
    expect(figures.map(({ id }) => id)).toEqual(["loss-and-cost", "pairs", "without-a-source"]);
    for (const { table } of figures) for (const row of table.rows) expect(row.length).toBe(table.columns.length);
    expect(figures[0]!.svg).toContain("<svg");
  });

  test("refuses too little text and counts out of range", async () => {
    const corpus = toCorpus("short", ["One day.", "A dog ran.", "The end."]);
    await expect(studyStitch(xs, xs, { ...options, corpus })).rejects.toThrow(
      /short: expected at least 16 documents, got 3/,
    );
    await expect(studyStitch(xs, xs, { ...options, corpus, heldOut: 1 })).rejects.toThrow(/held-out documents/);
  });
});

describe("toDocumentLosses and toLoss", () => {
  test("weigh documents by their tokens, and draw whole documents anew", () => {
    const scores = [Float64Array.of(-1, -2), Float64Array.of(-3), Float64Array.of(-5)];
    const losses = toDocumentLosses(scores, [0, 0, 1]);
    expect([[...losses.sums], [...losses.tokens]]).toEqual([
      [6, 5],
      [3, 1],
    ]);
    const loss = toLoss(losses, 0);
    expect(loss.nats).toBeCloseTo(11 / 4, 12);
    // Of two documents a draw may hold one twice: 2 or 5 nats are the ends.
    expect([loss.low, loss.high]).toEqual([2, 5]);
    expect(toLoss(losses, 0, losses)).toEqual({ nats: 0, low: 0, high: 0 });
    expect(() => toDocumentLosses(scores, [0])).toThrow(/windows of documents/);
  });
});
