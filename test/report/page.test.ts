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
    map: {
      ...hostile.map,
      sources: hostile.map.sources.map((end, k) => ({ ...end, site: study.map.sources[k]!.site })),
      target: { ...hostile.map.target, site: study.map.target.site },
    },
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
    // Three plots a concept, one more where texts were generated, and the map's.
    expect(document.querySelectorAll("svg")).toHaveLength(3 * 4 + 2 + 1);
    expect([...document.querySelectorAll(".texts")]).toHaveLength(2 * 2);
    expect(document.querySelector("main")?.textContent).toContain("Elle a vu un grand chien.");
  });

  test("the numbers stand under their titles", () => {
    const [table] = document.querySelectorAll(".table table");
    const cells = [...table!.querySelectorAll("tbody tr:first-child > *")].map((cell) => cell.textContent);
    const { z, movedRight } = study.concepts[0]!.comparison;
    expect([...table!.querySelectorAll("thead th")].map((cell) => cell.textContent)).toHaveLength(cells.length);
    expect(cells[0]).toBe("French");
    expect(cells[2]).toBe(`${z.transferred!.toFixed(1)} (${z.native!.toFixed(1)})`);
    expect(cells[5]).toContain(`${Math.round(100 * movedRight.transferred.value!)}\u00a0%`);
    expect(cells[6]).toBe("0.72");
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
    const { map } = study;
    const poor: Study = {
      ...study,
      map: {
        ...map,
        fit: { ...map.fit, rows: { ...map.fit.rows, train: 500 } },
        scores: {
          ...map.scores,
          r2Interval: { ...map.scores.r2Interval, low: 0.001 },
          tokenIdentity: { ...map.scores.tokenIdentity, beyond: 0.01 },
        },
      },
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
    expect(text).toContain("not clearly above its nulls");
    expect(text).toContain("Beyond the identity of the current token the map explains 0.01");
    expect(text).toContain("French: 8 items");
    expect(text).toContain("French: 5 random directions");
    expect(text).toContain("French: at strength 0.50 the native vector ruins the text");
    expect(text).toContain("indoors: these items cannot judge the transfer");
  });

  test("has nothing to add to a sound study but what it cannot judge and what the token alone explains", () => {
    expect(findWarnings(study)).toHaveLength(3);
    expect(findWarnings(study).filter((text) => text.includes("table by token id"))).toHaveLength(1);
  });
});

describe("parseStudy", () => {
  test("reads a study from before maps could start from several sites", () => {
    const { sources, ...map } = study.map;
    const old = { ...study, map: { ...map, source: sources[0] } };
    expect(parseStudy(JSON.stringify(old), "s.json").map.sources).toEqual(JSON.parse(JSON.stringify(sources)));
    expect(() => parseStudy(JSON.stringify({ ...study, map }), "s.json")).toThrow(
      "s.json: map: expected its source sites",
    );
  });

  test("refuses what is not a study, naming the file and the part", () => {
    expect(() => parseStudy("{", "s.json")).toThrow("s.json: expected a study as JSON");
    expect(() => parseStudy("null", "s.json")).toThrow("s.json: expected a study");
    expect(() => parseStudy('{"format":"other"}', "s.json")).toThrow('expected a study ("format": "trimtab-study")');
    expect(() => parseStudy(JSON.stringify({ ...study, version: 2 }), "s.json")).toThrow("got version 2");
    expect(() => parseStudy(JSON.stringify({ ...study, map: 3 }), "s.json")).toThrow("s.json: map: expected an object");
    expect(() => parseStudy(JSON.stringify({ ...study, concepts: {} }), "s.json")).toThrow(
      "s.json: concepts: expected a list",
    );
  });
});
