import { describe, expect, test } from "vitest";
import { escapeHtml } from "../../src/report/escape-html.ts";
import {
  formatCount,
  formatInterval,
  formatNumber,
  formatPercent,
  formatPercentInterval,
  formatShortCount,
  formatSigned,
} from "../../src/report/format-number.ts";
import { toStrengthTable } from "../../src/report/strength-table.ts";
import { renderHtmlTable, renderTable } from "../../src/report/table.ts";
import { madeUpStudy } from "./made-up-study.ts";

describe("renderTable", () => {
  test("puts numbers flush right and text flush left under a rule", () => {
    const text = renderTable(
      [{ title: "concept" }, { title: "z", align: "right" }],
      [
        ["French", "15.2"],
        ["past tense", "−4.0"],
      ],
    );
    expect(text).toBe(["concept        z", "──────────  ────", "French      15.2", "past tense  −4.0"].join("\n"));
  });

  test("counts wide characters as two columns and keeps a model's control characters from the terminal", () => {
    const text = renderTable([{ title: "text" }, { title: "n", align: "right" }], [["犬\u001b[2J\n", "1"]]);
    expect(text.split("\n")[2]).toBe("犬 [2J   1");
    expect(text).not.toContain("\u001b");
    expect(text.split("\n")).toHaveLength(3);
  });

  test("a row with a cell too few is refused, not shown under the wrong titles", () => {
    expect(() => renderTable([{ title: "a" }, { title: "b" }], [["1"]])).toThrow(
      "internal: table row: expected 2 cells, got 1",
    );
    expect(() => renderHtmlTable([{ title: "a" }], [["1", "2"]])).toThrow("expected 1 cells, got 2");
  });
});

describe("renderHtmlTable", () => {
  test("escapes titles, cells and the caption", () => {
    const html = renderHtmlTable([{ title: "<b>" }], [["<script>alert(1)</script>"]], "a & b");
    expect(html).toContain("&lt;b&gt;");
    expect(html).toContain("&lt;script&gt;");
    expect(html).toContain("a &amp; b");
    expect(html).not.toContain("<script");
  });
});

describe("escapeHtml", () => {
  test("leaves nothing that ends a text, an attribute or a page", () => {
    expect(escapeHtml(`<&>"'`)).toBe("&lt;&amp;&gt;&quot;&#39;");
    expect(escapeHtml("a\u0000b\u001bc\nd\u0085")).toBe("a�b�c\nd�");
  });
});

describe("format numbers", () => {
  test("formatNumber uses a true minus, no minus zero, and a dash where nothing is defined", () => {
    expect(formatNumber(-1.236)).toBe("−1.24");
    expect(formatNumber(-0.001)).toBe("0.00");
    expect(formatNumber(null)).toBe("–");
    expect(formatNumber(Number.NaN)).toBe("–");
    expect(formatNumber(Number.POSITIVE_INFINITY)).toBe("–");
  });

  test("formatSigned marks what rose, and nothing that rounds to zero", () => {
    expect(formatSigned(0.5)).toBe("+0.50");
    expect(formatSigned(0.001)).toBe("0.00");
    expect(formatSigned(-0.5)).toBe("−0.50");
    expect(formatSigned(null)).toBe("–");
  });

  test("shares, intervals and counts read as people write them", () => {
    expect(formatPercent(0.966)).toBe("97\u00a0%");
    expect(formatPercent(null)).toBe("–");
    expect(formatPercentInterval({ low: 0.011, high: 0.13 })).toBe("1 to 13\u00a0%");
    expect(formatInterval({ low: -0.1, high: 0.3 })).toBe("−0.10 to 0.30");
    expect(formatInterval(null)).toBe("–");
    expect(formatCount(1234567)).toBe("1\u202f234\u202f567");
    expect([630_000, 3_250_000, 9_241_705_984, 12].map(formatShortCount)).toEqual(["630K", "3.25M", "9.24B", "12"]);
  });
});

describe("toStrengthTable(comparison)", () => {
  test("has a row for every strength, each number under its title, dashes where random directions were not run", () => {
    const { comparison } = madeUpStudy().concepts[0]!;
    const { columns, rows } = toStrengthTable(comparison);
    expect(rows.map((row) => row[0])).toEqual(["−0.75", "−0.50", "−0.25", "+0.25", "+0.50", "+0.75"]);
    expect(rows[4]![2]).toBe(`+${comparison.strengths[4]!.transferred.change.toFixed(2)}`);
    expect(rows.map((row) => row[3] === "–")).toEqual([true, false, true, true, false, true]);
    expect(columns[7]!.title).toBe("Δr");
    expect(rows[4]![7]).toBe(comparison.strengths[4]!.deltaCorrelation!.toFixed(2));
    // Every line as wide as the rule at most: the numbers stand in columns.
    const [, rule, ...lines] = renderTable(columns, rows).split("\n");
    for (const line of lines) expect(line.length).toBe(rule!.length);
  });
});
