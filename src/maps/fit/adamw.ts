import { mismatch } from "../../errors.ts";

export interface AdamWOptions {
  /** Default 10⁻⁴, the paper's for base models. */
  readonly learningRate?: number | undefined;
  /** Decay of the averages of the gradient and of its square. Default 0.9 and 0.999. */
  readonly betas?: readonly [number, number] | undefined;
  /** Keeps a parameter that hardly moved from dividing by nothing. Default 10⁻⁸. */
  readonly epsilon?: number | undefined;
  /** Share of a parameter taken off at each step, times the learning rate. Default 0.01. */
  readonly weightDecay?: number | undefined;
}

/** Parameters under descent. */
export interface AdamW {
  /** Takes one step in place: `gradients` as the parameters, each times `scale`; `rate` multiplies the learning rate. */
  step(gradients: readonly Float64Array[], factors: { readonly scale: number; readonly rate: number }): void;
}

/**
 * Opens AdamW on parameters that it changes in place: Adam with bias correction, weight decay apart from the gradient.
 *
 * At step t with gradient g: θ ← θ (1 − ηw); m ← β₁m + (1 − β₁)g; v ← β₂v + (1 − β₂)g²; θ ← θ − η m/(1 − β₁ᵗ)/(√(v/(1 − β₂ᵗ)) + ε).
 *
 * @throws bad-input for a rate, decay or epsilon that is negative, or betas outside [0, 1)
 * @see Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019
 */
export function createAdamW(parameters: readonly Float64Array[], options: AdamWOptions): AdamW {
  const { learningRate = 1e-4, betas: [beta1, beta2] = [0.9, 0.999], epsilon = 1e-8, weightDecay = 0.01 } = options;
  for (const [name, value] of Object.entries({ learningRate, epsilon, weightDecay }))
    if (!(value >= 0 && Number.isFinite(value)))
      throw mismatch("bad-input", name, "a number of at least 0", `${value}`);
  for (const beta of [beta1, beta2])
    if (!(beta >= 0 && beta < 1)) throw mismatch("bad-input", "betas", "two numbers from 0 to below 1", `${beta}`);
  const first = parameters.map(({ length }) => new Float64Array(length));
  const second = parameters.map(({ length }) => new Float64Array(length));
  let t = 0;
  return {
    step(gradients, { scale, rate }) {
      t++;
      const eta = learningRate * rate;
      const keep = 1 - eta * weightDecay;
      const stride = eta / (1 - beta1 ** t);
      const root = Math.sqrt(1 - beta2 ** t);
      parameters.forEach((theta, which) => {
        const gradient = gradients[which] as Float64Array;
        const m = first[which] as Float64Array;
        const v = second[which] as Float64Array;
        for (let i = 0; i < theta.length; i++) {
          const g = scale * (gradient[i] as number);
          const mean = beta1 * (m[i] as number) + (1 - beta1) * g;
          const square = beta2 * (v[i] as number) + (1 - beta2) * g * g;
          m[i] = mean;
          v[i] = square;
          theta[i] = keep * (theta[i] as number) - (stride * mean) / (Math.sqrt(square) / root + epsilon);
        }
      });
    },
  };
}
