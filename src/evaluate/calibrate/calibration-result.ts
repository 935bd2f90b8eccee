import { mismatch } from "../../errors.ts";
import type { StrengthUnit } from "../../steer/strength.ts";
import type { Estimate } from "../comparison.ts";
import { checkRunRecord, type RunRecord } from "../run-record.ts";

/** One layer and strength on the calibration side. */
export interface CalibrationPoint {
  readonly layer: number;
  readonly strength: number;
  /** Mean over units of the behaviour, less the unsteered model's; `null` if no unit has a value. */
  readonly effect: number | null;
  /** KL(unsteered ‖ steered) of the next token on the calibration side's neutral text, nats per position. */
  readonly klNats: number;
  /** At most the limit. */
  readonly isAllowed: boolean;
}

/** The chosen point on data that had no part in choosing it. */
export interface HeldOutPoint {
  /** Behaviour without steering and with it, and the difference; intervals over units. */
  readonly unsteered: Estimate;
  readonly steered: Estimate;
  readonly effect: Estimate;
  /** Interval over neutral windows. */
  readonly klNats: Estimate;
  readonly top1Agreement: number;
  /** Within the limit here too. */
  readonly isAllowed: boolean;
}

/** A layer and strength for a behaviour, how they were found, and what they do elsewhere. Plain data: JSON carries it. */
export interface CalibrationResult {
  readonly behaviour: { readonly name: string; readonly about: string };
  readonly unit: StrengthUnit;
  /** The limit on KL, nats per position. */
  readonly maxDamage: number;
  readonly seed: number;
  readonly resamples: number;
  /** Items or prompts, and neutral windows, of each side. */
  readonly calibration: { readonly units: number; readonly windows: number };
  readonly heldOut: { readonly units: number; readonly windows: number };
  /** Layers ascending, strengths ascending within. */
  readonly grid: readonly CalibrationPoint[];
  /** `null` if no point has an effect above 0 within the limit. */
  readonly chosen: CalibrationPoint | null;
  readonly onHeldOut: HeldOutPoint | null;
  /** One sentence. */
  readonly verdict: string;
}

/** `calibration.json` of a run folder. */
export interface CalibrationRecord extends CalibrationResult {
  readonly format: "trimtab-calibration";
  readonly version: 1;
  readonly run: RunRecord;
}

/** Writes a record as JSON text. */
export function formatCalibrationRecord(record: CalibrationRecord): string {
  return `${JSON.stringify(record, null, 1)}\n`;
}

/**
 * Reads what {@link formatCalibrationRecord} wrote; checks the run and the main parts.
 *
 * @throws bad-input for anything else; unsupported for a later version
 */
export function parseCalibrationRecord(text: string, where: string): CalibrationRecord {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw mismatch("bad-input", where, "a calibration as JSON", JSON.stringify(text.slice(0, 40)), { cause });
  }
  const record = (typeof value === "object" && value !== null ? value : {}) as Readonly<Record<string, unknown>>;
  if (record["format"] !== "trimtab-calibration")
    throw mismatch("bad-input", where, 'a calibration ("format": "trimtab-calibration")', "something else");
  if (record["version"] !== 1)
    throw mismatch("unsupported", where, "version 1", `version ${JSON.stringify(record["version"])}`, {
      hint: "open it with the version of Trimtab that wrote it",
    });
  if (!Array.isArray(record["grid"])) throw mismatch("bad-input", `${where}: grid`, "a list", typeof record["grid"]);
  return { ...(record as unknown as CalibrationRecord), run: checkRunRecord(record["run"], `${where}: run`) };
}
