import { runInNewContext } from "node:vm";
import { Template } from "@huggingface/jinja";
import { mismatch, TrimtabError } from "../errors.ts";
import type { ChatMessage } from "./open-model.ts";

export interface ChatTokens {
  readonly bos: string;
  readonly eos: string;
}

// Real templates take a few milliseconds.
const longestMs = 1000;

/**
 * Renders messages with a model's own chat template (Jinja, as Hugging Face and llama.cpp read it).
 *
 * @throws unsupported if the model has none
 * @throws bad-input if the template refuses the messages, in the template's own words
 */
export function renderChat(
  template: string | undefined,
  messages: readonly ChatMessage[],
  { bos, eos }: ChatTokens,
  addGenerationPrompt: boolean,
): string {
  if (template === undefined)
    throw mismatch("unsupported", "chat", "a model with a chat template", "a file without one", {
      hint: "give the prompt as plain text, or use the instruction-tuned model of the family",
    });
  try {
    const render = (): string =>
      new Template(template).render({
        messages: messages.map(({ role, content }) => ({ role, content })),
        add_generation_prompt: addGenerationPrompt,
        bos_token: bos,
        eos_token: eos,
      });
    // A template is a program from a stranger's file. Under the clock of `vm` one that loops for ever is stopped.
    return runInNewContext("render()", { render }, { timeout: longestMs }) as string;
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new TrimtabError("bad-input", `chat: expected messages that the model's template takes, got: ${text}`, {
      hint: "many templates want user and assistant in turn, and some no system message",
      cause,
    });
  }
}
