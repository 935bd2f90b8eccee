import { formatNumber } from "./format-number.ts";
import { formatMapLayers, type Study, type StudyMap } from "./study.ts";

/**
 * Finds what a reader must know before believing a study, from its own numbers: too few rows, a map no better than its nulls or than
 * the current token, too few items or random directions, items that cannot judge, damage done to the text.
 *
 * The study's own warnings come first. Rules of thumb carry their limit in the sentence.
 */
export function findWarnings(study: Study): string[] {
  return [
    ...study.warnings,
    ...study.maps.flatMap((map) => findMapWarnings(map, study.maps.length > 1)),
    ...study.concepts.flatMap(conceptWarnings),
  ];
}

/** What a reader must know of a map. `isOneOfMany`: the map is called by its layers. */
export function findMapWarnings(map: StudyMap, isOneOfMany: boolean): string[] {
  const found: string[] = [];
  const name = isOneOfMany ? `map ${formatMapLayers(map)}` : "map";
  const perDimension = map.fit.rows.train / map.sources.reduce((sum, { model }) => sum + model.width, 0);
  if (perDimension < 10)
    found.push(
      `The ${name} was fitted on ${formatNumber(perDimension, 1)} rows per source dimension; below 10 it is mostly the sample's noise.`,
    );
  const nulls = Math.max(map.scores.nulls.mean.r2, map.scores.nulls.shuffled.r2, map.scores.nulls.randomOrthogonal.r2);
  if (map.scores.r2Interval.low <= nulls)
    found.push(`The held-out R² of the ${name} is not clearly above its nulls: it may have learned nothing.`);
  const { table, beyond } = map.scores.tokenIdentity;
  if (table > map.scores.r2)
    found.push(
      `A table by token id, with no source model, scores R² ${formatNumber(table)}, above the ${formatNumber(map.scores.r2)} of the ${name}: the map's worth is what it explains beyond the token, ${formatNumber(beyond)} of what the table leaves.`,
    );
  if (beyond < 0.05)
    found.push(
      `Beyond the identity of the current token the ${name} explains ${formatNumber(beyond)} of what is left: it carries little context.`,
    );
  return found;
}

function conceptWarnings({ name, comparison, texts }: Study["concepts"][number]): string[] {
  const found: string[] = [];
  if (comparison.items < 20)
    found.push(`${name}: ${comparison.items} items; below 20 the intervals over items are too narrow.`);
  if (comparison.randomDirections < 20)
    found.push(
      `${name}: ${comparison.randomDirections} random directions; below 20 z is known to no better than a sixth of itself.`,
    );
  if (comparison.verdict.code === "cannot-judge")
    found.push(`${name}: these items cannot judge the transfer. It is shown, and counts neither for nor against.`);
  const unsteered = texts?.rows.find(({ vector }) => vector === "none")?.effect.lossNats;
  for (const row of texts?.rows ?? []) {
    const loss = row.effect.lossNats;
    if (row.vector === "none" || row.vector === "random") continue;
    if (loss !== null && unsteered !== null && unsteered !== undefined && loss > unsteered + 2)
      found.push(
        `${name}: at strength ${formatNumber(row.strength)} the ${row.vector} vector ruins the text (unsteered loss ${formatNumber(loss)} nats per token, ${formatNumber(unsteered)} for the model's own).`,
      );
  }
  return found;
}
