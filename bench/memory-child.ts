import {
  type Corpus,
  type CorpusDocument,
  collectMoments,
  demoData,
  demoModelPath,
  type OpenModel,
  openModel,
  resolveCorpus,
} from "../src/index.ts";

// Collects the moments of some rows and prints the most memory it ever held: `node memory-child.js demo|made-up ROWS THREADS`.

const [kind, rows, threads] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];

/** The demo family's corpus over and over: as long as is wanted. */
async function endless(): Promise<Corpus> {
  const corpus = await resolveCorpus(demoData("corpus.jsonl.gz"));
  async function* documents(): AsyncGenerator<CorpusDocument> {
    for (let index = 0; ; )
      for await (const document of corpus.documents()) yield { ...document, index: index++, fraction: 0 };
  }
  return { name: "endless", documents };
}

/** A model of any width whose states are noise: what is left of a collection's memory when no engine runs. */
function madeUpModel(real: OpenModel, width: number): OpenModel {
  const noise = Float32Array.from({ length: width + 9973 }, (_, i) => Math.sin(i * i) + (i % 7));
  const readStates: OpenModel["readStates"] = async function* (windows, { sites }) {
    let index = 0;
    for await (const item of windows)
      for (const tokens of item instanceof Int32Array ? [item] : item) {
        const states = sites.map(({ layer }) => {
          const rowsOf = new Float32Array(tokens.length * width);
          for (const [row, token] of tokens.entries()) {
            const from = (token * 31 + index * 17 + layer) % 9973;
            rowsOf.set(noise.subarray(from, from + width), row * width);
          }
          return rowsOf;
        });
        yield { index: index++, tokens, states };
      }
  };
  return new Proxy(real, {
    get(model, key) {
      if (key === "readStates") return readStates;
      if (key === "description") return { ...model.description, width };
      const value: unknown = Reflect.get(model, key, model);
      return typeof value === "function" ? value.bind(model) : value;
    },
  });
}

await using small = await openModel(demoModelPath("xs"), { threads });
await using large = await openModel(demoModelPath("s"), { threads });
const [source, target] = kind === "demo" ? [small, large] : [madeUpModel(small, 192), madeUpModel(large, 256)];
const started = performance.now();
const collection = await collectMoments(source, target, {
  corpus: await endless(),
  layers: { kind: "maps", maps: [{ sources: [1], target: 2 }] },
  maxRows: rows,
  ...(kind === "demo" ? {} : { context: 256 }),
});
const kept = collection.rowCounts.reduce((sum, count) => sum + count, 0);
if (kept < 0.8 * rows) throw new Error(`bench: expected about ${rows} rows, got ${kept}`);
const seconds = (performance.now() - started) / 1000;
// Kilobytes, on every system that Node runs on.
process.stdout.write(JSON.stringify({ peakBytes: 1024 * process.resourceUsage().maxRSS, seconds }));
