import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type DemoOptions, demoConcepts, runDemoStudy } from "../../src/cli/demo-study.ts";
import { type EngineModel, formatMapLayers, formatStudy, openReference, parseStudy } from "../../src/index.ts";

let small: EngineModel;
let large: EngineModel;
let other: EngineModel;
beforeAll(async () => {
  small = await openReference("demo:s", { threads: 1 });
  large = await openReference("demo:m", { threads: 1 });
  other = await openReference("demo:m", { threads: 1 });
});
afterAll(() => Promise.all([small, large, other].map((model) => model.close())));

/** Two concepts of different layers, as little of each as can be measured. */
const options: DemoOptions = {
  layers: undefined,
  concepts: demoConcepts.filter(({ name }) => name === "french" || name === "happy"),
  strengths: [0.5],
  items: 2,
  texts: 1,
  maxTokens: 2,
  rows: 6000,
  seed: 1,
  clock: () => 0,
  signal: new AbortController().signal,
  progress: { update() {}, note() {}, finish() {} },
};

describe("runDemoStudy", () => {
  test("fits a map for each pair of layers from one reading, and carries each concept by its own", async () => {
    const study = await runDemoStudy(small, [large, other], options);
    expect(study.maps.map(formatMapLayers)).toEqual(["1:1", "1:3"]);
    expect(study.concepts.map(({ name, map }) => [name, map])).toEqual([
      ["French", 0],
      ["Mood", 1],
    ]);
    expect(study.maps[0]!.fit.rows).toEqual(study.maps[1]!.fit.rows);
    expect(study.maps[0]!.scores.r2).not.toBe(study.maps[1]!.scores.r2);
    // Carried by the other's map they would be at another site than the native vector, and have none.
    for (const { cosine } of study.concepts) expect(cosine).toBeGreaterThan(0.3);
    expect(parseStudy(formatStudy(study), "study.json")).toEqual(JSON.parse(formatStudy(study)));

    // A concept gets the same alone, by one model, where --layers names the pair.
    const alone = await runDemoStudy(small, [large], {
      ...options,
      layers: { source: 1, target: 3 },
      concepts: options.concepts.slice(1),
    });
    expect(alone.maps.map(formatMapLayers)).toEqual(["1:3"]);
    expect(alone.maps[0]).toEqual(study.maps[1]);
    expect(alone.concepts).toEqual([{ ...study.concepts[1]!, map: 0 }]);
  }, 240_000); // some ten seconds of two free cores; minutes where others use them
});
