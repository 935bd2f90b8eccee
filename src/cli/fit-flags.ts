import { mismatch } from "../errors.ts";
import { checkFitChoice, type FitMapsOptions, type FitMethod, type FitSpace } from "../index.ts";
import type { Arguments } from "./arguments.ts";
import type { Flag } from "./command.ts";

const methods = ["ridge", "ols", "procrustes", "scaled-procrustes", "reduced-rank", "adamw"] as const;
const spaces = ["raw", "standardised", "whitened"] as const;

type FitFlag = "fit" | "space" | "lambda" | "rank" | "max-sources" | "learning-rate" | "epochs";

/** How a map is fitted from what was collected. */
export const fitFlags: Readonly<Record<FitFlag, Flag>> = {
  fit: { type: "string", value: "METHOD", description: methods.join(", "), default: "ridge" },
  space: {
    type: "string",
    value: "SPACE",
    description: "coordinates of the fit: raw, standardised or whitened",
    default: "standardised for ridge and ols, raw for the others",
  },
  lambda: { type: "string", value: "X", description: "ridge penalty", default: "chosen on text that fits nothing" },
  rank: { type: "string", value: "N", description: "rank of a reduced-rank map", default: "chosen likewise" },
  "max-sources": {
    type: "string",
    value: "K",
    description: "of a map from several layers, keep the K that add most",
    default: "all",
  },
  "learning-rate": { type: "string", value: "X", description: "of adamw", default: "0.0001, the paper's" },
  epochs: {
    type: "string",
    value: "N",
    description: "of adamw: how often the text is read",
    default: "4, the paper's",
  },
};

/** Reads the `fitFlags` of a command line. @throws usage for a flag that its method does not take; bad-input for options that do not belong together */
export function readFitOptions(
  args: Arguments,
): Pick<FitMapsOptions, "method" | "space" | "lambdas" | "rank" | "maxSources" | "adamw"> {
  const method: FitMethod = args.choice("fit", methods) ?? "ridge";
  const space: FitSpace | undefined = args.choice("space", spaces);
  const only = (flags: readonly FitFlag[], wanted: readonly FitMethod[]): void => {
    for (const flag of flags)
      if (args.isSet(flag) && !wanted.includes(method))
        throw mismatch("usage", `--${flag}`, `--fit ${wanted.join(" or ")}`, `--fit ${method}`);
  };
  only(["lambda"], ["ridge", "reduced-rank"]);
  only(["rank"], ["reduced-rank"]);
  only(["learning-rate", "epochs"], ["adamw"]);
  only(["space"], ["ridge", "ols", "procrustes", "scaled-procrustes", "reduced-rank"]);
  const lambda = args.number("lambda", 0, 1e12);
  const [lambdas, rank] = [lambda === undefined ? undefined : [lambda], args.whole("rank", 1, 1 << 20)];
  const hasFolds = (args.whole("folds", 1, 100) ?? 1) > 1;
  if (method !== "adamw") checkFitChoice({ method, space, lambdas, rank }, { hasFolds });
  const [learningRate, epochs] = [args.number("learning-rate", 1e-12, 1e3), args.whole("epochs", 1, 10_000)];
  return {
    method,
    space,
    lambdas,
    rank,
    maxSources: args.whole("max-sources", 1, 4096),
    adamw: { learningRate, epochs },
  };
}
