import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { EngineModel } from "../../src/engine/engine-model.ts";
import { residPost } from "../../src/engine/site.ts";
import { direction, maxDifference, openDemo } from "./demo-models.ts";

let model: EngineModel;
let ids: Int32Array;
let width: number;
beforeAll(async () => {
  model = await openDemo("s");
  ids = await model.tokenize("Once upon a time, there was a little girl named Anna. Anna had a dog.");
  width = model.description.width;
});
afterAll(() => model.close());

async function read(windows: Int32Array[], layers: number[], options: Parameters<EngineModel["logits"]>[1] = {}) {
  const { positions: _, ...run } = options;
  const all = [];
  for await (const window of model.readStates(windows, { sites: layers.map(residPost), ...run })) all.push(window);
  return all;
}

// A row's value depends a little on the shape of the batch it is computed in: kernels sum in another order.
const batchTolerance = 1e-3;

describe("reading hidden states", () => {
  test("readStates(windows, { sites }) gives [tokens, width] for every window and site, in order", async () => {
    const windows = [ids, ids.slice(0, 5), ids.slice(0, 9)];
    const states = await read(windows, [2, 0]);
    expect(states.map(({ index, tokens }) => [index, tokens.length])).toEqual(windows.map((w, i) => [i, w.length]));
    for (const { tokens, states: rows } of states)
      expect(rows.map((r) => r.length)).toEqual([tokens, tokens].map((t) => t.length * width));
  });

  test("a prefix has the states of the same positions of the longer text, also in the last block", async () => {
    const last = model.description.blocks - 1;
    const [whole, part] = await read([ids, ids.slice(0, 6)], [0, last]);
    for (const site of [0, 1])
      expect(maxDifference(part!.states[site]!, whole!.states[site]!.subarray(0, 6 * width))).toBeLessThan(
        batchTolerance,
      );
  });

  test("stopping after an early block gives the same states as going on to the last", async () => {
    const [early] = await read([ids], [1]);
    const [late] = await read([ids], [1, model.description.blocks - 1]);
    expect(maxDifference(early!.states[0]!, late!.states[0]!)).toBe(0);
  });

  test("many windows, more than fit one call, come back in order and whole", async () => {
    const windows = Array.from({ length: 40 }, (_, i) =>
      Int32Array.from({ length: 100 }, (_, j) => (i * 31 + j) % 3000),
    );
    const states = await read(windows, [1]);
    expect(states.map(({ index }) => index)).toEqual(windows.map((_, i) => i));
    const [alone] = await read([windows[37]!], [1]);
    expect(maxDifference(states[37]!.states[0]!, alone!.states[0]!)).toBeLessThan(batchTolerance);
  });

  test("a consumer that stops early leaves the model usable", async () => {
    for await (const _ of model.readStates([ids, ids], { sites: [residPost(0)] })) break;
    expect((await model.logits([ids]))[0]).toHaveLength(model.description.vocabulary);
  });

  test("a layer out of range is refused by name", async () => {
    await expect(read([ids], [model.description.blocks])).rejects.toThrow(
      `layer from 0 to ${model.description.blocks - 1}`,
    );
  });
});

describe("steering and editing", () => {
  test("steering equals an edit that adds the same vector, to the bit", async () => {
    const vector = direction(width, 5);
    const [steered] = await model.logits([ids], { steering: [{ layer: 2, vector }] });
    const [edited] = await model.logits([ids], { edits: [{ kind: "add", site: residPost(2), vector }] });
    const [plain] = await model.logits([ids]);
    expect(maxDifference(steered!, edited!)).toBe(0);
    expect(maxDifference(steered!, plain!)).toBeGreaterThan(0.1);
  });

  test("block 0, which a control vector cannot reach, is steered all the same", async () => {
    const vector = direction(width, 5);
    const [plain] = await read([ids], [0]);
    const [steered] = await read([ids], [0], { steering: [{ layer: 0, vector }] });
    // Adding 5 to values of size 1-10 in float32.
    const expected = plain!.states[0]!.map((value, i) => value + vector[i % width]!);
    expect(maxDifference(steered!.states[0]!, expected)).toBeLessThan(1e-5);
    const [a] = await model.logits([ids], { steering: [{ layer: 0, vector }] });
    const [b] = await model.logits([ids]);
    expect(maxDifference(a!, b!)).toBeGreaterThan(0.1);
  });

  test("several vectors at one layer sum, and layers combine", async () => {
    const [u, v] = [direction(width, 3), direction(width, 4, 9)];
    const sum = u.map((value, i) => value + v[i]!);
    const [apart] = await model.logits([ids], {
      steering: [
        { layer: 1, vector: u },
        { layer: 1, vector: v },
        { layer: 2, vector: u },
      ],
    });
    const [together] = await model.logits([ids], {
      steering: [
        { layer: 2, vector: u },
        { layer: 1, vector: sum },
      ],
    });
    expect(maxDifference(apart!, together!)).toBe(0);
  });

  test("v − v steers nothing", async () => {
    const v = direction(width, 4);
    const [none] = await model.logits([ids]);
    const [both] = await model.logits([ids], {
      steering: [
        { layer: 2, vector: v },
        { layer: 2, vector: v.map((value) => -value) },
      ],
    });
    expect(maxDifference(none!, both!)).toBe(0);
  });

  test("steering never leaks into the next call", async () => {
    const [before] = await model.logits([ids]);
    await model.logits([ids], { steering: [{ layer: 2, vector: direction(width, 50) }] });
    const [after] = await model.logits([ids]);
    expect(maxDifference(before!, after!)).toBe(0);
  });

  test("an edit with a range or a sequence touches those rows only", async () => {
    const vector = direction(width, 8);
    const site = residPost(1);
    const plain = await read([ids, ids], [1]);
    const edited = await read([ids, ids], [1], {
      edits: [{ kind: "add", site, vector, range: { start: 2, end: 4 }, sequence: 1 }],
    });
    expect(maxDifference(edited[0]!.states[0]!, plain[0]!.states[0]!)).toBe(0);
    const rows = edited[1]!.states[0]!.map((value, i) => value - plain[1]!.states[0]![i]!);
    const norms = Array.from(ids, (_, row) => Math.hypot(...rows.subarray(row * width, (row + 1) * width)));
    // Row differences of float32 values of size 1-10.
    for (const [row, norm] of norms.entries()) expect(norm).toBeCloseTo(row === 2 || row === 3 ? 8 : 0, 4);
  });

  test("replace-rows writes each position its own row: a model's own rows change nothing, another text's rows its logits", async () => {
    const other = (await model.tokenize("The cat sat by the old river and looked at the moon all night.")).slice(
      0,
      ids.length,
    );
    const [own] = await read([ids], [1]);
    const range = { start: 0, end: other.length };
    const rowsOf = (states: Float32Array) => states.slice(0, other.length * width);
    const edit = (vector: Float32Array) => ({ kind: "replace-rows" as const, site: residPost(1), range, vector });
    const [plain] = await model.logits([ids], {
      edits: [{ kind: "add", site: residPost(1), vector: new Float32Array(width) }],
    });
    const [same] = await model.logits([ids], { edits: [edit(rowsOf(own!.states[0]!))] });
    expect(maxDifference(same!, plain!)).toBe(0);
    const [theirs] = await read([other], [1]);
    const [moved] = await model.logits([ids.slice(0, other.length)], { edits: [edit(theirs!.states[0]!)] });
    const [target] = await model.logits([other], { edits: [edit(theirs!.states[0]!)] });
    // From block 1 on both are the same computation.
    expect(maxDifference(moved!, target!)).toBe(0);
    await expect(model.logits([ids], { edits: [edit(new Float32Array(3))] })).rejects.toThrow("rows of width");
    const bare = { kind: "replace-rows" as const, site: residPost(1), vector: new Float32Array(width) };
    await expect(model.logits([ids], { edits: [bare] })).rejects.toThrow("a range of positions");
  });

  test("replace writes the vector, project-out leaves nothing along it", async () => {
    const vector = direction(width, 2);
    const [replaced] = await read([ids], [1], { edits: [{ kind: "replace", site: residPost(1), vector }] });
    expect(maxDifference(replaced!.states[0]!.subarray(0, width), vector)).toBe(0);
    const [cut] = await read([ids], [1], { edits: [{ kind: "project-out", site: residPost(1), vector }] });
    for (let row = 0; row < ids.length; row++) {
      const along = cut!.states[0]!.subarray(row * width, (row + 1) * width).reduce((s, x, i) => s + x * vector[i]!, 0);
      // Rounding of width float32 products of size up to 10.
      expect(Math.abs(along)).toBeLessThan(1e-3);
    }
  });

  test("an edit of a sequence that is not there, or of an unknown kind, is refused instead of doing nothing", async () => {
    const edit = { kind: "add", site: residPost(1), vector: direction(width, 1) } as const;
    await expect(model.logits([ids], { edits: [{ ...edit, sequence: 1 }] })).rejects.toThrow("a sequence from 0 to 0");
    const odd = { ...edit, kind: "foo" as "add" };
    await expect(model.logits([ids], { edits: [odd] })).rejects.toThrow(
      "one of add, replace, project-out, replace-rows, add-rows",
    );
  });

  test("the last block can be edited too, for logits and for text", async () => {
    const last = model.description.blocks - 1;
    const vector = direction(width, 20);
    const [steered] = await model.logits([ids], { steering: [{ layer: last, vector }] });
    const edits = [{ kind: "add", site: residPost(last), vector } as const];
    const [edited] = await model.logits([ids], { edits });
    // The same sums, but with every row computed in the last block.
    expect(maxDifference(steered!, edited!)).toBeLessThan(batchTolerance);
    const [generation] = await model.generateMany([ids], { edits, maxTokens: 4 });
    expect(generation!.tokens.length).toBeGreaterThan(0);
  });

  test("a vector of the wrong width, a layer out of range and NaN are refused", async () => {
    const wrong = new Float32Array(width + 1).fill(1);
    await expect(model.logits([ids], { steering: [{ layer: 1, vector: wrong }] })).rejects.toMatchObject({
      code: "incompatible",
    });
    const vector = direction(width, 1);
    await expect(model.logits([ids], { steering: [{ layer: 99, vector }] })).rejects.toMatchObject({
      code: "bad-input",
    });
    const nan = new Float32Array(width).fill(Number.NaN);
    await expect(model.logits([ids], { steering: [{ layer: 1, vector: nan }] })).rejects.toThrow("finite");
    const zero = new Float32Array(width);
    await expect(
      model.logits([ids], { edits: [{ kind: "project-out", site: residPost(1), vector: zero }] }),
    ).rejects.toThrow("zero vector");
  });
});
