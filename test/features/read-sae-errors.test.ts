import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { TrimtabError } from "../../src/errors.ts";
import { checkSaeModel } from "../../src/features/check-sae-model.ts";
import { decodeRows } from "../../src/features/decode.ts";
import { encodeRows } from "../../src/features/encode.ts";
import { parseGemmaScopePath } from "../../src/features/gemma-scope-path.ts";
import { findSaeLayout, readSae } from "../../src/features/sae-file.ts";
import { parseSaeLensConfig } from "../../src/features/saelens-config.ts";
import { onlyBadInput } from "../formats/only-bad-input.ts";

const fixtures = "test/fixtures/sae";
const folder = await mkdtemp(join(tmpdir(), "trimtab-sae-errors-"));
afterAll(() => rm(folder, { recursive: true, force: true }));
let copies = 0;

/** Reads a fixture whose configuration was changed, and gives the error as one text with its code. */
async function failure(
  name: string,
  changes: Readonly<Record<string, unknown>>,
  { config = "cfg.json", options = {} } = {},
): Promise<string> {
  const copy = join(folder, String(copies++), name);
  await cp(join(fixtures, name), copy, { recursive: true });
  const path = join(copy, config);
  await writeFile(path, JSON.stringify({ ...JSON.parse(await readFile(path, "utf8")), ...changes }));
  return describe(readSae(copy, options));
}

async function describe(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "no error";
  } catch (error) {
    if (!(error instanceof TrimtabError)) throw error;
    return `${error.code}: ${error.message.replaceAll(folder, "…")}; ${error.hint ?? ""}`;
  }
}

test.each([
  [{ architecture: "transcoder" }, "unsupported: ", 'got architecture "transcoder"; transcoders predict'],
  [{ architecture: "temporal" }, "unsupported: ", "expected one of standard, jumprelu, topk"],
  [{ hook_name_out: "blocks.12.hook_mlp_out" }, "unsupported: ", "got output at"],
  [{ normalize_activations: "layer_norm" }, "unsupported: ", "scales each row by that row's own norm"],
  [{ normalize_activations: "constant_norm_rescale" }, "unsupported: ", "scales each row by that row's own norm"],
  [{ normalize_activations: "expected_average_only_in" }, "bad-input: ", "without one; it is √width"],
  [{ activation_fn: "tanh-relu" }, "unsupported: ", 'activation_fn: expected relu, got "tanh-relu"'],
  [{ d_in: 9 }, "bad-input: ", "W_dec: expected [24, 9], got [24, 8]"],
  [{ d_sae: "many" }, "bad-input: ", 'd_sae: expected an integer above 0, got "many"'],
  [{ apply_b_dec_to_input: "yes" }, "bad-input: ", "apply_b_dec_to_input: expected true or false"],
  [{ architecture: "gated" }, "bad-input: ", "expected a tensor b_mag, got "],
  [{ metadata: { trimtab: { modelSha256: "short" } } }, "bad-input: ", "expected 64 hexadecimal digits"],
])("readSae() refuses a SAELens configuration of %j", async (changes, code, text) => {
  const message = await failure("saelens-jumprelu", changes);
  expect(message).toContain(text);
  expect(message.startsWith(code)).toBe(true);
});

test.each([
  [{ hook_point_out: "blocks.15.hook_mlp_out" }, "unsupported: ", "this is a transcoder"],
  [{ use_glu_encoder: true }, "unsupported: ", "use_glu_encoder"],
  [{ norm_activation: "token-wise" }, "unsupported: ", "it scales each row by its own norm"],
  [{ dataset_average_activation_norm: { in: 0, out: 1 } }, "bad-input: ", "expected in and out above 0"],
  [{ act_fn: "gelu" }, "unsupported: ", "expected relu, topk or jumprelu"],
])("readSae() refuses a Llama Scope configuration of %j", async (changes, code, text) => {
  const message = await failure("Llama3_1-8B-Base-L15R-8x", changes, { config: "hyperparams.json" });
  expect(message).toContain(text);
  expect(message.startsWith(code)).toBe(true);
});

test("readSae() of Gemma Scope 2 refuses transcoders by configuration, tensor or folder", async () => {
  const name = "gemma-scope-2-1b-pt/resid_post_all/layer_13_width_16k_l0_small";
  const other = { config: "config.json" };
  expect(await failure(name, { affine_connection: true }, other)).toContain("an affine connection");
  expect(await failure(name, { type: "transcoder" }, other)).toContain('type "transcoder"');
  expect(await failure(name, { hf_hook_point_out: "model.layers.13.mlp" }, other)).toContain(
    "an output at model.layers.13.mlp",
  );
  const copy = join(folder, "transcoder_all", "layer_1");
  await mkdir(copy, { recursive: true });
  await cp(join(fixtures, name, "params.safetensors"), join(copy, "params.safetensors"));
  expect(await describe(readSae(copy))).toContain("a transcoder, as its folder is named");
});

test("the path of an autoencoder is read below the release, not in folders above it", async () => {
  const release = "gemma-scope-2b-pt-res/layer_20/width_16k/average_l0_71/params.npz";
  for (const above of ["", "layer_3/", "embedding/layer_3/", "gemma-scope-9b-it-res/layer_3/"])
    expect(parseGemmaScopePath(`${above}${release}`)).toMatchObject({
      model: "google/gemma-2-2b",
      site: { layer: 20 },
    });
  expect(parseGemmaScopePath("layer_3/runs/layer_12/width_16k/average_l0_82/params.npz").site?.layer).toBe(12);
  expect(() => parseGemmaScopePath("gemma-scope-2b-pt-res/embedding/width_4k/average_l0_6/params.npz")).toThrow(
    "one of the embedding",
  );
  const weights = join(fixtures, "gemma-scope-2-1b-pt/resid_post_all/layer_13_width_16k_l0_small/params.safetensors");
  const copy = join(folder, "circlts", "transcoders", "gemma-scope-2-1b-pt", "resid_post", "layer_9_width_16k");
  await mkdir(copy, { recursive: true });
  await cp(weights, join(copy, "params.safetensors"));
  expect((await readSae(copy)).origin).toMatchObject({ model: "google/gemma-3-1b-pt", site: { layer: 9 } });
  const other = join(folder, "gemma-scope-2-1b-pt", "attn_out", "layer_9_width_16k");
  await cp(copy, other, { recursive: true });
  expect((await readSae(other)).origin).toMatchObject({ site: undefined, facts: {} });
});

test("readSae({ inputScale }) scales inputs where the file says that they were and not by how much", async () => {
  const change = { norm_scaling_factor: undefined };
  expect(await failure("saelens-scaled", change)).toContain("bad-input");
  expect(await failure("saelens-scaled", change, { options: { inputScale: 0.4 } })).toBe("no error");
});

test("readSae() names what is wrong with other paths", async () => {
  expect(await describe(readSae("model.pt"))).toContain("unsupported: model.pt: expected an autoencoder");
  expect(await describe(readSae(join(folder, "nothing")))).toMatch(/^not-found: /);
  expect(await describe(readSae(fixtures))).toContain("name the folder of one autoencoder");
  const damaged = join(folder, "damaged");
  await cp(join(fixtures, "saelens-topk"), damaged, { recursive: true });
  const path = join(damaged, "sae_weights.safetensors");
  const bytes = await readFile(path);
  await writeFile(path, bytes.subarray(0, -40));
  expect(await describe(readSae(damaged))).toContain("the file is cut short");
  bytes.set([0, 0, 0xc0, 0x7f], bytes.length - 8);
  await writeFile(path, bytes);
  expect(await describe(readSae(damaged))).toMatch(/expected finite values, got NaN/);
  await writeFile(join(damaged, "cfg.json"), "[");
  expect(await describe(readSae(damaged))).toMatch(/^bad-input: .*cfg\.json: expected JSON/);
  expect(await findSaeLayout("models/demo/trimtab-stories-xs.gguf")).toBeUndefined();
});

test("encodeRows() and decodeRows() refuse rows of another width and values that are not finite", async () => {
  const sae = await readSae(join(fixtures, "saelens-topk"));
  expect(() => encodeRows(sae, new Float32Array(9))).toThrow("expected rows of 8 values");
  const X = new Float32Array(16);
  X[11] = Number.NaN;
  expect(() => encodeRows(sae, X)).toThrow("expected finite values, got NaN in row 1, dimension 3");
  const F = { rows: 0, cols: 5, offsets: new Int32Array(1), indices: new Int32Array(), values: new Float32Array() };
  expect(() => decodeRows(sae, F)).toThrow("expected 24 columns");
  expect(encodeRows(sae, new Float32Array()).rows).toBe(0);
});

test("checkSaeModel() refuses another width and warns of another model, file or site", async () => {
  const sae = await readSae(join(fixtures, "saelens-topk"));
  const model = { name: "Gemma 2 2B", width: 8, blocks: 26 };
  expect(checkSaeModel(sae, model)).toEqual({ site: { layer: 12, point: "resid_post" }, warnings: [] });
  expect(() => checkSaeModel(sae, { ...model, width: 9 })).toThrow("expected hidden states of width 9");
  expect(() => checkSaeModel(sae, { ...model, blocks: 12 })).toThrow("expected a layer from 0 to 11, got 12");
  expect(checkSaeModel(sae, { ...model, name: "gemma-2-2b-it" }).warnings).toEqual([
    "the autoencoder was trained on gemma-2-2b, and this model is gemma-2-2b-it: its features may mean nothing here",
  ]);
  const own = { ...sae, origin: { ...sae.origin, modelSha256: "a" } };
  expect(checkSaeModel(own, { ...model, name: "other" }, { sha256: "a" }).warnings).toEqual([]);
  expect(checkSaeModel(own, model, { sha256: "b" }).warnings[0]).toContain("another file of Gemma 2 2B");
  const moved = checkSaeModel(sae, model, { site: { layer: 3, point: "resid_post" } });
  expect(moved.warnings[0]).toContain("trained at resid_post.12 and is used at resid_post.3");
});

test("parseSaeLensConfig() says bad-input or unsupported, or returns, for any JSON", () => {
  const value = fc.oneof(
    fc.jsonValue(),
    fc.constantFrom(1, 8, "relu", "topk", "gated", "batchtopk", true, null, "blocks.3.hook_resid_pre", { k: 3 }, {}),
  );
  const keys = [
    "architecture",
    "d_in",
    "d_sae",
    "activation_fn",
    "activation_fn_str",
    "activation_fn_kwargs",
    "k",
    "metadata",
    "hook_name",
    "hook_point",
    "normalize_activations",
    "norm_scaling_factor",
    "apply_b_dec_to_input",
    "trimtab",
    "__proto__",
  ];
  const object = fc
    .array(fc.tuple(fc.constantFrom(...keys), value), { maxLength: 12 })
    .map((entries) => Object.fromEntries(entries));
  const config = fc.oneof(
    fc.jsonValue(),
    object,
    fc.tuple(object, object).map(([top, metadata]) => ({ ...top, d_in: 8, d_sae: 9, metadata })),
  );
  fc.assert(
    fc.property(config, (json) => {
      const found = onlyBadInput(() => parseSaeLensConfig(json, "cfg.json"));
      if (found) expect(found.width * found.features).toBeGreaterThan(0);
    }),
    { numRuns: 500, seed: 7 },
  );
});
