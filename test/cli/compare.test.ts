import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { type AnchorStudy, demoData, type LikenessStudy } from "../../src/index.ts";
import { temporaryFolder } from "../formats/temporary-folder.ts";
import { type Ran, run } from "./fake-effects.ts";

const folder = temporaryFolder();
const at = (name: string): string => join(folder.path, name);
const small = ["--context", "64", "--threads", "1", "--quiet"];
const quick = ["linear-cka-debiased", "relative-cosine", "relative-readout", "find-cosine", "functional-overlap"];
const read = <T>(name: string): T => JSON.parse(readFileSync(at(name), "utf8")) as T;

describe("compare SOURCE TARGET", () => {
  let self: Ran;
  beforeAll(async () => {
    const words = [
      "compare",
      "demo:xs",
      "demo:xs",
      "--layers",
      "1:1",
      "--rows",
      "250",
      "--shuffles",
      "4",
      "--measures",
      quick.join(","),
    ];
    self = await run([...words, ...small, "--anchors", "20", "--intervals", "-o", at("self")]);
  });

  test("finds a model equal to itself by every measure, far above shuffled rows and an untrained copy", () => {
    expect(self.status, self.stderr).toBe(0);
    const { cells, rows, measures } = read<LikenessStudy>("self/likeness.json");
    expect(measures.map(({ name }) => name).sort()).toEqual([...quick].sort());
    expect(rows).toMatchObject({ drawn: 250, alignment: "ids" });
    expect(new Set(cells.map(({ of }) => of))).toEqual(new Set(["states", "beyond"]));
    for (const { measure, of, value, shuffled, untrained, interval } of cells) {
      // The same numbers on both sides: equal to rounding, and so is every part of the documents. Stories that begin alike share a few rows,
      // which find each other as well as themselves.
      const exact = measure === "find-cosine" ? 1 : 6;
      expect(value, `${measure} ${of}`).toBeCloseTo(1, exact);
      expect(interval!.low, measure).toBeCloseTo(1, exact);
      expect(shuffled.mean!, measure).toBeLessThan(0.6);
      expect(untrained!, measure).toBeLessThan(0.9);
    }
  });

  test("writes a page with a figure for the states and for what is beyond the token, and says what it found", () => {
    for (const file of ["report.html", "report.json", "figures/states.svg", "figures/beyond.svg", "tables/states.csv"])
      expect(existsSync(at(`self/${file}`)), file).toBe(true);
    expect(self.stdout).toMatch(/^relative rows, cosine {2,}1\.000 /m);
    expect(self.stdout).toContain("On the states as they are 5 of 5 measures stand clear of rows paired at random");
    expect(self.stdout).toMatch(/250 rows of \d+ documents of corpus\.jsonl\.gz, drawn from \d/);
  });

  test("of several layer pairs draws heat maps, and pairs rows of two tokenizers by spans, saying so", async () => {
    const words = [
      "compare",
      "demo:xs1k",
      "demo:xs",
      "--layers",
      "0,2:all",
      "--rows",
      "120",
      "--shuffles",
      "2",
      "--measures",
    ];
    const ran = await run([
      ...words,
      "find-cosine",
      "--skip-untrained",
      "--skip-beyond",
      ...small.slice(0, 4),
      "-o",
      at("grid"),
    ]);
    expect(ran.status, ran.stderr).toBe(0);
    expect(ran.stderr).toContain("have different tokenizers: rows are paired where a token of each model ends");
    const { cells, layers, rows } = read<LikenessStudy>("grid/likeness.json");
    expect(layers).toEqual({ source: [0, 2], target: [0, 1, 2] });
    expect(cells.map(({ source, target }) => `${source}:${target}`)).toEqual([
      "0:0",
      "0:1",
      "0:2",
      "2:0",
      "2:1",
      "2:2",
    ]);
    expect(rows.alignment).toBe("spans");
    expect(cells.every(({ untrained, interval }) => untrained === null && interval === null)).toBe(true);
    expect(readFileSync(at("grid/figures/states-find-cosine.svg"), "utf8")).toContain("best");
    expect(ran.stdout).toContain("No untrained source was compared");
  });

  test.each([
    [["compare", "demo:xs", "demo:s"], "compare: expected -o DIR, got none"],
    [["compare", "demo:xs", "-o", "x"], "compare: expected compare SOURCE TARGET"],
    [["compare", "demo:xs", "demo:s", "--measures", "find-cosin", "-o", "x"], "did you mean find-cosine?"],
    [["compare", "demo:xs", "demo:s", "--layers", "7:1", "-o", "x"], "layer"],
    [
      ["compare", "demo:xs", "demo:s", "--rows", "10", "-o", "x"],
      "--rows: expected a whole number from 50 to 5000, got 10",
    ],
    [["compare", "demo:xs", "demo:xs1k", "--align", "ids", "-o", "x"], "tokenizers: expected"],
    [
      ["study", "anchors", "demo:xs", "demo:s", "--layers", "0,1:1", "-o", "x"],
      "--layers: expected one pair of layers such as 8:12, got 2 pairs",
    ],
    [
      ["study", "anchors", "demo:xs", "demo:s", "--anchors", "3,9", "-o", "x"],
      "--anchors: expected numbers from 5 to 1500",
    ],
    [["study", "anchors", "demo:xs", "demo:s", "--concepts", "nothing", "-o", "x"], "demo data pairs/nothing.jsonl"],
  ])("%j is an error that says so", async (argv, message) => {
    const words = argv.map((word) => (word === "x" ? at("x") : word));
    const { status, stderr } = await run([...words, "--threads", "1"]);
    expect(status).not.toBe(0);
    expect(stderr).toContain(message);
    expect(existsSync(at("x"))).toBe(false);
  });

  test("more rows than the text has are refused with how many there are", async () => {
    const { status, stderr } = await run([
      ...["compare", "demo:xs", "demo:xs", "--corpus", "models/data/pairs-texts.none", "-o", at("none")],
      ...small,
    ]);
    expect(status).not.toBe(0);
    expect(stderr).toContain("pairs-texts.none");
  });
});

describe("study anchors SOURCE TARGET", () => {
  test("scores three ways by rows, directions and effects, with shuffled anchors beside them", async () => {
    const words = ["study", "anchors", "demo:xs", "demo:s", "--layers", "1:1", "--rows", "300", "--anchors", "20,60"];
    // Thirty pairs and six items: enough to say whether the way is right, not how good it is.
    for (const [part, lines] of [
      ["pairs", 30],
      ["items", 6],
    ] as const) {
      const text = readFileSync(demoData(`${part}/french.jsonl`), "utf8")
        .split("\n")
        .slice(0, lines)
        .join("\n");
      mkdirSync(at(`data/${part}`), { recursive: true });
      writeFileSync(at(`data/${part}/french.jsonl`), `${text}\n`);
    }
    const more = ["--draws", "2", "--effect-at", "60", "--concepts", "french", "--data", at("data"), "--random", "3"];
    const ran = await run([...words, ...more, "--threads", "1", "--quiet", "-o", at("anchors")]);
    expect(ran.status, ran.stderr).toBe(0);
    const { points, all, effects } = read<AnchorStudy>("anchors/anchors.json");
    expect(points.map(({ anchors, way }) => `${anchors} ${way}`)).toEqual([
      ...["20 affine", "20 functional", "20 corrected", "60 affine", "60 functional", "60 corrected"],
    ]);
    for (const { draws, shuffled, anchors } of points) {
      expect(draws.length).toBe(2);
      for (const { r2 } of draws) expect(r2, `${anchors}`).toBeLessThan(all.r2);
      for (const { r2 } of shuffled) expect(r2, `${anchors}`).toBeLessThan(0.1);
    }
    expect(all.cosine).toBeGreaterThan(0.3);
    expect(effects.map(({ anchors, way }) => `${anchors} ${way}`)).toEqual([
      ...["null affine", "60 affine", "60 functional", "60 corrected", "60 shuffled"],
    ]);
    expect(effects[0]!.cosine).toBe(all.cosines[0]);
    expect(ran.stdout).toContain("Held-out R² at each number of anchors (ridge, functional map, both) is 20: ");
    for (const file of ["report.html", "figures/r2.svg", "figures/cosine.svg", "tables/effects.csv"])
      expect(existsSync(at(`anchors/${file}`)), file).toBe(true);
  });
});
