import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { decodeRows } from "../../src/features/decode.ts";
import { encodeRows } from "../../src/features/encode.ts";
import { readSae } from "../../src/features/sae-file.ts";

interface Expected {
  readonly rows: readonly (readonly number[])[];
  readonly layouts: Readonly<
    Record<string, { features: readonly (readonly number[])[]; reconstruction: readonly (readonly number[])[] }>
  >;
}

const folder = "test/fixtures/sae";
// Made by make.py beside it: numpy's results for tiny autoencoders in each layout.
const { rows, layouts } = JSON.parse(await readFile(`${folder}/expected.json`, "utf8")) as Expected;
const X = Float32Array.from(rows.flat());

test.each(Object.keys(layouts))("readSae(%j) encodes and decodes as numpy does", async (name) => {
  const sae = await readSae(`${folder}/${name}`);
  const { features, reconstruction } = layouts[name]!;
  const F = encodeRows(sae, X);
  const dense = new Float64Array(F.rows * F.cols);
  for (let i = 0; i < F.rows; i++)
    for (let k = F.offsets[i]!; k < F.offsets[i + 1]!; k++) dense[i * F.cols + F.indices[k]!] = F.values[k]!;
  const wanted = features.flat();
  // The same features are active. Values of about 10, rounded to float32 once, or twice where weights were rescaled: 2e-6.
  expect([...dense].map((value) => value > 0)).toEqual(wanted.map((value) => value > 0));
  for (const [at, value] of dense.entries()) expect(Math.abs(value - wanted[at]!)).toBeLessThan(5e-6);
  for (const [at, value] of decodeRows(sae, F).entries())
    expect(Math.abs(value - reconstruction.flat()[at]!)).toBeLessThan(5e-5);
});

test("readSae() finds out what an autoencoder was trained on", async () => {
  const origins = await Promise.all(
    Object.keys(layouts).map(async (name) => {
      const { activation, k, origin } = await readSae(`${folder}/${name}`);
      return [name.split("/")[0], activation, k, origin.format, origin.model, origin.site?.layer];
    }),
  );
  expect(origins).toEqual([
    ["gemma-scope-2b-pt-res", "jumprelu", undefined, "gemma-scope", "google/gemma-2-2b", 20],
    ["gemma-scope-9b-it-res", "jumprelu", undefined, "gemma-scope", "google/gemma-2-9b-it", 9],
    ["gemma-scope-2-1b-pt", "jumprelu", undefined, "gemma-scope-2", "gemma-3-1b-pt", 13],
    // resid_pre of block 8 is the output of block 7.
    ["saelens-old-relu", "relu", undefined, "saelens", "gpt2-small", 7],
    ["saelens-old-topk", "topk", 5, "saelens", "gpt2-small", 6],
    ["saelens-jumprelu", "jumprelu", undefined, "saelens", "gemma-2-2b", 12],
    ["saelens-topk", "topk", 4, "saelens", "gemma-2-2b", 12],
    ["saelens-batchtopk", "batchtopk", 3.5, "saelens", "gemma-2-2b", 12],
    ["saelens-gated", "gated", undefined, "saelens", "gemma-2-2b", 12],
    ["saelens-scaled", "relu", undefined, "saelens", "gemma-2-2b", 12],
    ["Llama3_1-8B-Base-L15R-8x", "jumprelu", undefined, "llama-scope", "meta-llama/Llama-3.1-8B", 15],
  ]);
});

test("encodeRows() gives a row the same features alone and among others", async () => {
  const sae = await readSae(`${folder}/saelens-topk`);
  const together = encodeRows(sae, X);
  rows.forEach((row, i) => {
    const alone = encodeRows(sae, Float32Array.from(row));
    const [from, to] = [together.offsets[i]!, together.offsets[i + 1]!];
    expect(alone.indices).toEqual(together.indices.slice(from, to));
    // Sums of 8 products in another order: 1e-15 in float64, at most the last bit of float32.
    alone.values.forEach((value, k) => {
      expect(Math.abs(value - together.values[from + k]!)).toBeLessThanOrEqual(1e-6);
    });
  });
});
