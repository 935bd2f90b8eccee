import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { EngineModel } from "../../src/engine/engine-model.ts";
import { openModel } from "../../src/engine/open.ts";
import { residPost } from "../../src/engine/site.ts";
import { fitMap } from "../../src/maps/fit-map.ts";
import { openStitched } from "../../src/stitch/open-stitched.ts";
import { type PlantedPair, plantedPair } from "./planted-pair.ts";

let folder: string;
let planted: PlantedPair;
let [small, large]: (EngineModel | undefined)[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "trimtab-planted-"));
  planted = await plantedPair(24, 32, 3);
  await writeFile(join(folder, "small.gguf"), planted.small);
  await writeFile(join(folder, "large.gguf"), planted.large);
  const options = { threads: 1, cache: "f32" } as const;
  small = await openModel(join(folder, "small.gguf"), options);
  large = await openModel(join(folder, "large.gguf"), options);
});
afterAll(async () => {
  await small?.close();
  await large?.close();
  await rm(folder, { recursive: true });
});

describe("a large model whose states are an affine image of a small one's", () => {
  test("is found by a fitted map, and the stitched model is then as good as either", async () => {
    const [source, target] = [small!, large!];
    const windows = [
      await source.tokenize("The dog saw a bird and ran away."),
      await source.tokenize("Once there was a cat."),
    ];
    const items = windows.map((tokens) => ({ prompt: tokens.slice(0, 1), continuations: [tokens.slice(1)] }));
    const lossOf = async (model: EngineModel) => {
      const rows = (await model.logProbabilities(items)).flat();
      const sum = rows.flatMap((row) => [...row]).reduce((a, b) => a + b, 0);
      return -sum / rows.reduce((n, row) => n + row.length, 0);
    };
    const own = await lossOf(target);
    // The pair is what it claims to be: float32 sums of another order.
    expect(await lossOf(source)).toBeCloseTo(own, 4);

    const { map } = await fitMap(source, target, {
      corpus: "models/data/corpus.jsonl.gz",
      maxRows: 2500,
      context: 64,
      sourceSite: residPost(0),
      targetSite: residPost(0),
    });
    expect(map.scores.r2).toBeGreaterThan(0.9999);
    const { data } = planted.Q;
    const error = Math.max(...map.A.data.map((value, at) => Math.abs(value - data[at]!)));
    // A penalty of 10⁻⁴ and less shrinks coefficients of at most 1 by as much.
    expect(error).toBeLessThan(5e-3);

    await using stitched = await openStitched({
      source,
      target: join(folder, "large.gguf"),
      map,
      whole: target,
      threads: 1,
      cache: "f32",
    });
    const { lossNats } = await stitched.perplexity(windows);
    expect(Math.abs(lossNats - own)).toBeLessThan(2e-3);
    // The same map the wrong way round is no map at all: the test can fail.
    const wrong = { ...map, A: { ...map.A, data: map.A.data.map((value) => -value) } };
    await using spoilt = await openStitched({
      source,
      target: join(folder, "large.gguf"),
      map: wrong,
      whole: target,
      threads: 1,
      cache: "f32",
    });
    expect(Math.abs((await spoilt.perplexity(windows)).lossNats - own)).toBeGreaterThan(0.05);
  });
});
