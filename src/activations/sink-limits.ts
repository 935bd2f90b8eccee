import { median } from "./row-norms.ts";

/** The longest norm that a row may have, by site; a longer one anywhere makes it a sink. Finite numbers, so that JSON keeps them. */
export type SinkLimits = readonly number[];

/** A row this many times longer than the median is a sink: attention's parking place, not text. They reach 200 times the median. */
export const sinkFactor = 10;

/** Rows whose median norms set the bounds, or all there are. The median of so many is known to within 2 %. */
const mostRows = 2048;
/** Even so few put the median within 6 %, which matters little beside a factor of ten. */
const leastRows = 256;
/** What windows that wait for the bounds may take: many sites of large models hold a megabyte for a token. */
const maxHeldBytes = 2 ** 28;

/** Rows that set the bounds, for sites of these widths. */
export function calibrationRows(widths: readonly number[]): number {
  const rowBytes = 4 * widths.reduce((sum, width) => sum + width, 0);
  return Math.max(leastRows, Math.min(mostRows, Math.floor(maxHeldBytes / rowBytes)));
}

/** Limits from norms by site: {@link sinkFactor} times their median. */
export function toSinkLimits(norms: readonly (readonly number[])[]): SinkLimits {
  // Without one row there is no median, and no row it could judge either.
  return norms.map((ofSite) => (ofSite.length === 0 ? Number.MAX_VALUE : sinkFactor * median(ofSite)));
}
