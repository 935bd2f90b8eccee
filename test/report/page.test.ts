import { parseHTML } from "linkedom";
import { describe, expect, test } from "vitest";
import { findWarnings } from "../../src/report/find-warnings.ts";
import { renderPage } from "../../src/report/page.ts";
import { formatStudy, parseStudy, type Study } from "../../src/report/study.ts";
import { madeUpStudy } from "./made-up-study.ts";

const study = madeUpStudy();

/** Every string of a value replaced, so that no field can be forgotten. */
function replaceStrings(value: unknown, text: string): unknown {
  if (typeof value === "string") return text;
  if (Array.isArray(value)) return value.map((entry) => replaceStrings(entry, text));
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, replaceStrings(entry, text)]));
  return value;
}

/** A study in which every text that may come from a model, a file or a user is hostile; words that the format fixes stay. */
function hostileStudy(text: string): Study {
  const hostile = replaceStrings(study, text) as Study;
  return {
    ...hostile,
    maps: hostile.maps.map((map, m) => ({
      ...map,
      sources: map.sources.map((end, k) => ({ ...end, site: study.maps[m]!.sources[k]!.site })),
      target: { ...map.target, site: study.maps[m]!.target.site },
    })),
    concepts: hostile.concepts.map((concept, k) => ({
      ...concept,
      comparison: {
        ...concept.comparison,
        verdict: { code: study.concepts[k]!.comparison.verdict.code, text },
      },
      texts: concept.texts && {
        ...concept.texts,
        rows: concept.texts.rows.map((row, r) => ({ ...row, vector: study.concepts[k]!.texts!.rows[r]!.vector })),
      },
    })),
  };
}

describe("renderPage", () => {
  const html = renderPage(study);
  const { document } = parseHTML(html);

  test("is self-contained: no scripts, nothing fetched, and a policy that forbids both", () => {
    expect(html.startsWith("<!doctype html>")).toBe(true);
    expect(document.querySelectorAll("script, link, img, iframe, object, embed, form")).toHaveLength(0);
    expect(html).not.toMatch(/\bsrc=|url\(|@import/);
    for (const link of document.querySelectorAll("a")) expect(link.getAttribute("href")).toMatch(/^#/);
    const policy = document.querySelector('meta[http-equiv="Content-Security-Policy"]');
    expect(policy?.getAttribute("content")).toContain("default-src 'none'");
  });

  test("every link leads to a place on the page, and every place has one name", () => {
    const ids = [...document.querySelectorAll("main [id]")].map((element) => element.getAttribute("id"));
    expect(new Set(ids).size).toBe(ids.length);
    for (const link of document.querySelectorAll("a")) expect(ids).toContain(link.getAttribute("href")?.slice(1));
  });

  test("shows each concept with its verdict, its plots, a row for every strength and its texts", () => {
    for (const [k, concept] of study.concepts.entries()) {
      expect(document.querySelector(`#concept-${k + 1}`)?.textContent).toBe(concept.name);
      expect(document.querySelector("main")?.textContent).toContain(concept.comparison.verdict.text);
    }
    // Three plots a concept, one more where texts were generated, the scores of both maps and the learning curve of one.
    expect(document.querySelectorAll("svg")).toHaveLength(3 * 4 + 2 + 2 + 1);
    expect([...document.querySelectorAll(".texts")]).toHaveLength(2 * 2);
    expect(document.querySelector("main")?.textContent).toContain("Elle a vu un grand chien.");
  });

  test("the numbers stand under their titles", () => {
    const table = document.querySelector("#results ~ .table table");
    const cells = [...table!.querySelectorAll("tbody tr:first-child > *")].map((cell) => cell.textContent);
    const { z, movedRight } = study.concepts[0]!.comparison;
    expect([...table!.querySelectorAll("thead th")].map((cell) => cell.textContent)).toHaveLength(cells.length);
    expect(cells[0]).toBe("French");
    expect(cells[2]).toBe("1:1");
    expect(cells[3]).toBe(`${z.transferred!.toFixed(1)} (${z.native!.toFixed(1)})`);
    expect(cells[6]).toContain(`${Math.round(100 * movedRight.transferred.value!)}\u00a0%`);
    expect(cells[7]).toBe("0.72");
  });

  test("every map has a column of scores, named by its layers and the concepts it carries", () => {
    const table = document.querySelector("#map ~ .table table");
    const rows = [...table!.querySelectorAll("tr")].map((row) =>
      [...row.querySelectorAll("th, td")].map((cell) => cell.textContent),
    );
    expect(rows[0]).toEqual(["layers, small:large", "1:1", "1:3"]);
    expect(document.querySelector("main")?.textContent).toContain(
      "1:1 carries French, past tense; 1:3 carries dog, indoors.",
    );
    const cells = new Map(rows.map(([title, ...rest]) => [title, rest]));
    expect(cells.get("the map: R²")).toEqual(["0.437", "0.362"]);
    expect(cells.get("mean state: R² (cosine)")).toEqual(["0.000 (0.41)", "0.000 (0.41)"]);
    // What one of the maps does not have is not made up for it.
    expect(cells.get("directions used")).toEqual(["41 of 192", "–"]);
    expect(cells.has("untrained: R² (cosine)")).toBe(false);
    expect(document.querySelector("main")?.textContent).toContain("another may add less than 0.01");
    expect([...document.querySelectorAll("p.lead")].map((lead) => lead.textContent).join()).toContain("layers 1:3");
  });

  test("a study of one map calls it the map, and names no layers where there is nothing to tell apart", () => {
    const [map] = study.maps;
    const one = parseHTML(
      renderPage({ ...study, maps: [map!], concepts: study.concepts.map((concept) => ({ ...concept, map: 0 })) }),
    ).document;
    expect(one.querySelector("#map")?.textContent).toBe("The map");
    expect(document.querySelector("#map")?.textContent).toBe("The maps");
    expect(one.querySelector("#map ~ .table thead")?.textContent).toContain("1:1");
    expect(one.querySelector("main")?.textContent).not.toContain(" carries ");
    expect(one.querySelector(".warnings")?.textContent).toContain("of the map:");
    expect(document.querySelector(".warnings")?.textContent).toContain("of the map 1:3:");
  });

  test("a concept whose map is not there is an error that names it", () => {
    const [concept] = study.concepts;
    expect(() => renderPage({ ...study, concepts: [{ ...concept!, map: 2 }] })).toThrow(
      "concept French: map: expected a map's place from 0 to 1, got 2",
    );
  });

  test("text from models, files and users cannot become markup, wherever it stands", () => {
    for (const text of [
      `<script>alert(1)</script>`,
      `"><img src=x onerror=alert(1)>`,
      `'><svg onload=alert(1)>`,
      `</style><script>alert(1)</script>`,
      `</title><script>alert(1)</script>`,
      `$&<script>$'`,
    ]) {
      const page = renderPage(hostileStudy(text));
      const { document: parsed } = parseHTML(page);
      expect(parsed.querySelectorAll("script, img, [onload], [onerror]")).toHaveLength(0);
      expect(page).not.toContain("<script");
      expect(page).not.toContain("<img");
      expect(page).not.toContain("<svg onload");
      // The same drawings and tables as the harmless study: nothing broke out of its place.
      expect(parsed.querySelectorAll("svg")).toHaveLength(document.querySelectorAll("svg").length);
      expect(parsed.querySelectorAll("td")).toHaveLength(document.querySelectorAll("td").length);
    }
  });

  test("is the same for the same study, and after a trip through JSON", () => {
    expect(renderPage(madeUpStudy())).toBe(html);
    expect(renderPage(parseStudy(formatStudy(study), "study.json"))).toBe(html);
  });

  test("a study without concepts, texts, dates or native cosine still renders", () => {
    const { question: _question, createdAt: _createdAt, elapsedMs: _elapsedMs, ...rest } = study;
    const bare = renderPage({ ...rest, concepts: [] });
    expect(bare).toContain("Of 0 concepts, none was tested.");
    expect(renderPage({ ...study, concepts: [{ ...study.concepts[0]!, cosine: null, texts: null }] })).not.toMatch(
      /NaN|undefined|\[object/,
    );
    expect(html).not.toMatch(/NaN|undefined|\[object/);
  });

  test("different tokenizers are not called equal", () => {
    const target = { ...study.target, tokenizerFingerprint: "other" };
    expect(renderPage({ ...study, target })).toContain("Their tokenizers differ");
    expect(html).toContain("the same fingerprint, fedcba987654");
  });
});

describe("findWarnings", () => {
  test("says what the study's own numbers do not support", () => {
    const map = study.maps[0]!;
    const poor: Study = {
      ...study,
      maps: [
        {
          ...map,
          fit: { ...map.fit, rows: { ...map.fit.rows, train: 500 } },
          scores: {
            ...map.scores,
            r2Interval: { ...map.scores.r2Interval, low: 0.001 },
            tokenIdentity: { ...map.scores.tokenIdentity, beyond: 0.01 },
          },
        },
        study.maps[1]!,
      ],
      concepts: study.concepts.map((concept) => ({
        ...concept,
        comparison: { ...concept.comparison, items: 8, randomDirections: 5 },
        texts: concept.texts && {
          ...concept.texts,
          rows: concept.texts.rows.map((row) =>
            row.vector === "native" && row.strength === 0.5
              ? { ...row, effect: { ...row.effect, lossNats: 4.4 } }
              : row,
          ),
        },
      })),
    };
    const text = findWarnings(poor).join("\n");
    expect(text).toContain("3.9 rows per source dimension");
    expect(text).toContain("R² of the map 1:1 is not clearly above its nulls");
    expect(text).not.toContain("R² of the map 1:3 is not");
    expect(text).toContain("Beyond the identity of the current token the map 1:1 explains 0.01");
    expect(text).toContain("French: 8 items");
    expect(text).toContain("French: 5 random directions");
    expect(text).toContain("French: at strength 0.50 the native vector ruins the text");
    expect(text).toContain("indoors: these items cannot judge the transfer");
  });

  test("has nothing to add to a sound study but what it cannot judge and what the token alone explains", () => {
    expect(findWarnings(study)).toHaveLength(4);
    expect(findWarnings(study).filter((text) => text.includes("table by token id"))).toHaveLength(2);
  });
});

describe("parseStudy", () => {
  const asFile = (value: unknown): string => JSON.stringify(value);

  test("reads a study of version 1, whose only map carried every concept, from one site or several", () => {
    const { maps, concepts, ...rest } = study;
    const { sources, ...map } = maps[0]!;
    const before = { ...rest, version: 1, concepts: concepts.map(({ map: _map, ...concept }) => concept) };
    const now = { ...rest, maps: [maps[0]], concepts: concepts.map((concept) => ({ ...concept, map: 0 })) };
    expect(parseStudy(asFile({ ...before, map: maps[0] }), "s.json")).toEqual(JSON.parse(asFile(now)));
    const one = asFile({ ...before, map: { ...map, source: sources[0] } });
    expect(parseStudy(one, "s.json")).toEqual(JSON.parse(asFile(now)));
    expect(renderPage(parseStudy(one, "s.json"))).toBe(renderPage(now as Study));
    expect(() => parseStudy(asFile({ ...before, map }), "s.json")).toThrow(
      "s.json: map: expected a map with its source",
    );
    expect(() => parseStudy(asFile(before), "s.json")).toThrow("s.json: map: expected an object");
  });

  test("refuses what is not a study, naming the file and the part", () => {
    expect(() => parseStudy("{", "s.json")).toThrow("s.json: expected a study as JSON");
    expect(() => parseStudy("null", "s.json")).toThrow("s.json: expected a study");
    expect(() => parseStudy('{"format":"other"}', "s.json")).toThrow('expected a study ("format": "trimtab-study")');
    expect(() => parseStudy(asFile({ ...study, version: 3 }), "s.json")).toThrow("got version 3");
    expect(() => parseStudy(asFile({ ...study, source: 3 }), "s.json")).toThrow("s.json: source: expected an object");
    expect(() => parseStudy(asFile({ ...study, maps: {} }), "s.json")).toThrow("s.json: maps: expected a list");
    expect(() => parseStudy(asFile({ ...study, maps: [] }), "s.json")).toThrow(
      "s.json: maps: expected at least one map",
    );
    expect(() => parseStudy(asFile({ ...study, maps: [study.maps[0], {}] }), "s.json")).toThrow(
      "s.json: maps[1]: expected a map with its source sites and its target",
    );
    expect(() => parseStudy(asFile({ ...study, concepts: {} }), "s.json")).toThrow("s.json: concepts: expected a list");
    const [concept] = study.concepts;
    for (const map of [2, -1, 0.5, "0", "length", null, undefined])
      expect(() => parseStudy(asFile({ ...study, concepts: [concept, { ...concept, map }] }), "s.json")).toThrow(
        "s.json: concepts[1].map: expected a map's place from 0 to 1",
      );
  });
});
