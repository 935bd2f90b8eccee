import {
  collectMoments,
  defaultLayerPair,
  demoModelPath,
  fitMap,
  type OpenModel,
  openModel,
  readRows,
  residPost,
  resolveContext,
  resolveCorpus,
  type Site,
  setLinalgThreads,
  sweepLayers,
  toWindows,
} from "../src/index.ts";
import { median, type Ratio, seconds } from "./measure.ts";

/** What `fit` reads of the demo family unless told otherwise. */
const rows = 20_000;
const rounds = 3;
const corpusPath = "models/data/corpus.jsonl.gz";

/**
 * A fit and a sweep from start to end against reading the same tokens at the same layers and doing nothing with them: what the
 * arithmetic adds that decoding does not hide.
 */
export async function benchSweep(threads: number): Promise<Ratio[]> {
  setLinalgThreads(threads);
  const open = (name: "s" | "m") => openModel(demoModelPath(name), { threads });
  await using source = await open("s");
  await using target = await open("m");
  const [from, to] = [source.description, target.description];
  const corpus = await resolveCorpus(corpusPath);
  const [sources, targets] = [from.blocks, to.blocks].map((count) =>
    Array.from({ length: count }, (_, layer) => layer),
  );
  const pair = defaultLayerPair(from.blocks, to.blocks);
  const [sourceSite, targetSite] = [residPost(pair.source), residPost(pair.target)];

  const sweep = async (): Promise<void> => {
    const layers = { kind: "all-pairs" as const, sources: sources!, targets: targets! };
    await sweepLayers(await collectMoments(source, target, { corpus, layers, maxRows: rows, hasCurve: false }));
  };
  const fit = () => fitMap(source, target, { corpus, sourceSite, targetSite, maxRows: rows });
  return [
    ...(await compareBoth(`fit ${pair.source}:${pair.target}`, {
      ours: fit,
      reference: () => readAll(source, target, [sourceSite], [targetSite]),
      target: "<= 1.15",
    })),
    ...(await compareBoth(`sweep of ${from.blocks * to.blocks} pairs`, {
      ours: sweep,
      reference: () => readAll(source, target, sources!.map(residPost), targets!.map(residPost)),
      target: "<= 2",
    })),
  ];
}

/** Two tasks in turn: the time on the clock, and that of all processors together, which other work on the machine changes little. */
async function compareBoth(
  name: string,
  { ours, reference, target }: { ours: () => Promise<unknown>; reference: () => Promise<unknown>; target: string },
): Promise<Ratio[]> {
  const measure = async (task: () => Promise<unknown>): Promise<readonly [number, number]> => {
    const before = process.cpuUsage();
    const clock = await seconds(task);
    const { user, system } = process.cpuUsage(before);
    return [clock, (user + system) / 1e6];
  };
  await ours();
  await reference();
  const pairs: (readonly [readonly [number, number], readonly [number, number]])[] = [];
  for (let round = 0; round < rounds; round++) pairs.push([await measure(ours), await measure(reference)]);
  return [0, 1].map((kind) => {
    const times = pairs.map(([a, b]) => [a[kind]!, b[kind]!] as const);
    const ratios = times.map(([a, b]) => a / b);
    return {
      name: `${name}, ${rows} rows, against reading them: ${kind === 0 ? "clock" : "processor"}`,
      unit: "s",
      ratio: median(ratios),
      lowest: Math.min(...ratios),
      highest: Math.max(...ratios),
      target: kind === 0 ? target : undefined,
      ours: median(times.map(([a]) => a)),
      reference: median(times.map(([, b]) => b)),
    };
  });
}

/** Reads the rows that a collection of so many would be of. */
async function readAll(
  source: OpenModel,
  target: OpenModel,
  sourceSites: readonly Site[],
  targetSites: readonly Site[],
): Promise<void> {
  const corpus = await resolveCorpus(corpusPath);
  const context = resolveContext(undefined, [source, target]);
  let read = 0;
  for await (const { tokens } of readRows(source, target, toWindows(source, corpus.documents(), { context }), {
    sourceSites,
    targetSites,
    threads: Math.max(source.threads, target.threads),
  })) {
    read += tokens.length;
    if (read >= rows) return;
  }
}
