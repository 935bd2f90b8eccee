import type { RefusalRecipe } from "./recipe.ts";
import { checkName } from "./recipe-names.ts";
import { gridFields, namedFile, type TaskNames, toGrid } from "./task-fields.ts";
import { choice, listOf, optional, placed, type Reader, record, text, whole } from "./yaml-reader.ts";

const written = placed(
  record({
    kind: choice("refusal"),
    map: placed(text),
    harmless: namedFile,
    harmful: namedFile,
    train: optional(whole(1)),
    test: optional(whole(1)),
    samples: optional(whole(1, 10_000)),
    "max-tokens": optional(whole(1, 1e6)),
    judges: optional(listOf(choice("log-odds", "phrases"))),
    template: optional(text),
    ...gridFields,
  }),
);

/** Reads a task of the kind `refusal`. @throws bad-input with line and column */
export const refusalReader: Reader<(names: TaskNames) => RefusalRecipe> = (cursor) => {
  const { value, where } = written(cursor);
  const grid = toGrid(value, where, 3);
  return ({ maps, paths }) => ({
    kind: "refusal",
    ...grid,
    map: checkName(value.map, maps, "maps"),
    harmless: paths.toFile(value.harmless.path, value.harmless.about),
    harmful: paths.toFile(value.harmful.path, value.harmful.about),
    // The paper's number of each kind.
    train: value.train ?? 128,
    test: value.test ?? 32,
    samples: value.samples ?? 1,
    maxTokens: value["max-tokens"] ?? 64,
    judges: [...new Set(value.judges ?? (["log-odds", "phrases"] as const))],
    template: value.template,
  });
};
