import { type Corpus, toCorpus } from "../../src/activations/corpus.ts";
import type { OpenModel } from "../../src/engine/open-model.ts";
import type { Matrix } from "../../src/linalg/matrix.ts";
import { seededRandom } from "../../src/linalg/random.ts";
import { plantedModel } from "../activations/planted-model.ts";
import { plantedMatrix } from "./planted.ts";

/** Widths of the two models. */
export const dSource = 5;
export const dTarget = 4;

/** Standard deviation of what no source layer knows of a target dimension, whose other part has variance of about 1 to 2. */
export const noise = 0.1;

/** Which source layers each target layer is made of, by how much: layer 2 needs two of them, no layer needs source layer 1 alone. */
export const recipe: readonly (readonly { readonly source: number; readonly A: Matrix }[])[] = [
  [{ source: 0, A: plantedMatrix(dTarget, dSource, seededRandom(10)) }],
  [{ source: 2, A: plantedMatrix(dTarget, dSource, seededRandom(11)) }],
  [
    { source: 0, A: plantedMatrix(dTarget, dSource, seededRandom(12)) },
    { source: 1, A: scaled(plantedMatrix(dTarget, dSource, seededRandom(13)), 0.6) },
  ],
  [{ source: 3, A: plantedMatrix(dTarget, dSource, seededRandom(14)) }],
];

function scaled(A: Matrix, factor: number): Matrix {
  return { ...A, data: A.data.map((value) => factor * value) };
}

/** Standard normals that belong to a token at a position, the same each time. */
function normals(count: number, ...key: readonly [number, number, number]): number[] {
  const [kind, token, position] = key;
  const random = seededRandom((kind * 1000 + token) * 1000 + position);
  return Array.from({ length: count }, () => random.normal());
}

/** Source layers have nothing to do with one another. */
export function sourceState(token: number, position: number, layer: number): number[] {
  return normals(dSource, layer, token, position);
}

/** Target states are sums of A x of source layers, and noise. */
export function targetState(token: number, position: number, layer: number): number[] {
  const result = normals(dTarget, 10 + layer, token, position).map((value) => 1 + layer + noise * value);
  for (const { source, A } of recipe[layer]!) {
    const x = sourceState(token, position, source);
    for (let i = 0; i < dTarget; i++) for (let j = 0; j < dSource; j++) result[i]! += A.data[i * dSource + j]! * x[j]!;
  }
  return result;
}

/** Two models of four layers each whose layers belong together as `recipe` says; new ones at each call, which count what they read. */
export function plantedPair(): { readonly source: ReturnType<typeof plantedModel>; readonly target: OpenModel } {
  return {
    source: plantedModel({ name: "small", width: dSource, state: remembered(sourceState) }),
    target: plantedModel({ name: "large", width: dTarget, state: remembered(targetState) }),
  };
}

function remembered(state: typeof sourceState): typeof sourceState {
  const known = new Map<string, number[]>();
  return (token, position, layer) => {
    const key = `${token} ${position} ${layer}`;
    const found = known.get(key) ?? state(token, position, layer);
    known.set(key, found);
    return found;
  };
}

/** Documents of random letters. */
export function letters(documents: number, length = 20): Corpus {
  const random = seededRandom(5);
  const text = (): string => Array.from({ length }, () => String.fromCharCode(97 + random.integer(26))).join("");
  return toCorpus("letters", Array.from({ length: documents }, text));
}
