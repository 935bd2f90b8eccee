import { describe, expect, test } from "vitest";
import { createProgress, renderProgress } from "../../src/cli/progress.ts";
import { fakeEffects } from "./fake-effects.ts";

const bytes = (done: number) => ({ label: "fetching a.gguf", done, total: 1000_000, unit: "bytes" });

describe("renderProgress(state, elapsedMs, doneSince, bar)", () => {
  test("gives share, amount, rate and time left, and counts only what this run did", () => {
    // 750 kB were there, 50 kB came in 2 s: 25 kB/s, and 200 kB are left, 8 s.
    expect(renderProgress(bytes(800_000), 2000, 50_000, true)).toBe(
      "fetching a.gguf  [################····]   80 %  800 kB/1.00 MB  25.0 kB/s  8 s left",
    );
  });

  test("says what it can while the total is not known", () => {
    const state = { label: "reading", done: 40, total: undefined, unit: "rows" };
    expect(renderProgress(state, 2000, 40, true)).toBe("reading  40 rows  20/s");
    expect(renderProgress(state, 0, 0, true)).toBe("reading  40 rows");
  });
});

describe("createProgress(effects)", () => {
  test("redraws in place on a terminal, no more than every 100 ms, within its width, and clears", () => {
    const { effects, err } = fakeEffects({ isTerminal: { stdout: true, stderr: true }, columns: 40 });
    const progress = createProgress(effects);
    for (let i = 0; i < 20; i += 1) progress.update(bytes(i * 1000));
    progress.note("a note");
    progress.update(bytes(1000_000));
    progress.finish();
    const drawn = err.filter((text) => text.startsWith("fetching"));
    // The fake clock moves 50 ms a look: every second update is shown, and the last.
    expect(drawn).toHaveLength(11);
    expect(drawn.every((text) => text.length < 40)).toBe(true);
    expect(err.join("")).toContain("\r\x1b[2Ka note\n");
    expect(err.at(-1)).toBe("\r\x1b[2K");
  });

  test("prints a line every ten seconds and at the end where there is no terminal", () => {
    const { effects, err } = fakeEffects();
    const progress = createProgress(effects);
    for (let i = 0; i <= 500; i += 1) progress.update(bytes(i * 2000));
    progress.finish();
    expect(err).toHaveLength(3);
    expect(err[0]).toContain("40 %");
    expect(err[2]).toContain("100 %");
    expect(err.join("").replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
  });

  test("says nothing when silent", () => {
    const { effects, err } = fakeEffects({ isTerminal: { stdout: true, stderr: true } });
    const progress = createProgress(effects, { silent: true });
    progress.update(bytes(5));
    progress.note("a note");
    progress.finish();
    expect(err).toEqual([]);
  });
});
