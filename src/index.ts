// The public door: explicit named exports, grouped by room.

// activations
export {
  type AlignmentCounts,
  type SideCounts,
  usableShare,
} from "./activations/align/aligned-text.ts";
export {
  type Alignment,
  describeAlignment,
  formatAlignment,
  isOneTokenizer,
  parseAlignment,
  resolveAlignment,
} from "./activations/align/alignment.ts";
export { leastUsable } from "./activations/align/check-usable.ts";
export { cutSegments } from "./activations/align/cut-segments.ts";
export { toSegmentWindows } from "./activations/align/segment-windows.ts";
export { findTokenEnds, pairSpans, type SpanPairs, type TokenEnds } from "./activations/align/span-pairs.ts";
export { toSpanWindows } from "./activations/align/span-windows.ts";
export {
  type ContrastPair,
  checkContrastPair,
  checkContrastPairs,
  maxPairs,
  type ReadContrastOptions,
  readContrastSet,
  toPlainPrompt,
} from "./activations/contrast-set.ts";
export { type Corpus, type CorpusDocument, resolveCorpus, toCorpus } from "./activations/corpus.ts";
export { joinWindows, pairWindows } from "./activations/pair-windows.ts";
export { formatReadPosition, parseReadPosition, type ReadPosition } from "./activations/read-position.ts";
export { type LeftOut, type PairedRows, type ReadRowsOptions, readRows } from "./activations/read-rows.ts";
export {
  allRows,
  checkRowSelection,
  coversReadPosition,
  formatRowSelection,
  isReadFrom,
  parseRowSelection,
  type RowRule,
  type RowSelection,
} from "./activations/row-selection.ts";
export { createRowSelector, limitRows, type RowSelector } from "./activations/select-rows.ts";
export { type SinkLimits, sinkFactor } from "./activations/sink-limits.ts";
export {
  checkSameTokenizer,
  defaultContext,
  resolveContext,
  type TokenWindow,
  toWindows,
  type WindowOptions,
} from "./activations/windows.ts";
export {
  type Closeness,
  cosineCloseness,
  euclideanCloseness,
  graphCloseness,
  readoutCloseness,
} from "./compare/closeness.ts";
export { type AnchorFit, type AnchorWay, fitAffineByFolds, fitFromAnchors } from "./compare/fit-from-anchors.ts";
export { type FunctionalSide, type FunctionalSideOptions, toFunctionalSide } from "./compare/functional-basis.ts";
export { functionalLikeness, functionalOverlap } from "./compare/functional-likeness.ts";
export { type FunctionalMapOptions, fitFunctionalMap } from "./compare/functional-map.ts";
export {
  type AnchorPairs,
  fitFunctionalTransfer,
  type TransferSides,
  toTransferSides,
} from "./compare/functional-transfer.ts";
export { type GeoTopology, type GeoTopologyOptions, geoTopology } from "./compare/geo-topology.ts";
export { graphDistances } from "./compare/graph-distances.ts";
export { type KernelCka, type KernelCkaOptions, kernelCka } from "./compare/kernel-cka.ts";
export { fitKnnGraph, type KnnGraph, type KnnGraphOptions } from "./compare/knn-graph.ts";
export { type LaplacianBasis, type LaplacianBasisOptions, laplacianBasis } from "./compare/laplacian-basis.ts";
export { linearCkaOfRows } from "./compare/linear-cka-of-rows.ts";
export { matchProfiles, type ProfileMatch, profileLikeness } from "./compare/match-profiles.ts";
// compare
export type { Measure as LikenessMeasure, MeasureOptions, PairingScore } from "./compare/measure.ts";
export { rowMeasures } from "./compare/measures.ts";
export { type MutualNeighbours, mutualNeighbours } from "./compare/mutual-neighbours.ts";
export { type MeanMetrics, type NeighbourhoodGraphs, neighbourhoodGraphs } from "./compare/neighbourhood-graph.ts";
export { type NeighbourhoodMetrics, neighbourhoodMetrics } from "./compare/neighbourhood-metrics.ts";
export { fitNnkGraph, type NnkGraph } from "./compare/nnk-graph.ts";
export { type NullScores, type NullScoresOptions, nullScores } from "./compare/null-scores.ts";
export { type ProcrustesLikeness, procrustesLikeness } from "./compare/procrustes-likeness.ts";
export { type Readout, readoutDistances } from "./compare/readout-distances.ts";
export { drawAnchors, relativeRows } from "./compare/relative-rows.ts";
export { type Rsa, type RsaOptions, rsa } from "./compare/rsa.ts";
export { svccaOfRows } from "./compare/svcca-of-rows.ts";
export type { AdapterDescription, LoraChoice } from "./engine/adapter.ts";
export type { BatchedGeneration, BatchedOptions, BatchStats, ContinuousBatch } from "./engine/continuous-batch.ts";
// engine
export {
  type Capabilities,
  type ModelDescription,
  type ModelIdentity,
  type TokenizerDescription,
  toIdentity,
} from "./engine/description.ts";
export { EngineModel } from "./engine/engine-model.ts";
export { freeBytes } from "./engine/free-bytes.ts";
export {
  type EngineLibrary,
  enginePackages,
  enginePackageVersion,
  engineRelease,
  resolveLibrary,
  type Variant,
} from "./engine/library.ts";
export type { TailInput, TailStep } from "./engine/native/tail-runner.ts";
export { type OpenOptions, openModel } from "./engine/open.ts";
export type {
  ChatMessage,
  Edit,
  GeneratedPiece,
  GenerateOptions,
  Generation,
  LayerAddition,
  OpenModel,
  ReadOptions,
  RunOptions,
  ScoredItem,
  StopReason,
  TokenOdds,
  WindowBatch,
  WindowStates,
} from "./engine/open-model.ts";
export type { OpenSequence } from "./engine/open-sequence.ts";
export type { EngineInfo } from "./engine/protocol.ts";
export { defaultSampling } from "./engine/sampling.ts";
export { checkSite, formatSite, isSameSite, parseSite, residPost, type Site } from "./engine/site.ts";
export type { StateSequence } from "./engine/start-states.ts";
export { type OpenTailOptions, openTail } from "./engine/tail/open-tail.ts";
export { removeTailFile, type TailFileOptions } from "./engine/tail/tail-file.ts";
export type { TailModel, TailProof, TailText, TailWay } from "./engine/tail/tail-model.ts";
export { type ErrorCode, statusOf, TrimtabError } from "./errors.ts";
// evaluate
export { type Arm, type ArmKind, promptArm, randomArms, shuffledArm, vectorArm } from "./evaluate/arms.ts";
export { type BootstrapOptions, bootstrapIntervals } from "./evaluate/bootstrap.ts";
export {
  type BehaviourOptions,
  type BehaviourSide,
  itemBehaviour,
  textBehaviour,
} from "./evaluate/calibrate/behaviour.ts";
export {
  type CalibrateOptions,
  type CalibrationSide,
  type Candidate,
  calibrate,
  choosePoint,
  toCalibrationCsv,
} from "./evaluate/calibrate/calibrate.ts";
export { calibrateSplits } from "./evaluate/calibrate/calibrate-splits.ts";
export {
  type CalibrationPoint,
  type CalibrationRecord,
  type CalibrationResult,
  type CalibrationSplits,
  formatCalibrationRecord,
  type HeldOutPoint,
  type OverSplits,
  parseCalibrationRecord,
  type SplitChoice,
} from "./evaluate/calibrate/calibration-result.ts";
export {
  type CalibrationTask,
  readItemsTask,
  readPromptsTask,
  splitUnits,
  toPromptsTask,
  type UnitSplit,
} from "./evaluate/calibrate/calibration-task.ts";
export {
  type CalibrationDeal,
  type OpenCalibrationOptions,
  type OpenedCalibration,
  openCalibration,
} from "./evaluate/calibrate/open-calibration.ts";
export { type SidePart, type SplitParts, subsetSides } from "./evaluate/calibrate/subset-side.ts";
export { type CellPart, type CellStore, hashCell, openCellStore, openMemoryCells } from "./evaluate/cell-store.ts";
export {
  type ComparedVectors,
  type CompareOptions,
  type CompareTextsOptions,
  chooseReference,
  compareSteering,
  compareTexts,
  defaultStrengths,
} from "./evaluate/compare.ts";
export type {
  ComparedStrength,
  Comparison,
  Estimate,
  RandomResponse,
  Response,
  VectorResponse,
} from "./evaluate/comparison.ts";
export {
  type ContrastFeature,
  type ContrastFeaturesOptions,
  contrastFeatures,
  type FeatureContrast,
} from "./evaluate/features/contrast-features.ts";
export { type PropensityItem, readItems, type TokenizedItem, toScoredItem } from "./evaluate/items.ts";
export { type CallBudget, createCallBudget } from "./evaluate/judges/call-budget.ts";
export { type ChatEndpoint, checkChatEndpoint } from "./evaluate/judges/chat-endpoint.ts";
export { type CohenKappaOptions, cohenKappa, type JudgeAgreement } from "./evaluate/judges/cohen-kappa.ts";
export { type EndpointJudgeOptions, endpointJudge } from "./evaluate/judges/endpoint-judge.ts";
export type {
  Judge,
  JudgeCost,
  JudgedSample,
  Judgement,
  JudgeOptions,
  JudgeQuestion,
  OwnQuestion,
} from "./evaluate/judges/judge.ts";
export { readJudgeQuestion } from "./evaluate/judges/judge-question.ts";
export { type LogOddsJudge, type LogOddsJudgeOptions, openLogOddsJudge } from "./evaluate/judges/log-odds-judge.ts";
export {
  endpointDefaults,
  type JudgeChoice,
  type JudgeEndpoint,
  type JudgeKind,
  type JudgeStore,
  judgeKinds,
  openEndpointJudges,
  openJudges,
} from "./evaluate/judges/open-judges.ts";
export {
  type AnswerOpenings,
  defaultOpenings,
  measureOpeningOdds,
  tokenizeOpenings,
} from "./evaluate/judges/opening-odds.ts";
export { type PhraseJudgeOptions, phraseJudge } from "./evaluate/judges/phrase-judge.ts";
export { refusalPhrases } from "./evaluate/judges/refusal-phrases.ts";
export { toPromptTokens } from "./evaluate/prompt-tokens.ts";
export { type GridAgreement, gridAgreement, type MeasuredValues } from "./evaluate/propensity/agreement.ts";
export {
  type AnswerCount,
  balanceAnswers,
  countAnswers,
  hasChoices,
  type SteeringBenchRow,
  toChoices,
  toSteeringBench,
} from "./evaluate/propensity/choices.ts";
export {
  countPasses,
  type EvaluateTaskOptions,
  evaluateTask,
  type MeasuredPass,
  type TaskInput,
} from "./evaluate/propensity/evaluate-task.ts";
export { type ChatMode, type FramedItems, frameItems, resolveChat } from "./evaluate/propensity/framing.ts";
export { type PropensityCellOptions, propensityCells } from "./evaluate/propensity/propensity-cell.ts";
export {
  formatPropensityResult,
  type PropensityResult,
  parsePropensityResult,
  toPropensityCsv,
} from "./evaluate/propensity/propensity-result.ts";
export { correctTasks, summariseTask, type TaskFacts, type TaskRuns } from "./evaluate/propensity/summarise-task.ts";
export type {
  Agreement,
  Measure,
  OverStrengths,
  PromptBaseline,
  PropensityTask,
  StrengthAgreement,
  TaskDamage,
} from "./evaluate/propensity/task-result.ts";
export { extractTaskVectors, type TaskVectors, type TaskVectorsOptions } from "./evaluate/propensity/task-vectors.ts";
export { measurePropensity, type Propensity, toPropensity } from "./evaluate/propensity.ts";
export { pythonShuffle } from "./evaluate/python-shuffle.ts";
export {
  costOf,
  estimateRefusal,
  type RefusalCost,
} from "./evaluate/refusal/estimate-refusal.ts";
export {
  type EvaluateRefusalOptions,
  evaluateRefusal,
  type MeasuredRefusal,
} from "./evaluate/refusal/evaluate-refusal.ts";
export { type InstructionFrame, resolveFrame } from "./evaluate/refusal/instruction-frame.ts";
export { isBroken } from "./evaluate/refusal/is-broken.ts";
export { toJudgeAgreement } from "./evaluate/refusal/judge-agreement.ts";
export type { PlanPassesOptions, ToldArm } from "./evaluate/refusal/plan-passes.ts";
export {
  defaultWords,
  type PlannedSide,
  type PlanSidesOptions,
  planSides,
  type RefusalDesign,
  type ToldWords,
} from "./evaluate/refusal/plan-sides.ts";
export { readInstructions } from "./evaluate/refusal/read-instructions.ts";
export { formatRefusalResult, parseRefusalResult, toRefusalCsv } from "./evaluate/refusal/refusal-file.ts";
export type {
  ChosenStrengths,
  ClassRates,
  JudgedShares,
  PromptMean,
  RefusalChoice,
  RefusalLayerRecord,
  RefusalResult,
  RefusalRow,
  RefusalSide,
} from "./evaluate/refusal/refusal-result.ts";
export {
  extractRefusalVectors,
  neededLayers,
  type RefusalLayer,
  type RefusalVectors,
  type ShuffledVector,
  toRefusalLayers,
} from "./evaluate/refusal/refusal-vectors.ts";
export type {
  PromptValue,
  RefusalJudge,
  ResponseCell,
  ResponseSampling,
  ResponseValue,
} from "./evaluate/refusal/response-cell.ts";
export { type SortedMaps, sortMaps } from "./evaluate/refusal/sort-maps.ts";
export {
  type DroppedInstructions,
  type InstructionSplit,
  type PromptClass,
  promptClasses,
  type SplitInstructionsOptions,
  splitInstructions,
} from "./evaluate/refusal/split-instructions.ts";
export {
  brokenLimit,
  chooseSettings,
  quotedRows,
  type StrongestRows,
  strongestRows,
} from "./evaluate/refusal/strongest-rows.ts";
export { correctSides, type MeasuredRow, testRows } from "./evaluate/refusal/test-rows.ts";
export { refusalWarnings, toRefusalResult } from "./evaluate/refusal/to-refusal-result.ts";
export type { ComparisonProgress, Steer } from "./evaluate/run-comparison.ts";
export {
  checkRunModel,
  checkRunRecord,
  type ModelRole,
  type RunModel,
  type RunRecord,
  toRunModel,
} from "./evaluate/run-record.ts";
export { holm, type Significance, studentTail, testAgainstNull } from "./evaluate/significance.ts";
export { type ItemSplit, questionOf, type SplitOptions, splitItems } from "./evaluate/split-items.ts";
export {
  type ConfidenceInterval,
  leastSquaresSlope,
  mean,
  meanSquaredError,
  pearson,
  quantile,
  slopeRatio,
  spearman,
  standardDeviation,
  wilsonInterval,
  zAgainst,
} from "./evaluate/statistics.ts";
export { type ComparisonRuns, summariseComparison } from "./evaluate/summarise-comparison.ts";
export {
  type BreakingPoint,
  type BreakRule,
  defaultBreakRule,
  findBreakingPoint,
  type TextState,
} from "./evaluate/text/breaking-point.ts";
export { scoreCapitalLetters, scoreCapitalWords } from "./evaluate/text/capitals.ts";
export {
  type Damage,
  type DamageOptions,
  measureDamage,
  poolDamage,
  type WindowDamage,
} from "./evaluate/text/damage.ts";
export {
  type DamageBaseline,
  type DamageBaselineOptions,
  type PositionRange,
  readDamageBaseline,
} from "./evaluate/text/damage-baseline.ts";
export { distinctN, distinctWords } from "./evaluate/text/distinct-n.ts";
export { type DamagePoint, damageLevels, effectAtDamage } from "./evaluate/text/equal-damage.ts";
export { estimateTexts, type TextCost } from "./evaluate/text/estimate-texts.ts";
export {
  type EvaluateTextOptions,
  evaluateText,
  type TextModel,
  type TextProgress,
  toNeutral,
} from "./evaluate/text/evaluate-text.ts";
export { type FramedPrompts, framePrompts } from "./evaluate/text/frame-prompts.ts";
export { type GeneratedText, type GenerateTextsOptions, generateTexts } from "./evaluate/text/generate-texts.ts";
export { toJudgeScorer } from "./evaluate/text/judge-scorer.ts";
export { languageCodes, openLanguageScorer } from "./evaluate/text/language.ts";
export {
  isPositiveText,
  type Lexicon,
  type LexiconEntry,
  parseLexicon,
  readLexicon,
  scoreText,
  type TextScore,
  toLexiconEntry,
} from "./evaluate/text/lexicon.ts";
export {
  type CrossScored,
  type Divergence,
  type DivergenceOptions,
  estimateCloseness,
  estimateDivergence,
  type ScoredPair,
} from "./evaluate/text/likeness.ts";
export {
  builtInNeutralName,
  type NeutralRecord,
  type NeutralText,
  readNeutralText,
  toNeutralRecord,
} from "./evaluate/text/neutral-text.ts";
export { readPrompts } from "./evaluate/text/read-prompts.ts";
export { repetitionOf } from "./evaluate/text/repetition.ts";
export { type ResolveScorerOptions, resolveScorer, scorerForms } from "./evaluate/text/resolve-scorer.ts";
export type { TextComparison, TextRow } from "./evaluate/text/run-text-comparison.ts";
export { type ScoredText, type Scorer, type ScoreText, type TextSample, toScorer } from "./evaluate/text/scorer.ts";
export { openSentimentScorer } from "./evaluate/text/sentiment.ts";
export {
  type DamageCell,
  openSpeakerCells,
  plainSampling,
  type Speaker,
  type SpeakerCells,
  type SpeakerCellsOptions,
  type TextSampling,
  type WrittenText,
} from "./evaluate/text/speaker.ts";
export { measureTextEffect, type TextEffect } from "./evaluate/text/text-effect.ts";
export { formatTextRecord, parseTextRecord, type TextRecord, toTextCsv } from "./evaluate/text/text-record.ts";
export type {
  ArmBreak,
  DamageMeasure,
  EqualDamage,
  Likeness,
  MeasuredScore,
  MeasuredTexts,
  TextResult,
} from "./evaluate/text/text-result.ts";
export { readWordScorer, type WordScorer } from "./evaluate/text/word-list.ts";
export { toVerdict, type Verdict, type VerdictCode, verdictThresholds } from "./evaluate/verdict.ts";
// features
export { type CarryingMaps, type CarrySaeOptions, carrySae } from "./features/carry-sae.ts";
export { type CheckedCarryingMaps, checkCarryingMaps } from "./features/carry-sae-maps.ts";
export { type CheckSaeModelOptions, checkSaeModel } from "./features/check-sae-model.ts";
export { decodeRows } from "./features/decode.ts";
export {
  type DecoderFit,
  type DecoderRelation,
  type DecoderRelationOptions,
  relateDecoders,
} from "./features/decoder-relation.ts";
export { encodeRows } from "./features/encode.ts";
export { directionTokens, type TokenLogit } from "./features/examples/direction-tokens.ts";
export {
  type FeatureExample,
  type FeatureExamples,
  type FeatureSummary,
  type FeatureToken,
  type FindExamplesOptions,
  findExamples,
} from "./features/examples/find-examples.ts";
export { type ReadPairFeaturesOptions, readPairFeatures } from "./features/examples/read-pair-features.ts";
export type { MarkedText } from "./features/examples/text-around.ts";
export { createMatches, type FeatureMatch, type GrowingMatches } from "./features/match-features.ts";
export { carryProbe, type ProbeTransfer, pullBackPlane, pushForwardPlane } from "./features/probes/carry-probe.ts";
export { type FitProbeOptions, type FittedProbe, fitProbe, recalibrate } from "./features/probes/fit-probe.ts";
export { type LabelledText, readLabelledTexts } from "./features/probes/labelled-texts.ts";
export { measureScores, type ScoreMeasures } from "./features/probes/measure-scores.ts";
export {
  applyProbe,
  type CarriedProbe,
  checkProbe,
  type Probe,
  type ProbeKind,
  type ProbeProvenance,
  type ProbeScores,
  type ProbeTexts,
} from "./features/probes/probe.ts";
export { readProbe, writeProbe } from "./features/probes/probe-file.ts";
export {
  type ProbeSource,
  type ProbeTextSet,
  readProbeRows,
  takeRows,
  toProbeTexts,
} from "./features/probes/probe-rows.ts";
export { type RowSplit, splitRows } from "./features/probes/split-rows.ts";
export { type FeatureWindow, type ReadFeaturesOptions, readFeatures } from "./features/read-features.ts";
export {
  applyFeatureMap,
  type FeatureFit,
  type FeatureMap,
  type FeatureMapScores,
  featureDirection,
} from "./features/s2l/feature-map.ts";
export { readFeatureMap, writeFeatureMap } from "./features/s2l/feature-map-file.ts";
export { type FeatureWeight, featureVector } from "./features/s2l/feature-vector.ts";
export { type FitFeatureMapOptions, fitFeatureMap } from "./features/s2l/fit-feature-map.ts";
export type { FeatureRows, Sae, SaeActivation, SaeOrigin } from "./features/sae.ts";
export { saeDigest } from "./features/sae-digest.ts";
export { findSaeLayout, type ReadSaeOptions, readSae, type SaeLayout, writeSae } from "./features/sae-file.ts";
export type { FeatureUse, SaeArm, SaeScores, ScoredValue } from "./features/score/sae-scores.ts";
export { type ScoreSaeOptions, scoreSae } from "./features/score/score-sae.ts";
export { sliceSparseRows } from "./features/slice-sparse-rows.ts";
export type { SparseRows } from "./features/sparse-rows.ts";
export { estimateTraining, type TrainingMemory } from "./features/train/estimate-training.ts";
export { type CorpusPart, corpusDigest, type ModelTextOptions, openModelRows } from "./features/train/model-rows.ts";
export { type RowChunk, type RowSource, toRowSource } from "./features/train/row-source.ts";
export {
  resolveTrainSettings,
  type TrainedKind,
  type TrainOptions,
  type TrainSettings,
} from "./features/train/settings.ts";
export { type TrainModelSaeOptions, trainModelSae } from "./features/train/train-model-sae.ts";
export { type SaeSnapshots, type TrainProgress, type TrainSaeOptions, trainSae } from "./features/train/train-sae.ts";
export type { TrainPoint } from "./features/train/training-state.ts";
// formats
export { type CsvRow, parseCsv, readCsv } from "./formats/csv.ts";
export { formatGguf, type GgufContent } from "./formats/format-gguf.ts";
export { type GgufHeader, type GgufTensorInfo, parseGgufHeader, readGgufHeader } from "./formats/gguf.ts";
export { splitFiles } from "./formats/gguf-split.ts";
export { type GgufFile, type GgufTail, type GgufTailTensor, planGgufTail } from "./formats/gguf-tail.ts";
export { readGgufTensor } from "./formats/gguf-tensor.ts";
export {
  type GgufScalarType,
  type GgufValue,
  ggufBoolean,
  ggufNumber,
  ggufNumbers,
  ggufString,
  ggufStrings,
} from "./formats/gguf-value.ts";
export { type JsonLine, readJsonl } from "./formats/jsonl.ts";
export { nearest } from "./formats/nearest.ts";
export { type Lock, openLock } from "./formats/open-lock.ts";
export { type ReadLinesOptions, readLines, type TextLine } from "./formats/read-lines.ts";
export { readJson, readText } from "./formats/read-text.ts";
export {
  formatSafetensors,
  parseSafetensors,
  readSafetensors,
  readSafetensorsHeader,
  type Safetensors,
  type Tensor,
  type TensorData,
  writeSafetensors,
} from "./formats/safetensors.ts";
export { removeTemporaries, type WriteFileOptions, writeFileAtomic } from "./formats/write-file.ts";
export { type WriteGgufTailOptions, writeGgufTail } from "./formats/write-gguf-tail.ts";
// linalg
export { describeLinalg, type LinalgDescription, useLinalg } from "./linalg/backend.ts";
export { createMatrix, type Matrix } from "./linalg/matrix.ts";
export { type Random, seededRandom } from "./linalg/random.ts";
export { type Svd, svd } from "./linalg/svd.ts";
export { linalgThreads, setLinalgThreads } from "./linalg/threads.ts";
export {
  type AffineMap,
  type AlignmentRecord,
  applyMap,
  type CorpusRecord,
  carryDirection,
  type FitMethod,
  type FitRecord,
  type FitSpace,
  type MapEnd,
  type RowCounts,
  type RowsLeftOut,
} from "./maps/affine-map.ts";
// maps
export type { CheckpointOptions } from "./maps/collect/checkpoint.ts";
export {
  type CollectOptions,
  type CollectProgress,
  collectMoments,
  type SnapshotOptions,
} from "./maps/collect/collect-moments.ts";
export {
  alignmentOf,
  type Collection,
  type CollectionPlan,
  type HeldWindow,
  type JoinedText,
  type Ledger,
} from "./maps/collect/collection.ts";
export { readCollection, writeCollection } from "./maps/collect/collection-file.ts";
export { type CollectionHeader, readCollectionHeader, toCollectionHeader } from "./maps/collect/collection-header.ts";
export { estimateMemory, type MemoryEstimate, type MemoryOptions } from "./maps/collect/estimate-memory.ts";
export { findOverlaps, mergeCollections, type TextOverlap } from "./maps/collect/merge-collections.ts";
export type { PairSource } from "./maps/collect/open-windows.ts";
export { type CollectedLayers, toCollectedLayers } from "./maps/collect/plan-layers.ts";
export { reverseCollection } from "./maps/collect/reverse-collection.ts";
export { formatShard, parseShard, type Shard } from "./maps/collect/shard.ts";
export type { AdamWOptions } from "./maps/fit/adamw.ts";
export { chooseLambda, defaultLambdas, type LambdaChoice } from "./maps/fit/choose-lambda.ts";
export { type ChooseRankOptions, chooseRank, type RankChoice } from "./maps/fit/choose-rank.ts";
export { composeAffine } from "./maps/fit/compose-affine.ts";
export {
  type CrossValidatedLambda,
  type CrossValidation,
  type CrossValidationOptions,
  crossValidateLambda,
  type LambdaRule,
} from "./maps/fit/cross-validate-lambda.ts";
export { diagnoseSource, type SourceDiagnosis } from "./maps/fit/diagnose-source.ts";
export { type AdamWFit, type FitAdamWOptions, fitAdamW, type RowWindow } from "./maps/fit/fit-adamw.ts";
export type { AdamWChoice } from "./maps/fit/fit-adamw-text.ts";
export { fitOls, type OlsFit } from "./maps/fit/fit-ols.ts";
export { fitProcrustes, type ProcrustesFit, type ProcrustesOptions } from "./maps/fit/fit-procrustes.ts";
export { fitReducedRank, fitReducedRankPath, type ReducedRankPath } from "./maps/fit/fit-reduced-rank.ts";
export { type Affine, fitRidge, fitRidgePath, type RidgePath, type SourceBasis } from "./maps/fit/fit-ridge.ts";
export { checkFitChoice, type FitChoice } from "./maps/fit/fit-with.ts";
export { swapMoments } from "./maps/fit/swap-moments.ts";
export { type Space, type SpaceMoments, type ToSpaceOptions, toSpace } from "./maps/fit/to-space.ts";
export { fitBothWays, type MapsBothWays } from "./maps/fit-both-ways.ts";
export {
  defaultRows,
  type FitMapOptions,
  type FitMapResult,
  type FitMapsOptions,
  fitCollection,
  fitMap,
  fitMaps,
} from "./maps/fit-map.ts";
export type { LatentCode } from "./maps/latent-code.ts";
export { type BestMap, bestMap, latentMoments, type PlantedMap, plantedMap } from "./maps/latent-truth.ts";
export {
  createLatentWorld,
  type LatentModel,
  type LatentModelOptions,
  type LatentRows,
  type LatentWorld,
  type LatentWorldOptions,
} from "./maps/latent-world.ts";
export { type LayerGrid, parseLayerGrid, resolveLayerGrid, wholeGrid } from "./maps/layer-grid.ts";
export {
  defaultLayerPair,
  equalRelativeDepth,
  formatLayerPair,
  type LayerPair,
  parseLayerPair,
} from "./maps/layer-pairs.ts";
export {
  formatLayerPlan,
  formatLayers,
  type LayerPlan,
  type LayerRange,
  type LayerSet,
  type MapLayers,
  parseLayerPlan,
  type ResolvedLayerPlan,
  resolveLayerPlan,
} from "./maps/layer-plan.ts";
export { readMap, readMaps, writeMap, writeMaps } from "./maps/map-file.ts";
export { addMoments, createMomentsSum, type Moments, type MomentsSum, subtractMoments } from "./maps/moments.ts";
export { momentsOfRows } from "./maps/moments-of-rows.ts";
export { effectiveRank } from "./maps/score/effective-rank.ts";
export { scoreGrowing } from "./maps/score/growing-curve.ts";
export { type CurveOutlook, extrapolateCurve } from "./maps/score/learning-curve.ts";
export { type LinearCka, linearCka, type PairProducts } from "./maps/score/linear-cka.ts";
export type {
  Interval,
  LearningPoint,
  MapScores,
  MeanCosine,
  PredictionScore,
  Quartiles,
  SourceGain,
  TokenIdentityScore,
} from "./maps/score/map-scores.ts";
export { type MomentScores, scoreMoments } from "./maps/score/score-moments.ts";
export { scoreRoundTrip } from "./maps/score/score-round-trip.ts";
export {
  type PrincipalSide,
  type Svcca,
  type SvccaOptions,
  svcca,
  svccaOfSides,
  toPrincipalSide,
} from "./maps/score/svcca.ts";
export { type SweepOptions, sweepLayers } from "./maps/score/sweep-layers.ts";
export {
  type BestPairs,
  type SweepCell,
  type SweepCriterion,
  type SweepResult,
  sweepCriteria,
} from "./maps/score/sweep-result.ts";
export { type SolvedMaps, type SolveMapsOptions, solveMaps } from "./maps/solve-maps.ts";
// models
export { type DemoName, demoData, demoModelPath, demoNames } from "./models/demo-family.ts";
export type { HubOptions } from "./models/hub.ts";
export type { DownloadProgress } from "./models/hub-download.ts";
export { type HubSettings, resolveHubSettings } from "./models/hub-settings.ts";
export { type OpenReferenceOptions, openReference } from "./models/open.ts";
export {
  type DemoReference,
  formatReference,
  type HubReference,
  type ModelReference,
  type PathReference,
  parseReference,
} from "./models/reference.ts";
export { measureRemoteModel, type ResolvedModel, type ResolveOptions, resolveModel } from "./models/resolve-model.ts";
export { trimtabVersion } from "./models/trimtab-version.ts";
export { type UntrainedCopy, type UntrainedCopyOptions, writeUntrainedCopy } from "./models/untrained-copy.ts";
// recipe
export { type EstimateRecipeOptions, estimateRecipe, type RecipeEstimate } from "./recipe/estimate-recipe.ts";
export { parseRecipe, readRecipe } from "./recipe/parse-recipe.ts";
export { chooseStages, planStages } from "./recipe/plan-stages.ts";
export type {
  ItemsSplit,
  PropensityRecipe,
  PropensitySet,
  Recipe,
  RecipeCorpus,
  RecipeFile,
  RecipeGrid,
  RecipeMap,
  RecipeTask,
  RecipeVector,
  TextRecipe,
  VectorSource,
} from "./recipe/recipe.ts";
export { type RecipeRun, type RunRecipeOptions, runRecipe, type StageEvent } from "./recipe/run-recipe.ts";
export type { Bench, Stage, StageEstimate, StageProgress } from "./recipe/stage.ts";
export {
  type AnswerMap,
  type AnswerNumbers,
  type AnswerTask,
  type AnswerText,
  toAnswer,
} from "./report/answer.ts";
export { type DataColumn, type DataTable, formatCsv, renderDataTable, toTextCells } from "./report/data-table.ts";
export { escapeHtml } from "./report/escape-html.ts";
export { findWarnings } from "./report/find-warnings.ts";
export {
  formatCount,
  formatInterval,
  formatNumber,
  formatPercent,
  formatProbability,
  formatShortCount,
  formatSigned,
} from "./report/format-number.ts";
export { type HeatMapTextOptions, renderHeatMapText } from "./report/heat-map-text.ts";
export type { LayerAxis, LayerMatrix } from "./report/layer-matrix.ts";
export { renderPage } from "./report/page.ts";
export { renderCalibrationHeatMap } from "./report/plots/calibration-heat-map.ts";
export { renderChangeScatter } from "./report/plots/change-scatter.ts";
export { renderContrastFeatures } from "./report/plots/contrast-features-plot.ts";
export { renderCorrelationFigure } from "./report/plots/correlation-figure.ts";
export { renderEffectPlot } from "./report/plots/effect-plot.ts";
export { renderLayerHeatMap } from "./report/plots/layer-heat-map.ts";
export {
  type LearningCurveOptions,
  type LearningCurvePoint,
  renderLearningCurve,
} from "./report/plots/learning-curve.ts";
export { renderMapScorePlot, type ScoreBar } from "./report/plots/map-score-plot.ts";
export { renderPredictionPlot } from "./report/plots/prediction-plot.ts";
export { type RefusalPlotOptions, renderRefusalPlot } from "./report/plots/refusal-plot.ts";
export { renderResponsePlot } from "./report/plots/response-plot.ts";
export { renderSaeScorePlot, type ScoredSae } from "./report/plots/sae-score-plot.ts";
export { renderScalePlot } from "./report/plots/scale-plot.ts";
export { toStandaloneSvg } from "./report/plots/standalone.ts";
export { renderStitchPlot } from "./report/plots/stitch-plot.ts";
export { renderSweepPlot } from "./report/plots/sweep-plot.ts";
export { renderTextDamagePlot } from "./report/plots/text-damage-plot.ts";
export { renderTextSharePlot } from "./report/plots/text-share-plot.ts";
export { renderTextStrengthPlot } from "./report/plots/text-strength-plot.ts";
export { toProbeReport } from "./report/probe-report.ts";
export { toControlTable, toPropensityTable } from "./report/propensity-table.ts";
export { renderReport } from "./report/render-report.ts";
export type { Report, ReportFigure, ReportSection, TextGroup } from "./report/report.ts";
export { checkMapsFile, formatMapsFile, type MapsFile } from "./report/results/maps-file.ts";
export { checkSweepFile, formatSweepFile, type SweepFile } from "./report/results/sweep-file.ts";
export { formatRunFile, type RunFile, type RunFolder, type RunResult, readRunFolder } from "./report/run-folder.ts";
// report
export { toSaeReport } from "./report/sae-report.ts";
export { sayStrength } from "./report/say-strength.ts";
export { type TableContent, toStrengthTable } from "./report/strength-table.ts";
export { toAnchorsReport } from "./report/studies/anchors-report.ts";
export { toDecodersReport } from "./report/studies/decoders-report.ts";
export { toFeaturesReport } from "./report/studies/features-report.ts";
export { toLikenessReport } from "./report/studies/likeness-report.ts";
export { toPredictReport } from "./report/studies/predict-report.ts";
export { toScaleReport } from "./report/studies/scale-report.ts";
export { toStitchReport } from "./report/studies/stitch-report.ts";
export { toTokenizerReport } from "./report/studies/tokenizer-report.ts";
export { toWorldReport } from "./report/studies/world-report.ts";
export {
  formatMapLayers,
  formatStudy,
  mapOfConcept,
  parseStudy,
  type Study,
  type StudyConcept,
  type StudyMap,
  type StudyModel,
} from "./report/study.ts";
export { sweepLabels, toSweepMatrix } from "./report/sweep-matrix.ts";
export { type Column, type Row, renderHtmlTable, renderTable } from "./report/table.ts";
export { toLikenessTable, toTextTable, toTextTables } from "./report/text-table.ts";
export { toReport } from "./report/to-report.ts";
export { formatReport, type WriteReportOptions, writeReport, writeStudy } from "./report/write-report.ts";
// steer
export { checkVectorFits } from "./steer/check-vector-fits.ts";
export {
  formatStrength,
  parseStrength,
  parseVectorArgument,
  type Strength,
  type StrengthUnit,
  type VectorArgument,
} from "./steer/strength.ts";
export { type SteerOptions, toAdditions } from "./steer/to-additions.ts";
export { warnOfStrength } from "./steer/warn-of-strength.ts";
// stitch
export { carryRows } from "./stitch/carry-rows.ts";
export { type HeadLoss, headLoss } from "./stitch/head-loss.ts";
export { openStitched, type StitchOptions } from "./stitch/open-stitched.ts";
export { type OutputHead, readHead } from "./stitch/read-head.ts";
export { readTunedStitch, type TunedStitch, type TuningRecord, writeTunedStitch } from "./stitch/stitch-file.ts";
export {
  type JoinOptions,
  joinStitched,
  type StitchEnd,
  type StitchedGenerateOptions,
  type StitchedModel,
  type StitchMap,
} from "./stitch/stitched-model.ts";
export { type TunedMap, type TunedWindow, type TuneOptions, type TuneRound, tuneMap } from "./stitch/tune-map.ts";
export {
  type ModelWeights,
  modelCost,
  readWeights,
  type StitchCost,
  stitchCost,
  type Weights,
} from "./stitch/weights.ts";
export type {
  AnchorEffect,
  AnchorPoint,
  AnchorScore,
  AnchorStudy,
  AnchorStudyResult,
} from "./study/anchors/anchor-study.ts";
export { type AnchorConcept, type StudyAnchorsOptions, studyAnchors } from "./study/anchors/study-anchors.ts";
export { type CodedModel, type TrainCodedModelOptions, trainCodedModel } from "./study/coded-model.ts";
export { type CompareModelsOptions, compareModels } from "./study/compare/compare-models.ts";
export type { ComparedPart, LikenessCell, LikenessStudy, ModelsLikeness } from "./study/compare/comparison-result.ts";
export { readReadout } from "./study/compare/read-readout.ts";
export { type SampledRows, type SampleRowsOptions, sampleRows } from "./study/compare/sample-rows.ts";
export type { CarriedDirections, DecoderSide, DecoderStudy } from "./study/decoders/decoder-study.ts";
export { type StudyDecodersOptions, studyDecoders } from "./study/decoders/study-decoders.ts";
export type { FeatureConcept, FeatureLevel, FeaturePoint, FeatureStudy } from "./study/features/feature-study.ts";
export { type FeatureConceptInput, type StudyFeaturesOptions, studyFeatures } from "./study/features/study-features.ts";
export { type TellOptions, toEffectItems } from "./study/predict/effect-items.ts";
export { type ChangeRows, type ItemChanges, toItemChanges } from "./study/predict/item-changes.ts";
export { type ItemStates, readItemStates } from "./study/predict/item-states.ts";
export {
  type ModelChange,
  type PredictChangeOptions,
  type PredictFindings,
  predictChange,
} from "./study/predict/predict-change.ts";
export { type PredictEffectsInput, predictEffects } from "./study/predict/predict-effects.ts";
export type {
  Prediction,
  PredictionAgreement,
  PredictionNull,
  PredictResult,
  SmallChange,
  TrueChange,
} from "./study/predict/predict-result.ts";
export { scorePredictions } from "./study/predict/score-predictions.ts";
export { type MeasuredScores, measureArms } from "./study/probes/measure-arms.ts";
export type { NullDraws, ProbeCell, ProbeStudyResult, ProbeWay } from "./study/probes/probe-study-result.ts";
export {
  recalibrateProbe,
  type ScoreByProbeOptions,
  type ScoredByProbe,
  scoreByProbe,
  scoreTexts,
} from "./study/probes/score-by-probe.ts";
export { type ProbeConcept, type StudyProbesOptions, studyProbes } from "./study/probes/study-probes.ts";
export { type TrainedProbe, type TrainProbeOptions, trainProbe } from "./study/probes/train-probe.ts";
// study
export { type FeatureSurvival, measureSurvival } from "./study/sae/feature-survival.ts";
export type { Explained } from "./study/sae/held-rows.ts";
export type { SaeLevel, SaeLoss, SaeStart, SaeStudyResult, SaeStudySeed } from "./study/sae/sae-study-result.ts";
export { type StudySaeOptions, studySae } from "./study/sae/study-sae.ts";
export type { CurvePoint } from "./study/sae/training-cost.ts";
export type { ScaleConceptInput, ScaleModel } from "./study/scale/scale-model.ts";
export type {
  ScaleConcept,
  ScaleMap,
  ScaleMeasure,
  ScaleModelRecord,
  ScalePair,
  ScaleResult,
  ScaleSettings,
  ScaleTrend,
  SeededEstimate,
  SeededValue,
} from "./study/scale/scale-result.ts";
export { correlateWithSize } from "./study/scale/size-trend.ts";
export {
  type ScaleFindings,
  type ScaleProgress,
  type StudyScaleOptions,
  studyScale,
} from "./study/scale/study-scale.ts";
export type {
  AloneModel,
  StitchLoss,
  StitchPair,
  StitchResult,
  StitchTarget,
  TunedPair,
} from "./study/stitch/stitch-result.ts";
export { type StudyStitchOptions, studyStitch } from "./study/stitch/study-stitch.ts";
export { type TunedFromText, type TuneFromTextOptions, tuneFromText } from "./study/stitch/tune-from-text.ts";
export {
  type StudyTokenizersOptions,
  studyTokenizers,
  type TokenizerArm,
  type TokenizerConcept,
} from "./study/tokenizers/study-tokenizers.ts";
export type {
  TokenizerArmResult,
  TokenizerConceptResult,
  TokenizerResult,
} from "./study/tokenizers/tokenizer-result.ts";
export {
  type OverWorlds,
  type StudyWorldOptions,
  studyWorld,
  type WorldCurve,
  type WorldMeasure,
  type WorldPoint,
  type WorldStudy,
  worldMeasures,
} from "./study/world/study-world.ts";
export { type WorldKnob, type WorldSetting, worldKnobs } from "./study/world/world-knobs.ts";
// vectors
export { areaUnderCurve } from "./vectors/area-under-curve.ts";
export { addVectors, cosineBetween, scaleVector, subtractVectors } from "./vectors/combine.ts";
export { compareVectors, type DirectionComparison, type VectorComparison } from "./vectors/compare-vectors.ts";
export { formatControlVector, readControlVector } from "./vectors/control-vector.ts";
export {
  type Extraction,
  type ExtractionMethod,
  type ExtractOptions,
  extractVector,
  type SiteReport,
} from "./vectors/extract.ts";
export { fitLogisticRows, type LabelledRows, type LogisticOptions, type Plane } from "./vectors/logistic-rows.ts";
export { meanDifference } from "./vectors/mean-difference.ts";
export { randomLike, shuffledLabels } from "./vectors/null-vectors.ts";
export { pcaDirection } from "./vectors/pca.ts";
export { type PersonaContrast, type PersonaOptions, personaContrast } from "./vectors/persona-contrast.ts";
export { type ProbeOptions, probeDirection } from "./vectors/probe.ts";
export { type PairRows, type ReadPairsOptions, readPairRows, type SiteRows } from "./vectors/read-pair-rows.ts";
export { sentenceOpenings } from "./vectors/sentence-openings.ts";
export { crossValidate, type FitDirection, measureSeparation, type Separation } from "./vectors/separation.ts";
export {
  checkSteeringVector,
  type Direction,
  type ModelName,
  type SteeringVector,
  type TransferMaps,
  type TransferSource,
  type VectorProvenance,
  vectorNorm,
} from "./vectors/steering-vector.ts";
export {
  type CarriedDirection,
  type CarryingMap,
  type Transfer,
  type TransferOptions,
  transferVector,
  type UnusedMap,
} from "./vectors/transfer.ts";
export { checkVectorPath, readVector, writeVector } from "./vectors/vector-file.ts";
