/** What the numbers allow to say about a transfer. */
export type VerdictCode = "transfers" | "partly" | "fails" | "reversed" | "cannot-judge";

export interface Verdict {
  readonly code: VerdictCode;
  /** One or two plain sentences with the numbers they rest on. */
  readonly text: string;
}

/**
 * Where the verdicts change. They are conventions, chosen before looking at results:
 * - `insideNull` 2: nineteen of twenty random directions lie within two standard deviations, so below that nothing was shown;
 * - `clear` 3: outside anything twenty random directions are expected to do;
 * - `deltaCorrelation` 0.5: the items share at least a quarter of the variance of their changes;
 * - `slopeLow`, `slopeHigh` 0.5 and 2: native strength up to a factor of two.
 */
export const verdictThresholds: Readonly<
  Record<"insideNull" | "clear" | "deltaCorrelation" | "slopeLow" | "slopeHigh", number>
> = { insideNull: 2, clear: 3, deltaCorrelation: 0.5, slopeLow: 0.5, slopeHigh: 2 };

/** The numbers a verdict rests on; `null` where one is not defined. */
export interface VerdictNumbers {
  readonly zNative: number | null;
  readonly zTransferred: number | null;
  readonly deltaCorrelation: number | null;
  readonly slopeRatio: number | null;
  readonly randomDirections: number;
}

/**
 * Says in plain words whether a transfer worked, and first of all whether these items can tell.
 *
 * In order: too few random directions, or a native effect that is itself among the random ones, and nothing can be judged;
 * a transferred effect among the random ones fails, one on the far side of them is reversed; a clear one with a similar slope that
 * moves the same items transfers; the rest is partly, and says what is missing.
 */
export function toVerdict(numbers: VerdictNumbers): Verdict {
  const { zNative, zTransferred, deltaCorrelation, slopeRatio, randomDirections } = numbers;
  const limits = verdictThresholds;
  if (zNative === null || zTransferred === null)
    return {
      code: "cannot-judge",
      text: `Cannot be judged: ${randomDirections} random direction${randomDirections === 1 ? "" : "s"} give no spread to compare with. Run at least 20.`,
    };
  if (zNative < limits.insideNull)
    return {
      code: "cannot-judge",
      text:
        zNative <= -limits.insideNull
          ? `Cannot be judged: the native vector itself moves these items the wrong way (z = ${format(zNative)}). Check which side of the pairs is the positive one.`
          : `Cannot be judged: the native vector itself moves these items no further than random directions do (z = ${format(zNative)}, below ${limits.insideNull}). The transferred vector has z = ${format(zTransferred)}. Other items or another layer are needed.`,
    };
  if (zTransferred <= -limits.insideNull)
    return {
      code: "reversed",
      text: `Reversed: the transferred vector pushes the wrong way (z = ${format(zTransferred)}, native ${format(zNative)}).`,
    };
  if (zTransferred < limits.insideNull)
    return {
      code: "fails",
      text: `Does not transfer: the transferred vector moves these items no further than random directions do (z = ${format(zTransferred)}, below ${limits.insideNull}), while the native one does (z = ${format(zNative)}).`,
    };
  const short: string[] = [];
  if (zTransferred < limits.clear) short.push(`its effect stands only ${format(zTransferred)} standard deviations out`);
  if (slopeRatio === null || slopeRatio < limits.slopeLow || slopeRatio > limits.slopeHigh)
    short.push(
      slopeRatio === null ? "the slope ratio is not defined" : `it has ${format(slopeRatio, 2)} of the native strength`,
    );
  if (deltaCorrelation !== null && deltaCorrelation < limits.deltaCorrelation)
    short.push(`it moves other items than the native one (Δr = ${format(deltaCorrelation, 2)})`);
  if (short.length > 0)
    return {
      code: "partly",
      text: `Transfers in part: z = ${format(zTransferred)} against random directions (native ${format(zNative)}), but ${short.join(", and ")}.`,
    };
  const items =
    deltaCorrelation === null
      ? "Δr is not defined here, because the items do not differ"
      : `moves the same items (Δr = ${format(deltaCorrelation, 2)})`;
  return {
    code: "transfers",
    text: `Transfers: z = ${format(zTransferred)} against random directions (native ${format(zNative)}), ${format(slopeRatio!, 2)} of the native strength; ${items}.`,
  };
}

function format(value: number, digits = 1): string {
  const text = value.toFixed(digits);
  return Number(text) === 0 ? text.replace("-", "") : text.replace("-", "−");
}
