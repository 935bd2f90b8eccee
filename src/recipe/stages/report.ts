import { formatRunFile, readRunFolder } from "../../report/run-folder.ts";
import { writeReport } from "../../report/write-report.ts";
import type { Recipe } from "../recipe.ts";
import type { Stage } from "../stage.ts";

/** Renders all results of the run folder as a page, as JSON and as CSV. */
export function reportStage(recipe: Recipe, results: readonly Stage[]): Stage {
  return {
    name: "report",
    needs: results.map(({ name }) => name),
    version: 2,
    options: { title: recipe.title, question: recipe.question, notes: [...recipe.notes] },
    files: [],
    models: [],
    outputs: ["run.json", "report.html", "report.json"],
    estimate: async () => ({ about: "renders the page; no model is run" }),
    async run(bench) {
      const run = await bench.record(recipe.title, recipe.notes);
      const files = results.flatMap(({ outputs }) => outputs).filter((name) => /^[^/]+\.json$/.test(name));
      await bench.write("run.json", formatRunFile({ run, results: files }));
      await writeReport(await readRunFolder(bench.path("")), bench.signal ? { signal: bench.signal } : {});
      return [];
    },
  };
}
