import { describe, expect, test } from "vitest";
import { residPost } from "../../src/engine/site.ts";
import { promptArm, randomArms, vectorArm } from "../../src/evaluate/arms.ts";
import type { SteeringVector } from "../../src/vectors/steering-vector.ts";

const vector: SteeringVector = {
  directions: [{ site: residPost(2), vector: Float32Array.of(3, 0, 4), medianNorm: 10 }],
  provenance: {
    kind: "native",
    model: undefined,
    modelHint: undefined,
    method: "drawn for a test",
    concept: undefined,
    pairs: undefined,
    readAt: undefined,
    seed: undefined,
    trimtab: "",
  },
};
const length = (values: Float32Array | undefined): number => Math.hypot(...(values ?? []));

describe("vectorArm, randomArms, promptArm", () => {
  test("vectorArm(kind, vector) adds a strength in median row norms unless another unit is named", () => {
    expect(length(vectorArm("native", vector).steer(-0.5)[0]?.vector)).toBeCloseTo(5, 5);
    const absolute = vectorArm("transferred", vector, { unit: "absolute" });
    expect([...absolute.steer(2)[0]!.vector]).toEqual([Math.fround(1.2), 0, Math.fround(1.6)]);
    expect(absolute).toMatchObject({ name: "transferred", kind: "transferred" });
    expect(vectorArm("shuffled", vector, { seed: 3 })).toMatchObject({ name: "shuffled 3", seed: 3 });
  });

  test("randomArms(vector, {count, seed}) draws different directions of the vector's length; fewer are the first of more", () => {
    const arms = randomArms(vector, { count: 4, seed: 7, unit: "raw" });
    const drawn = arms.map(({ steer }) => steer(1)[0]!.vector);
    expect(new Set(drawn.map(String)).size).toBe(4);
    // Rounding of three float32 coordinates.
    for (const values of drawn) expect(length(values)).toBeCloseTo(5, 5);
    const fewer = randomArms(vector, { count: 2, seed: 7, unit: "raw" });
    expect(fewer.map(({ name, seed }) => [name, seed])).toEqual(arms.slice(0, 2).map(({ name, seed }) => [name, seed]));
    expect(fewer.map(({ steer }) => steer(1))).toEqual(arms.slice(0, 2).map(({ steer }) => steer(1)));
    expect(() => randomArms(vector, { count: 1.5, seed: 7 })).toThrow("random directions: expected a whole number");
  });

  test("promptArm(instruction) adds nothing to the model and refuses an empty instruction", () => {
    expect(promptArm("Be kind.")).toMatchObject({ name: "prompt", kind: "prompt", instruction: "Be kind." });
    expect(promptArm("Be kind.").steer(3)).toEqual([]);
    expect(() => promptArm(" ")).toThrow("instruction: expected some text, got none");
  });
});
