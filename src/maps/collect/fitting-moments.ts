import { addJointMoments, createJointSum, type JointMoments } from "../joint-moments.ts";
import { type Collection, type HeldWindow, planWidths } from "./collection.ts";

/** The moments of a collection by what they are for. */
export interface FittingMoments {
  /** All rows that fit. */
  readonly training: JointMoments;
  /** Rows that choose. With folds, the first fold: then they are among those that fit. */
  readonly validation: JointMoments;
  /** The training rows that are not among those of `validation`: all of them, unless there are folds. */
  readonly withoutValidation: JointMoments;
  /** Parts that validate one another; undefined without folds. */
  readonly folds: readonly JointMoments[] | undefined;
  /** The training rows in nested pieces, smallest first, the last being all of them; one piece where no curve was kept. */
  readonly nested: readonly { readonly rows: number; readonly moments: JointMoments }[];
  /** Summed when it is first asked for. */
  readonly heldOut: JointMoments;
  /** Rows, unweighted. */
  readonly rows: { readonly training: number; readonly validation: number; readonly heldOut: number };
}

/** Sums the parts of a collection into what fits and scores need. */
export function toFittingMoments({ plan, parts, rowCounts, heldOut }: Collection): FittingMoments {
  const hasFolds = plan.folds > 1;
  const validation = parts[0] as JointMoments;
  // Pieces of a curve are numbered from the largest; folds are equal.
  const fitting = hasFolds
    ? parts.map((_, part) => part)
    : parts
        .map((_, part) => part)
        .slice(1)
        .reverse();
  const nested: { rows: number; moments: JointMoments }[] = [];
  for (const part of fitting) {
    const last = nested.at(-1);
    const own = { rows: rowCounts[part] as number, moments: parts[part] as JointMoments };
    nested.push(last ? { rows: last.rows + own.rows, moments: addJointMoments(last.moments, own.moments) } : own);
  }
  const all = nested.at(-1) as { rows: number; moments: JointMoments };
  let held: JointMoments | undefined;
  return {
    training: all.moments,
    validation,
    withoutValidation: hasFolds ? parts.slice(1).reduce(addJointMoments) : all.moments,
    folds: hasFolds ? parts : undefined,
    nested: nested.filter(({ rows }, at) => rows > 0 && rows !== nested[at - 1]?.rows),
    get heldOut() {
      held ??= sumWindows(plan, heldOut);
      return held;
    },
    rows: {
      training: all.rows,
      validation: rowCounts[0] as number,
      heldOut: heldOut.reduce((sum, { tokens }) => sum + tokens.length, 0),
    },
  };
}

function sumWindows(plan: Collection["plan"], windows: readonly HeldWindow[]): JointMoments {
  const sum = createJointSum({ widths: planWidths(plan), blocks: plan.blocks });
  for (const { states, weights } of windows) sum.add(states, weights);
  return sum.view();
}
