import type { OpenModel } from "../../engine/open-model.ts";
import { mismatch } from "../../errors.ts";
import { type PropensityItem, type TokenizedItem, toScoredItem } from "../../evaluate/items.ts";
import { type ChatMode, frameItems } from "../../evaluate/propensity/framing.ts";

/** What a model is told before every item, if anything. */
export interface TellOptions {
  /** Through the chat template as a system message; before plain text with an empty line between. */
  readonly system?: string | undefined;
  /** Directly before the prompt, as it stands: plain text alone. */
  readonly prefix?: string | undefined;
  readonly chat?: ChatMode;
}

/**
 * Puts items as a model is to read them, with what it is told before them, as token ids.
 *
 * @throws bad-input for items that leave no token for prompt or answers, for both kinds of telling at once; what `frameItems` throws
 */
export async function toEffectItems(
  model: Pick<OpenModel, "tokenize" | "description" | "chatPrompt">,
  items: readonly PropensityItem[],
  { system, prefix, chat = "auto" }: TellOptions = {},
): Promise<TokenizedItem[]> {
  if (system !== undefined && prefix !== undefined)
    throw mismatch("bad-input", "change", "a system prompt or a prefix", "both");
  for (const [name, told] of [
    ["system prompt", system],
    ["prefix", prefix],
  ] as const)
    if (told?.trim() === "") throw mismatch("bad-input", name, "some text", "none");
  const framed = frameItems(model, items, { chat: prefix === undefined ? chat : "off", instruction: system });
  const tokenized: TokenizedItem[] = [];
  for (const [i, item] of framed.items.entries()) {
    const whole = prefix === undefined ? item : { ...item, prompt: prefix + item.prompt };
    const options = { parseSpecial: framed.parseSpecial, where: `item ${i + 1}` };
    tokenized.push(await toScoredItem(model, whole, options));
  }
  return tokenized;
}
