import { cohenKappa } from "../judges/cohen-kappa.ts";
import type { Judge, Judgement } from "../judges/judge.ts";
import type { RefusalResult } from "./refusal-result.ts";
import type { ResponseCell } from "./response-cell.ts";
import { promptClasses } from "./split-instructions.ts";

/**
 * Agreement of each two judges of one question over all responses of a run. A prompt's responses on one model, under whatever steering, are drawn
 * together for the interval: they are no independent samples.
 *
 * @param sides - of each steered model its measurements
 */
export function toJudgeAgreement(
  judges: readonly Pick<Judge, "name" | "question">[],
  sides: readonly (readonly ResponseCell[])[],
  bootstrap: { readonly seed: number; readonly resamples?: number },
): RefusalResult["agreement"] {
  const groups: number[] = [];
  const answers = judges.map((): Judgement[] => []);
  let first = 0;
  for (const cells of sides) {
    for (const cell of cells) {
      let prompt = first;
      for (const kind of promptClasses)
        for (const { responses } of cell[kind]) {
          for (const { judged } of responses) {
            groups.push(prompt);
            for (const [j, list] of answers.entries()) list.push(judged[j] ?? null);
          }
          prompt += 1;
        }
    }
    first += promptClasses.reduce((sum, kind) => sum + (cells[0]?.[kind].length ?? 0), 0);
  }
  return judges.flatMap((a, i) =>
    judges.flatMap((b, j) =>
      i < j && a.question === b.question
        ? [
            {
              judges: [a.name, b.name] as const,
              ...cohenKappa(answers[i]!, answers[j]!, { groups, ...bootstrap }),
            },
          ]
        : [],
    ),
  );
}
