import { mismatch } from "../errors.ts";
import type { CalibrateRecipe } from "./recipe.ts";
import { checkName } from "./recipe-names.ts";
import { gridFields, namedFile, type TaskNames, toGrid } from "./task-fields.ts";
import { choice, number, optional, placed, type Reader, record, text } from "./yaml-reader.ts";

const written = placed(
  record({
    kind: choice("calibrate"),
    vector: placed(text),
    which: optional(choice("native", "transferred")),
    items: namedFile,
    neutral: namedFile,
    "max-damage": optional(number(1e-6, 100)),
    ...gridFields,
  }),
);

/** Where the search begins unless told: beyond a median row norm small models write noise. */
const strengths = [0.125, 0.25, 0.5, 0.75, 1];

/** Reads a task of the kind `calibrate`. @throws bad-input with line and column */
export const calibrateReader: Reader<(names: TaskNames) => CalibrateRecipe> = (cursor) => {
  const { value, where } = written(cursor);
  if (value.random !== undefined)
    throw mismatch("bad-input", where, "no random directions in a calibration", String(value.random));
  const grid = toGrid({ ...value, strengths: value.strengths ?? strengths }, where, 0);
  return ({ vectors, paths }) => ({
    kind: "calibrate",
    strengths: grid.strengths,
    unit: grid.unit,
    vector: checkName(value.vector, vectors, "vectors"),
    which: value.which ?? "transferred",
    items: paths.toFile(value.items.path, value.items.about),
    neutral: paths.toFile(value.neutral.path, value.neutral.about),
    maxDamage: value["max-damage"] ?? 0.5,
  });
};
