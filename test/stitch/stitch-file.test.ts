import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { residPost } from "../../src/engine/site.ts";
import { readSafetensors, writeSafetensors } from "../../src/formats/safetensors.ts";
import { createMatrix } from "../../src/linalg/matrix.ts";
import { readTunedStitch, type TunedStitch, writeTunedStitch } from "../../src/stitch/stitch-file.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "trimtab-stitch-file-"));
});
afterAll(() => rm(folder, { recursive: true }));

const model = (name: string, width: number) => ({
  name,
  sha256: "0".repeat(64),
  architecture: "llama",
  width,
  blocks: 4,
  quantisation: "F16",
  tokenizerFingerprint: "f",
});

const tuned: TunedStitch = {
  A: createMatrix(3, 2, Float64Array.of(1, -2, 3, 4.5, 1e-300, 0)),
  p: Float64Array.of(0.1, 0.2, 0.3),
  sources: [{ site: residPost(1), model: model("S", 2) }],
  target: { site: residPost(3), model: model("M", 3) },
  tuning: {
    corpus: "stories",
    seed: 4,
    documents: { tuning: 10, validation: 2, heldOut: 3 },
    tokens: { tuning: 1000, heldOut: 300 },
    rounds: [{ kept: 0.5, validationNats: 2.5 }],
    heldOut: { plainNats: 3, tunedNats: 2.6, sourceNats: 1 },
    version: "0.1.0",
  },
};

describe("readTunedStitch(path)", () => {
  test("reads what writeTunedStitch wrote, to the bit", async () => {
    const path = join(folder, "tuned.safetensors");
    await writeTunedStitch(path, tuned);
    expect(await readTunedStitch(path)).toEqual(tuned);
  });

  test("names what is wrong with a damaged file, or one of another kind", async () => {
    const path = join(folder, "good.safetensors");
    await writeTunedStitch(path, tuned);
    const { tensors, metadata } = await readSafetensors(path);
    const spoil = async (change: Record<string, string | undefined>, A = tensors.get("A")!) => {
      const other = join(folder, "bad.safetensors");
      const fields = new Map(
        Object.entries({ ...Object.fromEntries(metadata), ...change }).filter(([, value]) => value !== undefined),
      );
      await writeSafetensors(other, new Map([...tensors, ["A", A]]), fields as Map<string, string>);
      return readTunedStitch(other);
    };
    await expect(spoil({ format: "trimtab-map" })).rejects.toThrow(/a trimtab-stitch file, got a trimtab-map file/);
    await expect(spoil({ version: "9" })).rejects.toMatchObject({ code: "unsupported" });
    await expect(spoil({ stitch: undefined })).rejects.toThrow(/metadata stitch/);
    const record = JSON.parse(metadata.get("stitch")!);
    await expect(spoil({ stitch: JSON.stringify({ ...record, sources: [] }) })).rejects.toThrow(/from 0 layers/);
    await expect(spoil({ stitch: JSON.stringify({ ...record, target: "12" }) })).rejects.toThrow(/12/);
    await expect(spoil({ stitch: "{" })).rejects.toThrow(/JSON/);
    await expect(spoil({ source: JSON.stringify(model("S", 5)) })).rejects.toThrow(/1 layers of width 5 to 3/);
    await expect(spoil({}, { shape: [6], data: tuned.A.data })).rejects.toThrow(/F64 of 2 dimensions/);
  });
});
