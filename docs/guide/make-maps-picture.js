// Draws docs/guide/maps.svg, the picture of the guide to maps:
//   node docs/guide/make-maps-picture.js docs/guide/maps.svg
// Nothing in it is measured: the strengths of the cells are drawn from a seed and show the shapes only.

import { writeFileSync } from "node:fs";
import { seededRandom, toStandaloneSvg } from "trimtab";

const [path] = process.argv.slice(2);
const tokens = ["Once", " upon", " a", " time", " a", " little", " dog", "Tom", " was", " sad"];
const held = 7; // rows from here on are of a document that the fit never sees
const [width, height] = [900, 430];
const cell = 20;
const top = 112;
const random = seededRandom(4);
const blue = "var(--native, #0072b2)";
const orange = "var(--transferred, #c24e00)";

const text = (x, y, words, { anchor = "start", size = 14, weight = 400, opacity = 1, mono = false } = {}) =>
  `<text x="${x}" y="${y}" text-anchor="${anchor}" font-size="${size}" font-weight="${weight}" fill-opacity="${opacity}"` +
  `${mono ? ' font-family="ui-monospace, monospace" xml:space="preserve"' : ""}>${words}</text>`;

/** Rows of hidden states as a grid: one row a token, one column a dimension; held-out rows stand apart, below. */
const rowY = (row) => top + row * cell + (row >= held ? 26 : 0);
const grid = (x, columns, colour) =>
  tokens
    .flatMap((_, row) =>
      Array.from({ length: columns }, (_unused, column) => {
        const strength = (0.12 + 0.68 * random.uniform()).toFixed(2);
        return `<rect x="${x + column * cell}" y="${rowY(row)}" width="${cell - 2}" height="${cell - 2}" rx="2" fill="${colour}" fill-opacity="${strength}"/>`;
      }),
    )
    .join("");

const arrow = (x1, y, x2) =>
  `<path d="M${x1} ${y}H${x2 - 7}" fill="none" stroke="currentColor" stroke-width="1.5"/><path d="M${x2} ${y}l-8 -4v8z" fill="currentColor"/>`;

const [sourceX, targetX] = [116, 560];
const [dSource, dTarget] = [5, 9];
const sourceEnd = sourceX + dSource * cell;
const middle = (sourceEnd + targetX) / 2;
const trainY = rowY(held / 2 - 0.5) + cell / 2;
const heldY = rowY(held + 1) + cell / 2;
const splitY = rowY(held) - 14;
const end = targetX + dTarget * cell;

const parts = [
  text(20, 34, "The same tokens, read by both models; one affine map between their hidden states", { size: 17, weight: 600 }),
  text(sourceX, 72, "small model", { weight: 600 }),
  text(sourceX, 91, "block 1: x, 5 wide", { opacity: 0.75 }),
  text(targetX, 72, "large model", { weight: 600 }),
  text(targetX, 91, "block 3: y, 9 wide", { opacity: 0.75 }),
  ...tokens.map((token, row) => text(sourceX - 12, rowY(row) + 14, token, { anchor: "end", size: 13, mono: true })),
  grid(sourceX, dSource, blue),
  grid(targetX, dTarget, orange),
  arrow(sourceEnd + 14, trainY, middle - 64),
  `<rect x="${middle - 58}" y="${trainY - 30}" width="116" height="60" rx="6" fill="none" stroke="currentColor" stroke-width="1.5"/>`,
  text(middle, trainY - 3, "y ≈ A x + p", { anchor: "middle", size: 17 }),
  text(middle, trainY + 18, "fitted here", { anchor: "middle", size: 13, opacity: 0.75 }),
  arrow(middle + 64, trainY, targetX - 14),
  `<path d="M20 ${splitY}H${end}" stroke="currentColor" stroke-opacity="0.6" stroke-dasharray="5 4"/>`,
  text(end + 16, trainY - 2, "training rows", { weight: 600 }),
  text(end + 16, trainY + 17, "some documents", { opacity: 0.75 }),
  text(end + 16, heldY - 2, "held-out rows", { weight: 600 }),
  text(end + 16, heldY + 17, "other documents", { opacity: 0.75 }),
  arrow(sourceEnd + 14, heldY, middle - 64),
  text(middle, heldY - 2, "A x + p", { anchor: "middle", size: 15 }),
  text(middle, heldY + 16, "scored here", { anchor: "middle", size: 13, opacity: 0.75 }),
  arrow(middle + 64, heldY, targetX - 14),
  text(20, height - 52, "A direction v of the small model goes to A v: the bias p cancels in a difference of two states.", { size: 14 }),
  text(20, height - 28, "Documents are held out whole, never single rows: neighbours in a text know of one another.", { size: 14 }),
];

const svg =
  `<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="Rows of hidden states of a small and a large model for the same tokens, joined by one affine map fitted on training rows and scored on held-out ones" ` +
  `viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, sans-serif" fill="currentColor">${parts.join("\n")}</svg>`;
writeFileSync(path, `${toStandaloneSvg(svg)}\n`);
