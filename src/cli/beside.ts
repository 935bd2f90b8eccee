/**
 * Renders two texts in columns beside each other, wrapped at words, each under its title. Control characters become spaces, so that
 * text from a model cannot move the cursor.
 */
export function renderBeside(
  titles: readonly [string, string],
  texts: readonly [string, string],
  columns: number,
): string {
  const width = Math.max(24, Math.floor((Math.min(columns, 160) - 3) / 2));
  const [left, right] = [0, 1].map((side) => [
    ...wrapLines(titles[side]!, width),
    "─".repeat(width),
    ...wrapLines(texts[side]!, width),
  ]) as [string[], string[]];
  // Titles may wrap to different heights; the rules should still meet.
  const heights = titles.map((title) => wrapLines(title, width).length);
  const most = Math.max(...heights);
  left.splice(heights[0]!, 0, ...Array<string>(most - heights[0]!).fill(""));
  right.splice(heights[1]!, 0, ...Array<string>(most - heights[1]!).fill(""));
  const lines = Array.from({ length: Math.max(left.length, right.length) }, (_, i) =>
    `${(left[i] ?? "").padEnd(width)} │ ${right[i] ?? ""}`.trimEnd(),
  );
  return `${lines.join("\n")}\n`;
}

/** Breaks a text into lines of at most `width` characters, at spaces where there are any. */
export function wrapLines(text: string, width: number): string[] {
  return text.split("\n").flatMap((paragraph) => {
    const lines: string[] = [];
    let line = "";
    for (const word of paragraph.replaceAll(/\p{Cc}+/gu, " ").split(" ")) {
      const joined = line === "" ? word : `${line} ${word}`;
      if (joined.length <= width) {
        line = joined;
        continue;
      }
      if (line !== "") lines.push(line);
      line = word;
      while (line.length > width) {
        lines.push(line.slice(0, width));
        line = line.slice(width);
      }
    }
    return [...lines, line];
  });
}
