import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { decodeRows } from "../../src/features/decode.ts";
import { encodeRows } from "../../src/features/encode.ts";
import type { Sae, SaeActivation } from "../../src/features/sae.ts";
import { readSae, writeSae } from "../../src/features/sae-file.ts";
import { type Random, seededRandom } from "../../src/linalg/random.ts";

const folder = await mkdtemp(join(tmpdir(), "trimtab-sae-"));
afterAll(() => rm(folder, { recursive: true, force: true }));

const width = 6;
const features = 20;

function floats(length: number, random: Random, scale = 1): Float32Array {
  return Float32Array.from({ length }, () => scale * (2 * random.uniform() - 1));
}

function randomSae(activation: SaeActivation, seed = 1): Sae {
  const random = seededRandom(seed);
  const hasThreshold = activation === "jumprelu" || activation === "batchtopk";
  return {
    width,
    features,
    activation,
    encoder: floats(features * width, random),
    encoderBias: floats(features, random, 0.2),
    decoder: floats(features * width, random),
    decoderBias: floats(width, random),
    threshold: hasThreshold ? new Float32Array(features).fill(0.4) : undefined,
    k: activation === "topk" ? 3 : activation === "batchtopk" ? 2.5 : undefined,
    gate: activation === "gated" ? { bias: floats(features, random), logScale: floats(features, random) } : undefined,
    subtractsDecoderBias: activation !== "jumprelu",
    inputScale: 1,
    origin: {
      format: "trimtab",
      model: "demo",
      modelSha256: "ab".repeat(32),
      site: { layer: 1, point: "resid_post" },
      facts: { rows: 5 },
    },
  };
}

test.each(["relu", "jumprelu", "topk", "batchtopk", "gated"] as const)(
  "readSae(writeSae(sae)) gives a %s autoencoder back to the bit",
  async (activation) => {
    const sae = randomSae(activation);
    const path = join(folder, activation);
    await writeSae(path, sae);
    expect(await readSae(path)).toEqual(sae);
  },
);

test("writeSae() folds an input scale into the weights: the same features and reconstructions", async () => {
  const sae = { ...randomSae("jumprelu"), subtractsDecoderBias: true, inputScale: 3.7 };
  const path = join(folder, "scaled");
  await writeSae(path, sae);
  const read = await readSae(path);
  expect(read.inputScale).toBe(1);
  const X = floats(40 * width, seededRandom(5));
  const [before, after] = [encodeRows(sae, X), encodeRows(read, X)];
  expect(after.indices).toEqual(before.indices);
  const [Y, Z] = [decodeRows(sae, before), decodeRows(read, after)];
  // Each weight was rounded once more to float32: some 1e-7 of the values.
  for (let i = 0; i < Y.length; i++) expect(Math.abs(Y[i]! - Z[i]!)).toBeLessThan(1e-5);
});
