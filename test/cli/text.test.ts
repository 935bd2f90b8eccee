import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { renderBeside, wrapLines } from "../../src/cli/beside.ts";
import { formatLayers, parseLayers } from "../../src/cli/layer-range.ts";
import { renderList } from "../../src/cli/list.ts";
import { formatBytes, formatDuration } from "../../src/cli/units.ts";

describe("units", () => {
  test.each([
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1.00 kB"],
    [999_400, "999 kB"],
    [999_600, "1.00 MB"],
    [12_345_678, "12.3 MB"],
    [7.2e9, "7.20 GB"],
  ])("formatBytes(%d) is %s", (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  test.each([
    [-5, "0 s"],
    [59_400, "59 s"],
    [59_600, "1 min 00 s"],
    [125_000, "2 min 05 s"],
    [12_000_000, "3 h 20 min"],
  ])("formatDuration(%d) is %s", (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });
});

describe("parseLayers(text)", () => {
  test("reads one, a range with both ends, and lists", () => {
    expect(parseLayers("12", "x")).toEqual([12]);
    expect(parseLayers("1-3", "x")).toEqual([1, 2, 3]);
    expect(parseLayers("5-7,1,6", "x")).toEqual([1, 5, 6, 7]);
  });

  test.each(["", "a", "3-1", "1-", "-1", "1,,2", "1.5", "99999"])("refuses %j", (text) => {
    expect(() => parseLayers(text, "x")).toThrow(expect.objectContaining({ code: "usage" }));
  });

  test("formatLayers is its inverse", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(60), { minLength: 1 }), (list) => {
        const layers = list.sort((a, b) => a - b);
        expect(parseLayers(formatLayers(layers), "x")).toEqual(layers);
      }),
    );
  });
});

describe("renderBeside(titles, texts, columns)", () => {
  test("puts wrapped texts into two columns under their titles", () => {
    const text = renderBeside(["one", "two"], ["aaa ".repeat(20).trim(), "b"], 53);
    const lines = text.trimEnd().split("\n");
    expect(lines[0]).toBe(`one${" ".repeat(22)} │ two`);
    expect(lines[2]).toBe(`${"aaa ".repeat(6).trim().padEnd(25)} │ b`);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(53);
  });

  test("wrapLines(text, width) loses nothing but spaces at line ends and control characters", () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 30 }), (text, width) => {
        const lines = wrapLines(text, width);
        expect(lines.every((line) => line.length <= width)).toBe(true);
        const bare = (given: string) => given.replaceAll(/[\s\p{Cc}]/gu, "");
        expect(bare(lines.join(""))).toBe(bare(text));
      }),
    );
  });

  test("lets no text move the cursor", () => {
    const text = renderBeside(["a", "b"], ["x\x1b[2Jy\rz", "\x07"], 80);
    expect(text.replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
  });
});

test("renderList(rows) lets no name from a stranger's file move the cursor", () => {
  expect(renderList([["model", "a\x1b]0;title\x07\r\x9bb"]])).toBe("model  a ]0;title   b\n");
});

test("renderList(rows) aligns values and keeps further lines in their column", () => {
  expect(
    renderList([
      ["a", "1"],
      ["long", "2\n3"],
    ]),
  ).toBe("a     1\nlong  2\n      3\n");
});
