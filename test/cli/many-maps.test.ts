import { join, resolve } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { type AffineMap, createMatrix, readVector, residPost, writeMap, writeMaps } from "../../src/index.ts";
import { temporaryFolder } from "../formats/temporary-folder.ts";
import { sampleMap } from "../maps/made-up-map.ts";
import { run } from "./fake-effects.ts";

const folder = temporaryFolder();
const file = (name: string) => join(folder.path, name);
const repeng = resolve("test/fixtures/vectors/repeng.gguf"); // width 8, layers 1, 2 and 3

/** A map 8 → 7 that keeps the first seven numbers of its first source. */
function mapOf(layers: readonly number[], target: number, rowSelection = "all"): AffineMap {
  const map = sampleMap();
  const [end] = map.sources;
  const A = createMatrix(7, 8 * layers.length);
  for (let i = 0; i < 7; i++) A.data[i * A.cols + i] = 1;
  return {
    ...map,
    sources: layers.map((layer) => ({ ...end!, model: { ...end!.model, width: 8 }, site: residPost(layer) })),
    target: { ...map.target, site: residPost(target) },
    A,
    fit: { ...map.fit, rowSelection },
  };
}

beforeAll(async () => {
  await writeMaps(file("maps.safetensors"), [mapOf([3], 2), mapOf([1, 2], 1), mapOf([0, 1], 3), mapOf([2], 0)]);
  await writeMap(file("map.safetensors"), mapOf([1], 0));
});

describe("transfer through a file of many maps", () => {
  test("writes a control vector of every layer it can and prints a line for each map", async () => {
    const argv = ["transfer", repeng, "--map", file("maps.safetensors"), "-o"];
    const { status, stdout, stderr } = await run([...argv, file("large.gguf")]);
    expect(status).toBe(0);
    // Layer l is (−l … 7 − l)/4. Of layer 1 the first seven numbers have squares of 56/16 together, all of layers 1 and 2 152/16.
    expect(stdout).toMatch(/^1\+2:1 {2,}length 3\.082 → 1\.871, 0\.087 median row norms$/m);
    expect(stdout).toMatch(/^3:2 {2,}length 1\.658, 0\.18 median row norms → 1\.323, 0\.062 median row norms$/m);
    expect(stdout).toMatch(/^0\+1:3 {2,}not used: the vector has no direction at resid_post\.0$/m);
    expect(stdout).not.toContain("2:0");
    expect(stdout).not.toMatch(/^left out/m);
    expect(stderr).toMatch(/^warning: a control vector cannot hold layer 0/m);
    expect(stderr).toMatch(/^warning: the vector does not say which model it is of/m);
    const back = await readVector(file("large.gguf"));
    expect(back.directions.map(({ site, vector }) => [site.layer, ...vector])).toEqual([
      [1, -0.25, 0, 0.25, 0.5, 0.75, 1, 1.25],
      [2, -0.75, -0.5, -0.25, 0, 0.25, 0.5, 0.75],
    ]);
    const shown = await run(["inspect", file("large.gguf")]);
    expect(shown.stdout).toMatch(/^ +resid_post\.1 \+ resid_post\.2 → resid_post\.1$/m);
    // Another format has room for layer 0.
    expect((await run([...argv, file("large.safetensors")])).stdout).toMatch(/^2:0 {2,}length/m);
  });

  test("says all of it in JSON", async () => {
    const argv = ["transfer", repeng, "--map", file("maps.safetensors"), "-o", file("json.gguf"), "--json"];
    const { stdout, stderr } = await run(argv);
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toMatchObject({
      carried: [
        {
          sources: ["resid_post.1", "resid_post.2"],
          target: "resid_post.1",
          targetNorm: expect.closeTo(Math.sqrt(3.5), 5),
        },
        { sources: ["resid_post.3"], target: "resid_post.2" },
      ],
      unused: [{ target: "resid_post.3", missing: ["resid_post.0"] }],
      leftOut: [],
      warnings: [expect.any(String), expect.any(String)],
    });
  });

  test("refuses to write a single direction at layer 0 into a control vector", async () => {
    const { status, stderr } = await run(["transfer", repeng, "--map", file("map.safetensors"), "-o", file("no.gguf")]);
    expect(status).toBe(5);
    expect(stderr).toContain("choose another layer, or save as .safetensors");
  });
});

describe("inspect of a file of many maps", () => {
  test("shows a row for each map under what they share", async () => {
    const { status, stdout } = await run(["inspect", file("maps.safetensors")]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^maps {2,}4, 8 → 7$/m);
    expect(stdout).toMatch(/^rows {2,}700 fitted, 100 chose the penalty, 100 held out; selected: all$/m);
    expect(stdout).toMatch(/A:B +R² +from +to /);
    for (const layers of ["3:2", "1+2:1", "0+1:3", "2:0"])
      expect(stdout.split("\n").filter((line) => line.trimStart().startsWith(`${layers} `))).toHaveLength(1);
    expect(stdout).toContain(
      "0.400  0.300  0.500     0.400                   0.350         0.200   0.600  ridge, λ 0.01 by validation",
    );
  });

  test("does not state of all what holds of one", async () => {
    await writeMaps(file("mixed.safetensors"), [mapOf([3], 2), mapOf([1], 1, "last")]);
    const { stdout } = await run(["inspect", file("mixed.safetensors")]);
    expect(stdout).not.toMatch(/^rows/m);
    expect(stdout).toMatch(/^corpus/m);
  });

  test("gives every map in JSON, its R² by dimension as a list", async () => {
    const { maps, kind } = JSON.parse((await run(["inspect", file("maps.safetensors"), "--json"])).stdout);
    expect(kind).toBe("maps");
    expect(maps).toHaveLength(4);
    expect(maps[1].sources.map(({ site }: { site: { layer: number } }) => site.layer)).toEqual([1, 2]);
    expect(maps[1].scores.r2ByDimension).toEqual([0.1, 0.2, -3, null, 0.3, 0.4, 0.5]);
  });

  test("shows a single map by itself", async () => {
    const { stdout } = await run(["inspect", file("map.safetensors")]);
    expect(stdout).toMatch(/^map {2,}8 → 7$/m);
    expect(stdout).toMatch(/^from {2,}S F16, resid_post\.1 of 4 blocks/m);
    expect(stdout).toMatch(/^by dimension {2,}R² median 0\.400, quartiles 0\.200 and 0\.600, mean 0\.350$/m);
    expect(stdout).toMatch(/^method {2,}ridge, λ 0\.01 by validation, condition Infinity, seed 3$/m);
  });
});
