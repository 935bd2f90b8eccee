import { mismatch } from "../errors.ts";
import { createMatrix, type Matrix } from "../linalg/matrix.ts";
import { multiply, transposedMultiply } from "../linalg/multiply.ts";
import { svd } from "../linalg/svd.ts";
import { fitOls } from "./fit/fit-ols.ts";
import { type Affine, intercept } from "./fit/fit-ridge.ts";
import type { LatentModel, LatentWorld } from "./latent-world.ts";
import type { Moments } from "./moments.ts";

/** The map that a latent world plants between two of its models. */
export interface PlantedMap extends Affine {
  /** Whether `h_T = A h_S + p` for every row of the two models without noise: the source spans the universal space and lacks nothing that the target has. */
  readonly isExact: boolean;
}

/** The best that any affine map can do between two models of a world. */
export interface BestMap extends Affine {
  /** 1 − (expected squared error)/(variance of the target): what a map fitted on infinitely many rows scores. */
  readonly r2: number;
  /** The same by dimension of the target, `[dTarget]`; NaN for one that does not vary. */
  readonly r2ByDimension: Float64Array;
}

/**
 * The map of the hypothesis, `A = P_Tᵀ (P_Sᵀ)⁺`, `p = b_T − A b_S`: A `[dTarget, dSource]`.
 *
 * Where the source is narrower than the universal space the pseudoinverse gives the map of smallest norm through what it sees, which is
 * not the best one; where it is wide enough the map is exact on the source's states, and there alone: what it does to directions that no state
 * takes is nothing.
 *
 * @throws bad-input if the world has no such model; unsupported if one of the two is bent, as then there is no such map
 * @see Bello et al., arXiv 2506.00653, section 2.2
 */
export function plantedMap(world: LatentWorld, source: number, target: number): PlantedMap {
  const [S, T] = [straightModel(world, source), straightModel(world, target)];
  const { U, s, Vt } = svd(S.projection);
  // Singular values below rounding are directions that are not there.
  const rank = s.findIndex((value) => !(value > 1e-12 * (s[0] as number)));
  const kept = rank < 0 ? s.length : rank;
  // P_S = U diag(s) Vt, so (P_Sᵀ)⁺ = U diag(1/s) Vt: [dU, dS].
  const inverse = createMatrix(kept, Vt.cols, Vt.data.slice(0, kept * Vt.cols));
  for (let k = 0; k < inverse.data.length; k++)
    inverse.data[k] = (inverse.data[k] as number) / (s[Math.floor(k / Vt.cols)] as number);
  const left = createMatrix(U.rows, kept);
  for (let i = 0; i < U.rows; i++)
    for (let j = 0; j < kept; j++) left.data[i * kept + j] = U.data[i * U.cols + j] as number;
  const A = multiply(transposedMultiply(T.projection, left), inverse);
  const lacks = T.has.some((has, f) => has !== S.has[f]);
  return { A, p: intercept(A, S.bias, T.bias), isExact: kept === world.dictionary.cols && !lacks };
}

/**
 * The moments of all rows there could be, in closed form: products divided by n are the expectations that those of a sample tend to. n is 2, the
 * least that a fit accepts.
 *
 * Rows that are sinks are not counted. Cyx = W_Tᵀ Σ W_S with Σ the covariance of the code; noise adds its variance to the diagonals of Cxx and
 * Cyy alone.
 *
 * @throws bad-input, unsupported as {@link plantedMap}
 */
export function latentMoments(world: LatentWorld, source: number, target: number): Moments {
  const [S, T] = [straightModel(world, source), straightModel(world, target)];
  const { codeCovariance, codeMean, features } = world;
  const half = multiply(codeCovariance, S.decoder);
  const mean = ({ decoder, bias }: LatentModel): Float64Array => {
    const states = multiply(createMatrix(1, features, codeMean), decoder).data;
    return states.map((value, i) => value + (bias[i] as number));
  };
  return {
    n: 2,
    meanX: mean(S),
    meanY: mean(T),
    Cxx: twice(withNoise(transposedMultiply(S.decoder, half), S.noise)),
    Cyx: twice(transposedMultiply(T.decoder, half)),
    Cyy: twice(withNoise(transposedMultiply(T.decoder, multiply(codeCovariance, T.decoder)), T.noise)),
  };
}

/**
 * The affine map of least expected squared error between two models of a world, and how far it goes: what rows without end would teach.
 *
 * Noise of the source, features that one of the two lacks and a source narrower than the universal space all count; `1 − r2` is what no affine map
 * explains.
 *
 * @throws bad-input, unsupported as {@link plantedMap}
 */
export function bestMap(world: LatentWorld, source: number, target: number): BestMap {
  const moments = latentMoments(world, source, target);
  const { A, p } = fitOls(moments);
  const { Cyx, Cyy } = moments;
  const explained = Float64Array.from({ length: A.rows }, (_, i) => {
    let sum = 0;
    for (let j = 0; j < A.cols; j++) sum += (A.data[i * A.cols + j] as number) * (Cyx.data[i * A.cols + j] as number);
    return sum;
  });
  const total = Float64Array.from({ length: A.rows }, (_, i) => Cyy.data[i * A.rows + i] as number);
  const sum = (values: Float64Array): number => values.reduce((a, b) => a + b, 0);
  return {
    A,
    p,
    r2: sum(explained) / sum(total),
    r2ByDimension: explained.map((value, i) => ((total[i] as number) > 0 ? value / (total[i] as number) : Number.NaN)),
  };
}

function straightModel(world: LatentWorld, at: number): LatentModel {
  const model = world.models[at];
  if (!model) throw mismatch("bad-input", "latent world", `a model from 0 to ${world.models.length - 1}`, String(at));
  if (model.options.bend)
    throw mismatch("unsupported", `latent world: model ${at}`, "states that are linear in the code", "bent ones", {
      hint: "measure the map on drawn rows instead",
    });
  return model;
}

function withNoise(C: Matrix, noise: number): Matrix {
  for (let i = 0; i < C.rows; i++) C.data[i * C.cols + i] = (C.data[i * C.cols + i] as number) + noise ** 2;
  return C;
}

function twice(C: Matrix): Matrix {
  for (let k = 0; k < C.data.length; k++) C.data[k] = 2 * (C.data[k] as number);
  return C;
}
