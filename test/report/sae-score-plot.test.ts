import { resolve } from "node:path";
import { expect, test } from "vitest";
import {
  renderSaeScorePlot,
  residPost,
  type SaeArm,
  type SaeScores,
  type ScoredSae,
  toStandaloneSvg,
} from "../../src/index.ts";

const value = (of: number) => ({
  value: of,
  interval: { low: of - 0.02, high: of + 0.02, level: 0.95, resamples: 1000 },
});

function arm(name: SaeArm["name"], l0: number | undefined, explained: number, recovered: number | undefined): SaeArm {
  return {
    name,
    explained: value(explained),
    cosine: 0.9,
    use: l0 === undefined ? undefined : { l0, l0Quantiles: [l0, l0, l0, l0, l0], dead: 0, dense: 0 },
    loss: undefined,
    recoveredFromMean: recovered === undefined ? undefined : value(recovered),
    recoveredFromZero: undefined,
  };
}

function scored(activation: ScoredSae["activation"], l0: number, hasLoss: boolean): ScoredSae {
  const recovered = (of: number) => (hasLoss ? of : undefined);
  const scores: SaeScores = {
    model: "small",
    site: residPost(1),
    corpus: { name: "made up", part: "held-out", documents: 30, windows: 30, rows: 3000, tokens: 2900 },
    seed: 0,
    clean: undefined,
    arms: [
      arm("autoencoder", l0, 0.8 + l0 / 400, recovered(0.95)),
      arm("untrained", Math.round(l0), 0.3 + l0 / 200, recovered(0.6)),
      arm("shuffled features", l0, -0.5, recovered(-0.1)),
      arm("mean row", undefined, 0, recovered(0)),
    ],
    warnings: [],
  };
  return { activation, features: 64, scores };
}

test("renderSaeScorePlot(scored) draws both measures with their nulls, kinds apart", async () => {
  const svg = renderSaeScorePlot([scored("topk", 8, true), scored("topk", 32, true), scored("jumprelu", 15.4, true)]);
  await expect(toStandaloneSvg(svg)).toMatchFileSnapshot(resolve("test/report/snapshots/sae-scores.svg"));
  for (const label of ["topk", "jumprelu", "untrained", "shuffled"]) expect(svg.split(`>${label}<`).length).toBe(3);
});

test("renderSaeScorePlot(scored) leaves out the loss where it was not measured", () => {
  expect(renderSaeScorePlot([scored("gated", 8, false)])).not.toContain("loss recovered, from");
});
