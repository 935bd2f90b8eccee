import { readdirSync, readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { parseLora } from "../../src/cli/lora-flag.ts";
import {
  type AffineMap,
  createMatrix,
  demoData,
  openModel,
  type PredictResult,
  residPost,
  toIdentity,
  writeMaps,
} from "../../src/index.ts";
import { demoPath } from "../engine/demo-models.ts";
import { temporaryFolder } from "../formats/temporary-folder.ts";
import { sampleMap } from "../maps/made-up-map.ts";
import { run } from "./fake-effects.ts";

const folder = temporaryFolder();
const file = (name: string): string => join(folder.path, name);
const map = file("identity.safetensors");
const items = demoData("items/happy.jsonl");
const base = ["predict", "demo:xs", "demo:xs", "--map", map, "--items", items, "--threads", "1", "-q"];

beforeAll(async () => {
  await using model = await openModel(demoPath("xs"), { threads: 1 });
  const end = { model: toIdentity(model.description, await model.sha256()), site: residPost(1), medianNorm: 8 };
  const A = createMatrix(96, 96);
  for (let i = 0; i < 96; i++) A.data[i * 97] = 1;
  const { fit, scores: made } = sampleMap();
  const { r2ByDimension: _, ...scores } = made;
  const identity: AffineMap = { sources: [end], target: end, A, p: new Float64Array(96), fit, scores };
  await writeMaps(map, [identity]);
});

describe("predict", () => {
  test("writes the page, JSON, tables and a drawing, with the words of --prefix as their own truth", async () => {
    const out = file("out");
    const ran = await run([
      ...base,
      "--prefix",
      "Tom was sad. ",
      "--unrelated",
      "prefix:HELLO! ",
      "--limit",
      "4",
      "--random",
      "2",
      "-o",
      out,
    ]);
    expect(ran.stderr).toBe("");
    expect(ran.status).toBe(0);
    expect(readdirSync(out).sort()).toEqual(["figures", "predict.json", "report.html", "report.json", "tables"]);
    expect(readdirSync(join(out, "figures"))).toEqual(["prediction.svg"]);
    const result = JSON.parse(readFileSync(join(out, "predict.json"), "utf8")) as PredictResult;
    expect(result.truth!.changes).toHaveLength(4);
    expect(result.predictions.map(({ name }) => name)).toEqual([
      "mean change",
      "each item's own change",
      "position by position",
      "the small model's own change",
      "prefix “HELLO! ”, unrelated",
    ]);
    expect(result.settings).toMatchObject({ sources: ["resid_post.1"], target: "resid_post.1", items: "happy.jsonl" });
    expect(ran.stdout).toMatch(/position by position predicts it with r = |mean change predicts it with r = /);
  });

  test("says that what it only predicts is unscored", async () => {
    const ran = await run([
      ...base,
      "--prefix",
      "Tom was sad. ",
      "--unscored",
      "--limit",
      "2",
      "--random",
      "2",
      "--mean-only",
      "-o",
      file("unscored"),
    ]);
    expect(ran.status).toBe(0);
    expect(ran.stdout).toContain("This is unscored");
  });

  test.each([
    [[], /one change of the small model.*got none/],
    [["--prefix", "a ", "--system", "b"], /got --system and --prefix/],
    [["--prefix", "a ", "--large-lora", "x.gguf"], /--prefix alone/],
    [["--small-lora", "a.gguf", "--large-lora", "b.gguf", "--large-after", "c.gguf"], /one truth at most/],
    [["--small-lora", "a.gguf=0"], /scale not 0/],
    [["--prefix", "a ", "--unrelated", "dog"], /KIND:VALUE/],
    [["--prefix", "a ", "--rows", "corpus"], /--corpus PATH/],
    [["--prefix", "a ", "--max-rows", "1000"], /--corpus with --max-rows/],
    [["--vector", "happy.gguf"], /FILE=STRENGTH/],
  ])("refuses %j", async (words, message) => {
    const ran = await run([...base, ...words, "-o", file(`refused-${words.join("").length}`)]);
    expect(ran.status).not.toBe(0);
    expect(ran.stderr).toMatch(message);
  });

  test("refuses an adapter of another model and a map of other models, by name", async () => {
    const lora = await run([...base, "--small-lora", "models/demo/lora/s-past.gguf", "-o", file("other-lora")]);
    expect(lora.stderr).toMatch(/s-past\.gguf.*blk/);
    const other = await run([...base.with(1, "demo:s"), "--prefix", "a ", "-o", file("other-map")]);
    expect(other.stderr).toMatch(/the map's source/);
  });
});

describe("study scale", () => {
  test.each([
    [["demo:xs"], /at least 2/],
    [["demo:xs", "demo:xs"], /demo:xs again/],
    [["demo:xs", "demo:s", "--strengths", "8"], /median row norms/],
    [["demo:xs", "demo:s", "--layers", "best", "--depth", "0.5"], /--layers equal with it/],
    [["demo:xs", "demo:s", "--concepts", "mood"], /some of capitals/],
    [["demo:xs", "demo:s", "--data", "nowhere"], /nowhere\/items.*got no such folder/],
    [["demo:xs", "demo:s", "--map-seeds", "0"], /from 1 to 100/],
  ])("refuses %j", async (words, message) => {
    const ran = await run(["study", "scale", ...words, "-o", file("scale")]);
    expect(ran.status).not.toBe(0);
    expect(ran.stderr).toMatch(message);
  });

  test("keeps a pair that cannot be measured as a row, writes the page, and ends with status 1 if there is no other", async () => {
    const out = file("none");
    await mkdir(file("sets/pairs"), { recursive: true });
    await mkdir(file("sets/items"));
    const row = { prompt: "He was", positive: " happy.", negative: " sad." };
    for (const part of ["pairs", "items"])
      await writeFile(
        file(`sets/${part}/mood.jsonl`),
        [row, { ...row, prompt: "She was" }].map((one) => `${JSON.stringify(one)}\n`).join(""),
      );
    const ran = await run([
      "study",
      "scale",
      "demo:xs",
      "gone.gguf",
      "--data",
      file("sets"),
      "--threads",
      "1",
      "-o",
      out,
    ]);
    expect(ran.status).toBe(1);
    expect(ran.stdout).toContain("No pair of two models could be measured. 2 of 2 pairs could not be measured");
    expect(readdirSync(out)).toContain("cells.jsonl");
    // The same line goes on in the same folder.
    expect(
      (await run(["study", "scale", "demo:xs", "gone.gguf", "--data", file("sets"), "--threads", "1", "-o", out]))
        .status,
    ).toBe(1);
  });
});

test("parseLora(text) reads a file, and a scale behind the last =", () => {
  expect(parseLora("a.gguf", "--lora")).toEqual({ path: "a.gguf" });
  expect(parseLora("dir=1/a.gguf=-0.5", "--lora")).toEqual({ path: "dir=1/a.gguf", scale: -0.5 });
  expect(parseLora("dir=1/a.gguf", "--lora")).toEqual({ path: "dir=1/a.gguf" });
  expect(() => parseLora("=2", "--lora")).toThrow(/FILE/);
  expect(() => parseLora("a.gguf=0", "--lora")).toThrow(/not 0/);
});
