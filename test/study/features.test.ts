import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readContrastSet } from "../../src/activations/contrast-set.ts";
import { resolveCorpus, toCorpus } from "../../src/activations/corpus.ts";
import type { EngineModel } from "../../src/engine/engine-model.ts";
import { residPost } from "../../src/engine/site.ts";
import { readNeutralText } from "../../src/evaluate/text/neutral-text.ts";
import { resolveScorer } from "../../src/evaluate/text/resolve-scorer.ts";
import { fitFeatureMap } from "../../src/features/s2l/fit-feature-map.ts";
import type { Sae } from "../../src/features/sae.ts";
import { createMatrix } from "../../src/linalg/matrix.ts";
import { seededRandom } from "../../src/linalg/random.ts";
import { fitMap } from "../../src/maps/fit-map.ts";
import { demoData } from "../../src/models/demo-family.ts";
import { toDecodersReport } from "../../src/report/studies/decoders-report.ts";
import { toFeaturesReport } from "../../src/report/studies/features-report.ts";
import { studyDecoders } from "../../src/study/decoders/study-decoders.ts";
import { studyFeatures } from "../../src/study/features/study-features.ts";
import { openDemo } from "../engine/demo-models.ts";
import { signSae } from "../features/sign-sae.ts";

const run = { title: "t", seed: 0, software: [], models: [], warnings: [] };
let model: EngineModel;
beforeAll(async () => {
  model = await openDemo("xs", { context: 128 });
});
afterAll(() => model?.close());

/** Random unit directions, the 8 largest of a row. */
function randomSae(width: number, features: number, seed: number): Sae {
  const random = seededRandom(seed);
  const encoder = new Float32Array(features * width);
  for (let j = 0; j < features; j++) {
    const row = Float64Array.from({ length: width }, () => random.normal());
    encoder.set(
      row.map((value) => value / Math.hypot(...row)),
      j * width,
    );
  }
  return {
    ...signSae(width),
    features,
    activation: "topk",
    k: 8,
    encoder,
    decoder: encoder.slice(),
    encoderBias: new Float32Array(features),
  };
}

describe("studyDecoders(source, target, { corpus })", () => {
  test("of one autoencoder with its features in another order finds them all, and an exact relation", async () => {
    const corpus = await resolveCorpus(demoData("corpus.jsonl.gz"));
    const { width } = model.description;
    const sae = randomSae(width, 400, 1);
    const order = seededRandom(2).shuffle(Array.from({ length: 400 }, (_, j) => j));
    const permute = (rows: Float32Array): Float32Array =>
      Float32Array.from(order.flatMap((j) => [...rows.subarray(j * width, (j + 1) * width)]));
    const other = { ...sae, encoder: permute(sae.encoder), decoder: permute(sae.decoder) };
    const side = { model, saeName: "random", site: residPost(1) };
    const study = await studyDecoders({ ...side, sae }, { ...side, sae: other }, { corpus, maxRows: 2000, draws: 3 });
    expect(study.matched).toBeGreaterThan(250);
    expect(study.medianCorrelation).toBeCloseTo(1, 6);
    expect(study.matchedByChance!).toBeLessThan(0.1 * study.matched);
    // The same rows on both sides: what is left is the least ridge.
    expect(study.relation?.heldOutUnexplained).toBeLessThan(1e-6);
    for (const { heldOutUnexplained } of study.relation!.shuffled) expect(heldOutUnexplained).toBeGreaterThan(0.9);
    // By index they are not the same features.
    expect(study.byIndex?.heldOutUnexplained).toBeGreaterThan(0.9);
    const { answer, sections } = toDecodersReport(study, run);
    expect(answer[1]).toContain("so the decoders are in part linear images");
    expect(sections.map(({ id }) => id)).toEqual(["relation"]);
  });

  test("shows every match by its correlation, and knows no chance where there is one document", async () => {
    const { documents } = await resolveCorpus(demoData("corpus.jsonl.gz"));
    let text = "";
    for await (const document of documents()) {
      text = document.text;
      break;
    }
    const corpus = toCorpus("one", [text]);
    const side = { model, saeName: "random", site: residPost(1) };
    const [a, b] = [1, 2].map((seed) => ({ ...side, sae: randomSae(model.description.width, 60, seed) }));
    const { width } = model.description;
    const A = createMatrix(
      width,
      width,
      Float64Array.from({ length: width ** 2 }, (_, i) => +(i % (width + 1) === 0)),
    );
    const study = await studyDecoders(a!, b!, { corpus, draws: 2, least: 0.05, map: { A } });
    expect(study.matchedByChance).toBeNull();
    expect(toDecodersReport(study, run).answer[0]).toContain("one document only");
    const shown = study.carried!.byCorrelation;
    expect(shown[0]).toMatchObject({ from: 0.05, to: 0.3 });
    expect(shown.reduce((sum, { features }) => sum + features, 0)).toBe(study.matched);
  });

  test("with too few features matched says so instead of a relation", async () => {
    const corpus = await resolveCorpus(demoData("corpus.jsonl.gz"));
    const side = { model, saeName: "random", site: residPost(1) };
    const [a, b] = [1, 2].map((seed) => ({ ...side, sae: randomSae(model.description.width, 60, seed) }));
    const study = await studyDecoders(a!, b!, { corpus, maxRows: 500, draws: 2 });
    expect(study.relation).toBeNull();
    expect(toDecodersReport(study, run).answer[1]).toMatch(/^The decoders were not compared: .*features/);
  });
});

describe("studyFeatures(source, target, { concepts, s2l, l2l })", () => {
  test("of a model onto itself, with codes that lose nothing, s2l and l2l are one direction and do the same", async () => {
    const corpus = await resolveCorpus(demoData("corpus.jsonl.gz"));
    const sae = signSae(model.description.width);
    const fitting = { corpus, sourceSite: residPost(1), targetSite: residPost(1), maxRows: 3000 };
    const s2l = await fitFeatureMap(model, model, { ...fitting, sae, saeName: "signs", lambdas: [1e-6] });
    const { map: l2l } = await fitMap(model, model, fitting);
    const pairs = (await readContrastSet(demoData("pairs/capitals.jsonl"))).slice(0, 24);
    const study = await studyFeatures({ model, sae, saeName: "signs", site: residPost(1) }, model, {
      concepts: [{ name: "capitals", pairs, scorer: await resolveScorer("capitals") }],
      s2l,
      l2l,
      prompts: ["One day, a girl named Ella", "Tom had a dog."],
      strengths: [0.5, 1],
      neutral: await readNeutralText(model),
      samples: 1,
      maxTokens: 8,
      random: 1,
      wrong: 1,
      resamples: 50,
    });
    const [concept] = study.concepts;
    expect(concept?.problem).toBeNull();
    expect(concept?.feature?.side).toBe("positive");
    expect(concept?.cosines?.s2lL2l).toBeGreaterThan(0.99);
    const at = (arm: string) => concept!.points.filter((point) => point.arm === arm).map(({ damage }) => damage!);
    at("s2l").forEach((damage, i) => {
      // The directions differ by a cosine of 0.99, damage by little more.
      expect(Math.abs(damage / at("l2l")[i]! - 1)).toBeLessThan(0.2);
    });
    expect(concept!.points.map(({ arm }) => arm)).toContain("wrong 1");
    const { answer, sections } = toFeaturesReport(study, run);
    expect(answer[0]).toMatch(/^Effect of s2l less that of l2l at equal damage/);
    expect(sections.map(({ id }) => id)).toEqual(["capitals", "maps"]);
    expect(sections[0]!.figures[0]!.svg).toContain("<svg");
  });
});
