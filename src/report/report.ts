import type { RunRecord } from "../evaluate/run-record.ts";
import type { VerdictCode } from "../evaluate/verdict.ts";
import type { DataTable } from "./data-table.ts";

/** A figure with everything a reader needs to check it: its numbers, how many there are, the seed, what the intervals are. */
export interface ReportFigure {
  /** Unique in the report: letters, digits and dashes. */
  readonly id: string;
  readonly title: string;
  /** What is seen and how to read it, a sentence or two. */
  readonly says: string;
  /** The drawing; none where only the table is shown. */
  readonly svg?: string;
  readonly table: DataTable;
  /** n, seed and kind of interval. */
  readonly basis: string;
}

/** Texts under one heading, to be read side by side. */
export interface TextGroup {
  readonly prompt: string;
  readonly texts: readonly { readonly title: string; readonly style: string; readonly text: string }[];
}

/** A part of the report: one task, the maps, the sweep. */
export interface ReportSection {
  readonly id: string;
  readonly title: string;
  readonly lead: string;
  readonly verdict?: { readonly code: VerdictCode; readonly text: string };
  readonly figures: readonly ReportFigure[];
  readonly texts?: { readonly note: string; readonly groups: readonly TextGroup[] };
  readonly notes: readonly string[];
}

/** All of a run folder, ready to be shown: plain data, of which the page, the JSON and the CSV are made. */
export interface Report {
  readonly format: "trimtab-report";
  readonly version: 1;
  readonly run: RunRecord;
  /** Three sentences made from the numbers. */
  readonly answer: readonly [string, string, string];
  readonly warnings: readonly string[];
  readonly sections: readonly ReportSection[];
}
