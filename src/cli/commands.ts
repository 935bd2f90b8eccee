import type { Command } from "./command.ts";

interface Entry {
  readonly summary: string;
  /** Loaded only when it is run or explained: most of the start-up time lies behind these imports. */
  readonly load: () => Promise<{ readonly command: Command }>;
}

/** All commands, in the order of their use. A test holds that each summary here is that of the command. */
export const commands: Readonly<Record<string, Entry>> = {
  demo: { summary: "watch a small model steer a larger one, offline", load: () => import("./demo.ts") },
  inspect: { summary: "say what a model, map, vector or file of moments is", load: () => import("./inspect.ts") },
  fit: { summary: "learn maps from a small model's hidden states to a large one's", load: () => import("./fit.ts") },
  "moments collect": {
    summary: "collect once what many fits need, in parts and over many runs",
    load: () => import("./moments-collect.ts"),
  },
  "moments merge": { summary: "join collected parts into one", load: () => import("./moments-merge.ts") },
  sweep: {
    summary: "compare every layer of one model with every layer of another",
    load: () => import("./sweep.ts"),
  },
  compare: {
    summary: "say how alike two models' hidden states are, by many measures",
    load: () => import("./compare.ts"),
  },
  vector: { summary: "find the direction of a concept in a model", load: () => import("./vector.ts") },
  "vector compare": {
    summary: "say how alike vectors of one model are",
    load: () => import("./vector-compare.ts"),
  },
  transfer: { summary: "carry a vector into another model through a map", load: () => import("./transfer.ts") },
  steer: { summary: "let a model write with vectors added", load: () => import("./steer.ts") },
  "sae train": {
    summary: "train a sparse autoencoder on a model's hidden states",
    load: () => import("./sae-train.ts"),
  },
  "sae score": {
    summary: "score a sparse autoencoder: what it explains, and what is left of the model",
    load: () => import("./sae-score.ts"),
  },
  "sae examples": {
    summary: "show the texts in which features of an autoencoder are strongest",
    load: () => import("./sae-examples.ts"),
  },
  "sae features": {
    summary: "find the features that tell the two sides of a contrast set apart",
    load: () => import("./sae-features.ts"),
  },
  "sae map": {
    summary: "learn a map from an autoencoder's features to a large model's hidden states",
    load: () => import("./sae-map.ts"),
  },
  "sae vector": {
    summary: "make a vector for a large model from features of a small one, by their indices",
    load: () => import("./sae-vector.ts"),
  },
  "evaluate propensity": {
    summary: "compare a transferred vector with the native one on multiple-choice items",
    load: () => import("./evaluate-propensity.ts"),
  },
  "evaluate refusal": {
    summary: "measure how a direction carried between models changes what they refuse",
    load: () => import("./evaluate-refusal.ts"),
  },
  "evaluate text": {
    summary: "measure what vectors do to generated text, and what that costs",
    load: () => import("./evaluate-text.ts"),
  },
  calibrate: {
    summary: "pick layer and strength for a behaviour under a damage limit",
    load: () => import("./calibrate.ts"),
  },
  "study anchors": {
    summary: "ask how many paired rows a map needs, when unpaired ones are plenty",
    load: () => import("./study-anchors.ts"),
  },
  "study features": {
    summary: "steer a large model by features of a small one, in two ways, at equal damage",
    load: () => import("./study-features.ts"),
  },
  "study decoders": {
    summary: "ask whether the decoder of one model's autoencoder is a linear image of another's",
    load: () => import("./study-decoders.ts"),
  },
  "study world": {
    summary: "watch the affine map fail in a made-up world, one cause at a time",
    load: () => import("./study-world.ts"),
  },
  "study tokenizers": {
    summary: "measure what it costs when two models read text in different tokens",
    load: () => import("./study-tokenizers.ts"),
  },
  predict: {
    summary: "predict from a small model what a change does to a large one",
    load: () => import("./predict.ts"),
  },
  "study scale": {
    summary: "measure how carrying vectors goes with the sizes of the two models",
    load: () => import("./study-scale.ts"),
  },
  "sae transfer": {
    summary: "carry a sparse autoencoder into another model through maps both ways",
    load: () => import("./sae-transfer.ts"),
  },
  "study sae": {
    summary: "measure what a carried autoencoder explains, and what training from it saves",
    load: () => import("./study-sae.ts"),
  },
  "probe train": {
    summary: "train a linear probe: does a text have a property?",
    load: () => import("./probe-train.ts"),
  },
  "probe transfer": {
    summary: "carry a probe into another model through a map",
    load: () => import("./probe-transfer.ts"),
  },
  "probe score": { summary: "score texts by a probe", load: () => import("./probe-score.ts") },
  "study probes": {
    summary: "measure what linear probes still tell when carried to the other model",
    load: () => import("./study-probes.ts"),
  },
  stitch: {
    summary: "write and score with early blocks of one model and late blocks of another",
    load: () => import("./stitch.ts"),
  },
  "stitch fit": {
    summary: "tune a map on the loss of the stitched model",
    load: () => import("./stitch-fit.ts"),
  },
  "study stitch": {
    summary: "measure stitched models at every pair of cut points: loss against cost",
    load: () => import("./study-stitch.ts"),
  },
  serve: {
    summary: "serve models over HTTP with steering per request, and the workbench in a browser",
    load: () => import("./serve.ts"),
  },
  reproduce: { summary: "run a whole experiment from one file", load: () => import("./reproduce.ts") },
  report: { summary: "show the results of a run as one page", load: () => import("./report.ts") },
  doctor: { summary: "check this machine and say what to do", load: () => import("./doctor.ts") },
};
