import type { ScoreText } from "./scorer.ts";

/**
 * Opens a function that scores the sentiment of English text from −1 (negative) to 1 (positive): VADER's compound score, from a list of
 * 7500 rated words and rules for negation, degree, capitals and exclamation marks. `null` without a letter.
 *
 * Texts without a listed word score 0, other languages near 0. A single capitalised word among others counts more than a small one.
 *
 * @see Hutto and Gilbert 2014, "VADER: A Parsimonious Rule-based Model for Sentiment Analysis of Social Media Text"
 */
export async function openSentimentScorer(): Promise<ScoreText> {
  const { default: vader } = await import("vader-sentiment");
  return (text) => ({
    value: /\p{L}/u.test(text) ? vader.SentimentIntensityAnalyzer.polarity_scores(text).compound : null,
  });
}
