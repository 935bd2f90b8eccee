import { mismatch } from "../../errors.ts";

/** Counts requests to endpoints, and stops before one too many. Judges of a run share one. */
export interface CallBudget {
  readonly maxCalls: number;
  /** Requests sent, those that failed and were tried again included. */
  readonly calls: number;
  /** Tokens that the servers counted. */
  readonly tokens: number;
  /** Says that a request is about to be sent. @throws bad-input if it would be one too many */
  spend(): void;
  /** Says what an answer cost. */
  count(tokens: number): void;
}

/** Opens a budget of so many requests. @throws bad-input if that is not a whole number from 0, or infinity */
export function createCallBudget(maxCalls: number): CallBudget {
  if (!(maxCalls === Number.POSITIVE_INFINITY || (Number.isInteger(maxCalls) && maxCalls >= 0)))
    throw mismatch("bad-input", "judge calls", "a whole number from 0", String(maxCalls));
  let [calls, tokens] = [0, 0];
  return {
    maxCalls,
    get calls() {
      return calls;
    },
    get tokens() {
      return tokens;
    },
    spend() {
      if (calls >= maxCalls)
        throw mismatch("bad-input", "judge calls", `at most ${maxCalls}`, "one more", {
          hint: "what was judged so far is kept: run it again with a higher limit to go on",
        });
      calls += 1;
    },
    count(more) {
      tokens += more;
    },
  };
}
