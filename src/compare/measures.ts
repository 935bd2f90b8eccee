import { functionalMeasures } from "./functional-measures.ts";
import { geoTopologyMeasure } from "./geo-topology.ts";
import { ckaMeasures } from "./kernel-cka.ts";
import { linearCkaMeasure } from "./linear-cka-of-rows.ts";
import type { Measure } from "./measure.ts";
import { mutualNeighboursMeasure } from "./mutual-neighbours.ts";
import { neighbourhoodMeasures } from "./neighbourhood-graph.ts";
import { procrustesMeasure } from "./procrustes-likeness.ts";
import { relativeMeasures } from "./relative-measures.ts";
import { rsaMeasures } from "./rsa.ts";
import { svccaMeasure } from "./svcca-of-rows.ts";

/** The measures of likeness between two sets of paired rows: from those that see whole clouds to those that see neighbours. */
export const rowMeasures: readonly Measure[] = [
  linearCkaMeasure,
  ...ckaMeasures,
  procrustesMeasure,
  svccaMeasure,
  ...rsaMeasures,
  geoTopologyMeasure,
  mutualNeighboursMeasure,
  ...neighbourhoodMeasures,
  ...functionalMeasures,
  ...relativeMeasures,
];
