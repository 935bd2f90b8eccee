import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { renderWorldPlot } from "../../src/report/plots/world-plot.ts";
import { studyWorld, type WorldCurve, type WorldStudy } from "../../src/study/world/study-world.ts";
import { worldKnobs } from "../../src/study/world/world-knobs.ts";
import { run } from "../cli/fake-effects.ts";
import { temporaryFolder } from "../formats/temporary-folder.ts";

const folder = temporaryFolder();
let study: WorldStudy;

beforeAll(async () => {
  study = await studyWorld({
    worlds: 1,
    measuredRows: 100,
    heldOutRows: 800,
    measures: ["linear-cka-debiased", "svcca", "mutual-neighbours"],
    shuffles: 3,
  });
}, 120_000);

const curveOf = (name: string): WorldCurve => study.curves.find((curve) => curve.name === name)!;
const series = (name: string, of: "r2" | "r2Best" | "r2Shuffled" | "cosine" | "r2WithoutSinks" | "r2Ols"): number[] =>
  curveOf(name).points.map(({ map }) => map[of].mean ?? Number.NaN);
const measured = (name: string, measure: string): number[] =>
  curveOf(name).points.map(({ measures }) => measures.find((each) => each.name === measure)!.value.mean!);

describe("studyWorld(options)", () => {
  test("starts every knob that has an exact map at R² 1 and feature cosine 1", () => {
    for (const name of ["width", "noise", "missing", "bend", "loud"]) {
      expect(series(name, "r2")[0]).toBeGreaterThan(0.9999);
      expect(series(name, "cosine")[0]).toBeGreaterThan(0.9999);
    }
  });

  test("fits nearly as well as the best map there is, never better, and shuffled pairs score nothing", () => {
    for (const name of ["width", "noise", "missing", "active", "loud"]) {
      const [own, best] = [series(name, "r2"), series(name, "r2Best")];
      own.forEach((r2, at) => {
        // 2048 rows for at most 96 dimensions leave a few hundredths to learn; 800 held-out rows know R² to about 0.02.
        expect(r2).toBeGreaterThan(best[at]! - 0.05);
        expect(r2).toBeLessThan(best[at]! + 0.04);
      });
      for (const r2 of series(name, "r2Shuffled")) expect(r2).toBeLessThan(0.05);
    }
  });

  test("width, noise, missing features, bends and few rows take R² away, step by step", () => {
    for (const name of ["width", "noise", "missing", "bend", "rows"]) {
      const r2 = series(name, "r2");
      for (let at = 1; at < r2.length; at++) expect(r2[at]).toBeLessThan(r2[at - 1]! + 0.02);
      expect(r2.at(-1)).toBeLessThan(r2[0]! - 0.2);
    }
  });

  test("the map carries shared features though R² is low because others are missing", () => {
    expect(series("missing", "r2").at(-1)).toBeLessThan(0.3);
    expect(series("missing", "cosine").at(-1)).toBeGreaterThan(0.85);
    expect(series("width", "cosine").at(-1)).toBeLessThan(0.6);
  });

  test("how many features are active at once does not move R², which knows variances alone", () => {
    const r2 = series("active", "r2");
    for (const value of r2) expect(Math.abs(value - r2[0]!)).toBeLessThan(0.06);
    const near = measured("active", "mutual-neighbours");
    expect(near[0]).toBeGreaterThan(near.at(-1)! + 0.1);
  });

  test("loud dimensions leave the exact map and hide it from CKA; sinks buy R² for a map of nothing", () => {
    expect(series("loud", "r2").at(-1)).toBeGreaterThan(0.9999);
    const cka = measured("loud", "linear-cka-debiased");
    expect(cka.at(-1)).toBeLessThan(0.5 * cka[0]!);
    expect(measured("loud", "svcca").at(-1)).toBeGreaterThan(0.8);
    expect(series("sinks", "r2").at(-1)).toBeGreaterThan(0.95);
    expect(series("sinks", "r2WithoutSinks").at(-1)).toBeLessThan(0.3);
    expect(measured("sinks", "linear-cka-debiased").at(-1)).toBeGreaterThan(0.99);
  });

  test("with a row a dimension least squares fits noise and ridge does not", () => {
    expect(series("rows", "r2Ols").at(-1)).toBeLessThan(-1);
    expect(series("rows", "r2").at(-1)).toBeGreaterThan(0);
  });

  test("is the same for the same seed, and knows its knobs and measures", async () => {
    const some = { knobs: ["noise"], measures: ["svcca"], worlds: 1, measuredRows: 60, heldOutRows: 200, shuffles: 2 };
    expect(await studyWorld(some)).toEqual(await studyWorld(some));
    await expect(studyWorld({ ...some, knobs: ["nois"] })).rejects.toThrow(/knob: expected one of width, .*got "nois"/);
    await expect(studyWorld({ ...some, measures: ["cka"] })).rejects.toThrow(/measure: expected one of/);
    await expect(studyWorld({ ...some, worlds: 0 })).rejects.toThrow("worlds: expected a count of at least 1, got 0");
    await expect(studyWorld({ ...some, signal: AbortSignal.abort() })).rejects.toThrow();
  });
});

describe("renderWorldPlot(study)", () => {
  test("has a panel for each knob and the same bytes for the same study", () => {
    const svg = renderWorldPlot(study);
    for (const { title, axis } of worldKnobs) {
      expect(svg).toContain(`>${title}<`);
      expect(svg).toContain(axis);
    }
    expect(renderWorldPlot(study)).toBe(svg);
    expect(svg).not.toContain("NaN");
  });
});

describe("trimtab study world", () => {
  const small = ["--knobs", "noise", "--measures", "svcca", "--worlds", "1", "--max-rows", "60", "--shuffles", "2"];

  test("writes the page, the tables, the figure and the numbers, and says three sentences", async () => {
    const out = join(folder.path, "world");
    const { status, stdout } = await run(["study", "world", ...small, "-o", out]);
    expect(status).toBe(0);
    expect((await readdir(out)).sort()).toEqual(["figures", "report.html", "report.json", "tables", "world.json"]);
    expect((await readdir(join(out, "tables"))).sort()).toEqual(["noise-map.csv", "noise-measures.csv", "world.csv"]);
    const found = JSON.parse(await readFile(join(out, "world.json"), "utf8")) as WorldStudy;
    expect(found.curves[0]!.points.map(({ value }) => value)).toEqual([0, 0.125, 0.25, 0.5, 1, 2]);
    expect(stdout).toContain(
      "Held-out R² of the fitted map, from the first to the last value of each knob: noise from 1",
    );
    expect(stdout).toContain("SVCCA");
  });

  test("refuses no folder, an unknown knob and counts out of range, before any work", async () => {
    const refuse = async (argv: string[]): Promise<string> => (await run(["study", "world", ...argv])).stderr;
    expect(await refuse([])).toContain("study world: expected -o DIR, got none");
    expect(await refuse(["--knobs", "nose", "-o", join(folder.path, "x")])).toContain("did you mean noise?");
    expect(await refuse(["--worlds", "0", "-o", join(folder.path, "x")])).toContain(
      "--worlds: expected a whole number",
    );
    expect(await refuse(["--max-rows", "30", "-o", join(folder.path, "x")])).toContain("from 40 to 5000, got 30");
    expect(await refuse(["demo:s", "-o", join(folder.path, "x")])).toContain(
      "study world: expected study world -o DIR",
    );
  });
});
