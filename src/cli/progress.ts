import type { Effects } from "./effects.ts";
import { toPlainText } from "./plain-text.ts";
import { formatBytes, formatDuration } from "./units.ts";

/** Where a piece of work stands. `total` is undefined while it is not known. */
export interface ProgressState {
  readonly label: string;
  readonly done: number;
  readonly total: number | undefined;
  /** What is counted: `bytes` are shown as kB, MB, …; any other word as it is. */
  readonly unit: string;
  /** What else there is to say of it now, at the end of the line. */
  readonly detail?: string;
}

/** Shows the state of long work on stderr. */
export interface Progress {
  update(state: ProgressState): void;
  /** Says something that stays, above the bar. */
  note(text: string): void;
  /** Removes the bar. */
  finish(): void;
}

const redrawMs = 100;
const sparseMs = 10_000;

/**
 * Shows progress with share, rate and time left: on a terminal as a bar redrawn in place at most ten times a second, else as a line
 * every ten seconds and one when a piece of work is done. `silent` (for `--quiet` and `--json`) shows neither bar nor notes.
 *
 * The rate is that since the first update of a label, so that bytes fetched in an earlier run do not count.
 */
export function createProgress(effects: Effects, { silent = false }: { readonly silent?: boolean } = {}): Progress {
  if (silent) return { update: () => undefined, note: () => undefined, finish: () => undefined };
  const { stderr, clock, columns, isTerminal } = effects;
  const bar = isTerminal.stderr;
  let started: { label: string; at: number; done: number } | undefined;
  let shownAt = -Infinity;
  let drawn = false;
  const erase = () => {
    if (drawn) stderr.write("\r\x1b[2K");
    drawn = false;
  };
  return {
    update(state) {
      const now = clock();
      if (started?.label !== state.label) {
        started = { label: state.label, at: now, done: state.done };
        shownAt = bar ? -Infinity : now;
      }
      const complete = state.total !== undefined && state.done >= state.total;
      if (now - shownAt < (bar ? redrawMs : sparseMs) && !complete) return;
      shownAt = now;
      const line = renderProgress(state, now - started.at, state.done - started.done, bar);
      if (!bar) {
        stderr.write(`${line}\n`);
        if (complete) started = undefined;
        return;
      }
      erase();
      // A line longer than the terminal would wrap and could not be redrawn in place.
      stderr.write(line.slice(0, Math.max(20, columns - 1)));
      drawn = true;
    },
    note(text) {
      erase();
      stderr.write(`${toPlainText(text)}\n`);
    },
    finish: erase,
  };
}

/** One line: label, bar, share, amount, rate, time left. */
export function renderProgress(state: ProgressState, elapsedMs: number, doneSince: number, bar: boolean): string {
  const { label, done, total, unit } = state;
  const amount = (value: number) => (unit === "bytes" ? formatBytes(value) : `${Math.round(value)}`);
  const share = total === undefined || total <= 0 ? undefined : Math.min(1, done / total);
  const parts = [label];
  if (share !== undefined) {
    if (bar) parts.push(`[${"#".repeat(Math.round(share * 20)).padEnd(20, "·")}]`);
    parts.push(`${Math.floor(share * 100)} %`.padStart(5));
  }
  const suffix = unit === "bytes" ? "" : ` ${unit}`;
  parts.push(total === undefined ? `${amount(done)}${suffix}` : `${amount(done)}/${amount(total)}${suffix}`);
  const rate = elapsedMs > 0 ? doneSince / (elapsedMs / 1000) : 0;
  if (rate > 0) {
    parts.push(
      unit === "bytes" ? `${formatBytes(rate)}/s` : `${rate >= 10 ? Math.round(rate) : rate.toPrecision(2)}/s`,
    );
    if (total !== undefined && done < total) parts.push(`${formatDuration(((total - done) / rate) * 1000)} left`);
  }
  if (state.detail !== undefined) parts.push(state.detail);
  return parts.join("  ");
}
