import type { ModelIdentity } from "../engine/description.ts";
import { mismatch } from "../errors.ts";
import type { Comparison } from "../evaluate/comparison.ts";
import type { TextComparison } from "../evaluate/run-text-comparison.ts";
import type { AffineMap, MapEnd } from "../maps/affine-map.ts";
import type { MapScores } from "../maps/map-scores.ts";

/** One of the two models of a study. */
export interface StudyModel extends ModelIdentity {
  readonly parameters: number;
  readonly sizeBytes: number;
  readonly vocabulary: number;
}

/** A map without its coefficients: what it joins, how it was fitted and how it scored, all of it JSON. */
export interface StudyMap extends Omit<AffineMap, "A" | "p" | "scores"> {
  readonly scores: Omit<MapScores, "r2ByDimension">;
}

/** One concept: the transferred vector against the native one. */
export interface StudyConcept {
  /** Such as `French`. */
  readonly name: string;
  /** What +α and −α stand for, such as `French` and `English`. */
  readonly positive: string;
  readonly negative: string;
  /** Cosine between the native vector and the transferred one at the target's site; `null` if they are at different sites. */
  readonly cosine: number | null;
  /** How many contrast pairs each vector was made from. */
  readonly pairs: number;
  readonly comparison: Comparison;
  /** Generated texts; `null` if none were made. */
  readonly texts: TextComparison | null;
}

/** A whole study, as plain data: JSON carries it, {@link renderPage} shows it. */
export interface Study {
  readonly format: "trimtab-study";
  readonly version: 1;
  readonly title: string;
  /** What was asked, in a sentence or two of the author's own. */
  readonly question?: string;
  /** ISO 8601, if the caller says so. */
  readonly createdAt?: string;
  readonly elapsedMs?: number;
  readonly seed: number;
  /** Programs and their versions: Trimtab, llama.cpp, Node.js … */
  readonly software: readonly { readonly name: string; readonly version: string }[];
  readonly source: StudyModel;
  readonly target: StudyModel;
  readonly map: StudyMap;
  readonly concepts: readonly StudyConcept[];
  /** What a reader must know before believing the numbers, besides what the page works out by itself. */
  readonly warnings: readonly string[];
}

/** Writes a study as JSON text. */
export function formatStudy(study: Study): string {
  return `${JSON.stringify(study, null, 1)}\n`;
}

/**
 * Reads what {@link formatStudy} wrote.
 *
 * Checks that it is a study of this version with its main parts, not every number in it: studies are files of one's own.
 *
 * @throws bad-input for anything else; unsupported for a study of a later version
 */
export function parseStudy(text: string, where: string): Study {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw mismatch("bad-input", where, "a study as JSON", JSON.stringify(text.slice(0, 40)), { cause });
  }
  const study = value as Partial<Study> | null;
  if (typeof study !== "object" || study === null || study.format !== "trimtab-study")
    throw mismatch("bad-input", where, 'a study ("format": "trimtab-study")', "something else");
  if (study.version !== 1)
    throw mismatch("unsupported", where, "a study of version 1", `version ${JSON.stringify(study.version)}`, {
      hint: "open it with the version of Trimtab that wrote it",
    });
  for (const key of ["source", "target", "map"] as const)
    if (typeof study[key] !== "object" || study[key] === null)
      throw mismatch("bad-input", `${where}: ${key}`, "an object", typeof study[key]);
  const { map } = study as { map: Partial<StudyMap> & { readonly source?: MapEnd } };
  if (!Array.isArray(map.sources) && (typeof map.source !== "object" || map.source === null))
    throw mismatch("bad-input", `${where}: map`, "its source sites", "none");
  for (const key of ["software", "concepts", "warnings"] as const)
    if (!Array.isArray(study[key])) throw mismatch("bad-input", `${where}: ${key}`, "a list", typeof study[key]);
  // Until a map could start from several sites, it had one `source`.
  return { ...study, map: { ...map, sources: map.sources ?? [map.source] } } as Study;
}
