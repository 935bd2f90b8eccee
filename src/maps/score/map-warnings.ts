import { formatSite } from "../../engine/site.ts";
import type { AffineMap } from "../affine-map.ts";

/** Below this many training rows per source dimension the coefficients are mostly penalty or noise. */
const minRowsPerDimension = 10;
/** Above this condition number some directions of the source barely occurred. */
const maxCondition = 1e8;

/** What a reader of a map's scores should know, in sentences; `isNamed` begins each with the map's sites, where there are several maps. */
export function mapWarnings(map: AffineMap, { isNamed = false }: { readonly isNamed?: boolean } = {}): string[] {
  const { A, fit, scores } = map;
  const name = isNamed
    ? `${map.sources.map(({ site }) => formatSite(site)).join("+")} → ${formatSite(map.target.site)}: `
    : "";
  const warnings: string[] = [];
  const perDimension = fit.rows.train / A.cols;
  if (perDimension < minRowsPerDimension)
    warnings.push(
      `${name}${perDimension.toFixed(1)} training rows per source dimension; below ${minRowsPerDimension} a map is mostly penalty or noise: read more text`,
    );
  if (fit.rows.leftOut.sink > 0)
    warnings.push(
      `${fit.rows.leftOut.sink} of ${fit.rows.total} rows were longer than 10 times the median and left out`,
    );
  if (!(fit.condition <= maxCondition))
    warnings.push(
      `${name}the source states are nearly dependent (condition ${fit.condition.toExponential(1)}): some directions barely occurred in this text`,
    );
  const largest = Math.max(...fit.tried.map((entry) => entry.lambda));
  if (fit.tried.length > 1 && fit.lambda === largest)
    warnings.push(`${name}the largest penalty tried (${largest}) was chosen: the rows say little about the map`);
  if (scores.r2Interval.low <= 0)
    warnings.push(`${name}held-out R² is not clearly above zero: the map predicts no better than the mean`);
  if (scores.tokenIdentity.beyond <= 0)
    warnings.push(`${name}the map explains nothing beyond the identity of the current token`);
  return warnings;
}
