// Draws docs/picture.svg, the picture of the README, from a study:
//   node dist/src/cli/main.js demo --full --concepts french --json > study.json && node docs/make-picture.js study.json docs/picture.svg

import { readFileSync, writeFileSync } from "node:fs";
import { parseStudy, renderTextSharePlot } from "trimtab";

const [source, target] = process.argv.slice(2);
const [concept] = parseStudy(readFileSync(source, "utf8"), source).concepts;
// On a white ground, since a picture in a page cannot know whether the page is dark.
const picture = renderTextSharePlot(concept.texts, concept.name).replace("style=\"", "style=\"background:white;color:black;");
writeFileSync(target, `${picture}\n`);
