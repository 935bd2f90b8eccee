import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { equalRelativeDepth } from "../../src/maps/layer-pairs.ts";
import { parseReference } from "../../src/models/reference.ts";
import { parseRecipe, readRecipe } from "../../src/recipe/parse-recipe.ts";
import { chooseStages, planStages } from "../../src/recipe/plan-stages.ts";

const names = readdirSync("recipes").filter((name) => name.endsWith(".yaml"));

describe("recipes that come with the package", () => {
  test("are these", () => {
    expect(names.sort()).toEqual(["lrt-demo.yaml", "lrt-gemma2.yaml", "lrt-gemma3.yaml", "lrt-qwen3.yaml"]);
  });

  test.each(names)(
    "%s is sound: it parses, every stage needs only stages before it, no two write one file",
    async (name) => {
      const recipe = await readRecipe(`recipes/${name}`);
      const stages = planStages(recipe);
      const seen = new Set<string>();
      const outputs: string[] = [];
      for (const stage of stages) {
        for (const need of stage.needs) expect(seen).toContain(need);
        expect(seen).not.toContain(stage.name);
        seen.add(stage.name);
        outputs.push(...stage.outputs);
      }
      expect(new Set(outputs).size).toBe(outputs.length);
      expect(stages.at(-1)!.name).toBe("report");
      // What is not there is said by the estimate, not thrown.
      for (const stage of stages) expect((await stage.estimate()).about).not.toBe("");
      // Files that the package has not say how to come by them.
      if (name !== "lrt-demo.yaml")
        for (const { files } of stages) for (const file of files) expect(file.about).toMatch(/\w+ \w+/);
      for (const model of Object.values(recipe.models))
        expect(parseReference(model).kind).toBe(name === "lrt-demo.yaml" ? "demo" : "hub");
    },
  );

  test.each(["lrt-gemma2.yaml", "lrt-gemma3.yaml", "lrt-qwen3.yaml"])(
    "%s has the thirteen tasks of Table 1 on every map",
    async (name) => {
      const recipe = await readRecipe(`recipes/${name}`);
      const sets = [...recipe.tasks.values()].flatMap((task) => (task.kind === "propensity" ? task.sets : []));
      expect(new Set(sets.map(({ file }) => file.path)).size).toBe(13);
      expect(sets).toHaveLength(13 * recipe.maps.size);
      expect(sets.every(({ split }) => split !== undefined)).toBe(true);
    },
  );

  test("the example of the guide is a recipe", () => {
    const [, yaml] = /```yaml\n([\s\S]*?)```/.exec(readFileSync("docs/guide/recipes.md", "utf8")) ?? [];
    const { tasks } = parseRecipe(yaml!, "mine.yaml");
    expect([...tasks.values()].map(({ kind }) => kind)).toEqual([
      "propensity",
      "propensity",
      "text",
      "refusal",
      "calibrate",
    ]);
  });

  test("equal relative depth is what the files say, for the blocks that these models have", () => {
    expect(equalRelativeDepth(12, 26, 42)).toBe(20); // Gemma-2-2B, -9B
    expect(equalRelativeDepth(16, 34, 48)).toBe(23); // Gemma-3-4B, -12B
    expect(equalRelativeDepth(13, 28, 36)).toBe(17); // Qwen3-1.7B, -8B
  });
});

describe("chooseStages(stages, only)", () => {
  test("takes what is asked for and all that it needs, in order", async () => {
    const stages = planStages(await readRecipe("recipes/lrt-demo.yaml"));
    expect(chooseStages(stages, ["transfer past"]).map(({ name }) => name)).toEqual([
      "models",
      "collect stories",
      "fit late",
      "extract past",
      "transfer past",
    ]);
    expect(chooseStages(stages, ["propensity"]).at(-1)!.name).toBe("task propensity");
    expect(chooseStages(stages, [])).toBe(stages);
    expect(() => chooseStages(stages, ["fit nothing"])).toThrow(
      /^--only: expected one of models, collect stories, .*, got "fit nothing"$/,
    );
  });
});
