import type { Matrix } from "../linalg/matrix.ts";
import { checkPairedRows } from "./check-paired-rows.ts";
import { type Closeness, cosineCloseness, euclideanCloseness, graphCloseness, readoutCloseness } from "./closeness.ts";
import { matchProfiles, type ProfileMatch, profileLikeness } from "./match-profiles.ts";
import type { Measure, MeasureOptions } from "./measure.ts";
import { permuteRows } from "./permute-rows.ts";
import type { Readout } from "./readout-distances.ts";
import { defaultAnchors, drawAnchors, relativeRows } from "./relative-rows.ts";

interface RelativeKind {
  readonly name: string;
  readonly label: string;
  readonly source: string;
  readonly by: string;
  readonly unchangedBy: string;
  /** Undefined where the measure is not defined. */
  closeness(X: Matrix, options: MeasureOptions, readout: Readout | undefined): Closeness | undefined;
}

const moschella = "arXiv 2209.15430";
const kinds: readonly RelativeKind[] = [
  {
    name: "cosine",
    label: "cosine",
    source: moschella,
    by: "its cosines with anchors",
    unchangedBy: "rotation, shift, common scale",
    closeness: (X) => cosineCloseness(X),
  },
  {
    name: "euclidean",
    label: "Euclidean",
    source: moschella,
    by: "its distances from anchors",
    unchangedBy: "rotation, shift, common scale",
    closeness: (X) => euclideanCloseness(X),
  },
  {
    name: "graph",
    label: "shortest paths",
    source: "arXiv 2506.01599; Science 290, 2319 (2000)",
    by: "its shortest paths to anchors over near rows",
    unchangedBy: "rotation, shift, common scale, and bending that keeps lengths along the rows",
    closeness: (X, { neighbours }) => graphCloseness(X, { neighbours }),
  },
  {
    name: "readout",
    label: "through the logits",
    source: "arXiv 2506.01599",
    by: "its distances from anchors as the model's own readout sees them",
    unchangedBy: "whatever does not change the logits",
    closeness: (X, _, readout) => readout && readoutCloseness(X, readout),
  },
];

const matches: readonly {
  readonly of: keyof ProfileMatch;
  name(kind: string): string;
  label(kind: string): string;
  says(by: string): string;
}[] = [
  {
    of: "likeness",
    name: (kind) => `relative-${kind}`,
    label: (kind) => `relative rows, ${kind}`,
    says: (by) => `a row is described alike in both sides by ${by}`,
  },
  {
    of: "reciprocalRank",
    name: (kind) => `find-${kind}`,
    label: (kind) => `finding rows, ${kind}`,
    says: (by) => `a row finds its counterpart among all rows of the other side by ${by}: mean 1/rank`,
  },
  {
    of: "topOne",
    name: (kind) => `find-first-${kind}`,
    label: (kind) => `found first, ${kind}`,
    says: (by) => `a row finds its counterpart first of all rows of the other side by ${by}: share of rows`,
  },
];

/**
 * Relative rows as measures: for each kind of closeness how alike the relative rows of the two models are, and how often they find each other.
 *
 * Anchors are drawn from the rows and do not count themselves; with another pairing of the rows the anchors are paired so too.
 *
 * @see Moschella et al., arXiv 2209.15430; Yu et al., arXiv 2506.01599
 */
export const relativeMeasures: readonly Measure[] = matches.flatMap((match) =>
  kinds.map((kind) => relativeMeasure(kind, match)),
);

function relativeMeasure(kind: RelativeKind, match: (typeof matches)[number]): Measure {
  const prepare: Required<Measure>["prepare"] = (X, Y, options = {}) => {
    const n = checkPairedRows(X, Y, match.name(kind.name));
    const { anchors = defaultAnchors(n), anchorSeed = 0, readouts, neighbours } = options;
    const drawn = drawAnchors(n, anchors, anchorSeed);
    const ofX = closenessOf(X, kind, { neighbours }, readouts?.x);
    const ofY = closenessOf(Y, kind, { neighbours }, readouts?.y);
    if (!ofX || !ofY) return () => Number.NaN;
    const R = relativeRows(ofX, drawn);
    return (order) => {
      const S = relativeRows(ofY, order ? drawn.map((row) => order[row] as number) : drawn);
      const paired = order ? permuteRows(S, order) : S;
      return match.of === "likeness" ? profileLikeness(R, paired, drawn) : matchProfiles(R, paired, drawn)[match.of];
    };
  };
  return {
    name: match.name(kind.name),
    label: match.label(kind.label),
    source: kind.source,
    says: match.says(kind.by),
    unchangedBy: kind.unchangedBy,
    run: (X, Y, options) => prepare(X, Y, options)(),
    prepare,
  };
}

/** What is known of sides that are still in use: three measures ask the same of the same rows, and a graph takes a second. */
const known = new WeakMap<Matrix, Map<string | Readout, Closeness | undefined>>();

function closenessOf(
  X: Matrix,
  kind: RelativeKind,
  options: MeasureOptions,
  readout: Readout | undefined,
): Closeness | undefined {
  const ofRows = known.get(X) ?? new Map<string | Readout, Closeness | undefined>();
  known.set(X, ofRows);
  const key = kind.name === "readout" && readout ? readout : `${kind.name} ${options.neighbours ?? ""}`;
  const found = ofRows.get(key) ?? kind.closeness(X, options, readout);
  ofRows.set(key, found);
  return found;
}
