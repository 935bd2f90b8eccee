import { mismatch } from "../errors.ts";
import type { EngineModel } from "../index.ts";
import { phraseJudge, readText, resolveScorer, type Scorer, toJudgeScorer } from "../index.ts";
import type { Arguments } from "./arguments.ts";
import type { Flag } from "./command.ts";

/** How texts are scored, and on what damage is measured. */
export const scoreFlags: Readonly<Record<"score" | "neutral", Flag>> = {
  score: {
    type: "string",
    value: "WHAT",
    multiple: true,
    description: "capitals, language:fr, sentiment, words:FILE, words:FILE.json:CONCEPT, regex:/…/i, judge:phrases",
  },
  neutral: {
    type: "string",
    value: "FILE",
    description: "text to measure damage on",
    default: "the unsteered model's own texts",
  },
};

/** The scorers of a line, each once. @throws usage for one given twice; bad-input for one that is not known */
export async function readScorers(args: Arguments): Promise<Scorer[]> {
  const names = args.texts("score");
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined) throw mismatch("usage", "--score", "each scorer once", twice);
  return Promise.all(names.map((name) => resolveScorer(name, { openJudge })));
}

function openJudge(spec: string): Promise<Scorer> {
  if (spec === "phrases") return Promise.resolve(toJudgeScorer(phraseJudge()));
  throw mismatch("bad-input", "judge", "phrases", JSON.stringify(spec), {
    hint: "texts are judged offline here; trimtab evaluate refusal asks an endpoint",
  });
}

/** Windows of 128 tokens from the beginning of a text file, 16 at most: enough for a mean over some 2000 positions. @throws bad-input */
export async function readNeutralText(model: EngineModel, path: string): Promise<Int32Array[]> {
  const [windows, length] = [16, Math.min(128, model.context)];
  // A token is at most a few characters long in any language: more text than this is not needed.
  const tokens = await model.tokenize((await readText(path)).slice(0, windows * length * 16), { addSpecial: false });
  const { addsBos, bos } = model.description.tokenizer;
  const head = addsBos && bos !== undefined ? [bos] : [];
  const step = length - head.length;
  const cut = Array.from({ length: Math.min(windows, Math.ceil(tokens.length / step)) }, (_, i) =>
    Int32Array.of(...head, ...tokens.subarray(i * step, (i + 1) * step)),
  ).filter((window) => window.length >= 2);
  if (cut.length === 0) throw mismatch("bad-input", path, "text of at least two tokens", `${tokens.length}`);
  return cut;
}
