/** A bootstrap interval: the middle `level` of the values got by drawing held-out windows anew. */
export interface Interval {
  readonly low: number;
  readonly high: number;
  /** Share of the resampled values inside, such as 0.95. */
  readonly level: number;
  readonly resamples: number;
}

/** Mean cosine between predicted and true rows. */
export interface MeanCosine {
  /** Of the rows as they are. A constant prediction scores well here when rows share a large mean: read it beside the mean null. */
  readonly raw: number;
  /** After taking the training mean of the target from both. 0 for a prediction that knows nothing. */
  readonly centred: number;
}

/** How a prediction did on held-out rows. */
export interface PredictionScore {
  /** 1 − SSE/SST over all dimensions together; SST is about the mean of the held-out rows. */
  readonly r2: number;
  readonly cosine: MeanCosine;
}

/** Spread of a number over the target's dimensions. */
export interface Quartiles {
  readonly lower: number;
  readonly median: number;
  readonly upper: number;
}

/** What a prediction by the current token alone explains, and what the map explains beyond it (see `token-table.ts`). */
export interface TokenIdentityScore {
  /** R² of the target's mean state per token id, with no source model at all. */
  readonly table: number;
  /** Share of what the table leaves unexplained that the map explains: 1 − SSE(table + map on residuals)/SSE(table). */
  readonly beyond: number;
  /** Different token ids seen in the training rows. */
  readonly tokensSeen: number;
  /** Share of held-out rows whose token the table had not seen; they are given the global mean. */
  readonly unseenShare: number;
}

/** A map's score on windows that neither fitted it nor chose its penalty, beside what no knowledge at all would score. */
export interface MapScores extends PredictionScore {
  readonly rows: number;
  readonly windows: number;
  /** Interval of `r2` over held-out windows, for this fitted map. It does not contain the variation of the fit itself. */
  readonly r2Interval: Interval;
  readonly r2PerDimension: Quartiles;
  /** Mean squared error per dimension. */
  readonly mse: number;
  /** Rows that the cosines are means over: all held-out rows, which are bounded in number (see `held-out-set.ts`). */
  readonly cosineRows: number;
  readonly nulls: {
    /** The training mean for every row. */
    readonly mean: PredictionScore;
    /** The same fit on pairs whose target windows were permuted. */
    readonly shuffled: PredictionScore;
    /** A random semi-orthogonal matrix with the best single scale. */
    readonly randomOrthogonal: PredictionScore;
  };
  readonly tokenIdentity: TokenIdentityScore;
}
