import type { ContrastPair } from "../activations/contrast-set.ts";
import type { ReadPosition } from "../activations/read-position.ts";
import type { OpenModel } from "../engine/open-model.ts";
import { mismatch } from "../errors.ts";
import { sentenceOpenings } from "./sentence-openings.ts";

export interface PersonaOptions {
  /** How the positive persona is, as an adjective or phrase: "happy", "extremely polite". */
  readonly concept: string;
  /** How the negative one is: "sad". */
  readonly versus: string;
  /** Beginnings of the answer. Default {@link sentenceOpenings}, 70 of them. */
  readonly openings?: readonly string[];
}

/** Pairs and how they must be read. */
export interface PersonaContrast {
  readonly pairs: readonly ContrastPair[];
  /**
   * The last token, as repeng reads: both texts end in the same words, so what differs there is what the persona did to them. Pooling
   * from the first difference would mostly average the two persona words themselves.
   */
  readonly readAt: ReadPosition;
  /** Pairs hold the control tokens of a chat template as text. */
  readonly parseSpecial: boolean;
}

/** Two phrasings, so that the vector does not hang on the words of one. */
const instructions = ["Act as if you are", "Speak as someone who is"];

/**
 * Writes a contrast set from two descriptions: every opening as the beginning of an answer by a persona that is told to be `concept`,
 * against one told to be `versus`.
 *
 * With a chat template in the model's file, the instruction is the user's message and the opening starts the reply. Without one, both
 * stand in plain text, as a description of the speaker and a quotation.
 *
 * @throws bad-input if a description is empty, both are equal, or an opening is empty
 * @example
 * const { pairs, readAt, parseSpecial } = personaContrast(model, { concept: "happy", versus: "sad" });
 * const { vector } = await extractVector(model, pairs, { sites: [residPost(12)], readAt, parseSpecial });
 */
export function personaContrast(
  model: Pick<OpenModel, "chatPrompt" | "description">,
  { concept, versus, openings = sentenceOpenings }: PersonaOptions,
): PersonaContrast {
  const [positive, negative] = [concept.trim(), versus.trim()];
  if (!positive || !negative) throw mismatch("bad-input", "persona", "two descriptions", "an empty one");
  if (positive === negative) throw mismatch("bad-input", "persona", "two different descriptions", `"${concept}" twice`);
  if (openings.length === 0 || openings.some((opening) => opening.trim() === ""))
    throw mismatch("bad-input", "openings", "some text in each", "an empty one");
  const hasTemplate = model.description.chatTemplate !== undefined;
  const introduce = (instruction: string, trait: string): string =>
    hasTemplate
      ? model.chatPrompt([{ role: "user", content: `${instruction} ${trait}.` }], { addGenerationPrompt: true })
      : `The speaker is ${trait}. ${instruction === instructions[0] ? "The speaker says" : "These are the speaker's words"}: "`;
  const pairs = instructions.flatMap((instruction) =>
    openings.map((opening) => ({
      prompt: "",
      positive: introduce(instruction, positive) + opening,
      negative: introduce(instruction, negative) + opening,
    })),
  );
  return { pairs, readAt: "last", parseSpecial: hasTemplate };
}
