import { formatNumber } from "../format-number.ts";
import type { ReportSection } from "../report.ts";
import { formatMapLayers, mapOfConcept, type Study } from "../study.ts";
import { comparisonFigures } from "./comparison-figures.ts";
import { toMapsSection } from "./maps-section.ts";

/** The maps and concepts of a study. */
export function toStudySections(study: Study, id: string): ReportSection[] {
  return [
    toMapsSection("of the study", study.maps, `${id}-maps`),
    ...study.concepts.map((concept, at): ReportSection => {
      const { name, positive, negative, comparison, pairs, cosine } = concept;
      return {
        id: `${id}-${at + 1}`,
        title: name,
        lead: `+α pushes towards ${positive}, −α towards ${negative}; ${comparison.items} items, ${pairs} contrast pairs; layers ${formatMapLayers(mapOfConcept(study, concept))}; cosine of native and transferred ${formatNumber(cosine)}.`,
        verdict: comparison.verdict,
        figures: comparisonFigures(comparison, name, `${id}-${at + 1}`),
        notes: [],
      };
    }),
  ];
}
