import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { renderTable } from "../src/index.ts";
import { benchEngine } from "./engine.ts";
import { benchEvaluate } from "./evaluate.ts";
import { benchLinalg } from "./linalg.ts";
import { benchMaps } from "./maps.ts";
import type { Ratio } from "./measure.ts";
import { benchMemory } from "./memory.ts";
import { benchSae } from "./sae.ts";
import { benchServe } from "./serve.ts";
import { benchSoftmax } from "./softmax.ts";
import { benchStitch } from "./stitch.ts";
import { benchSweep } from "./sweep.ts";

// Prints every speed as a ratio against a named reference measured in the same run, and keeps the figures in bench/results/.
// `npm run bench` runs all, `npm run bench linalg` one of them. `TRIMTAB_LLAMA_TOOLS` names the folder that bench/llama-tools.sh filled,
// `TRIMTAB_BENCH_ITEMS` a file of questions for `evaluate`.

const threads = Number(process.env["TRIMTAB_BENCH_THREADS"] ?? availableParallelism());
const tools = process.env["TRIMTAB_LLAMA_TOOLS"];
const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
const machine = `${cpus()[0]?.model.trim()}, ${threads} threads, Node ${process.version}`;
const benches: Readonly<Record<string, () => Promise<Ratio[]>>> = {
  engine: () => benchEngine(threads, tools),
  evaluate: () => benchEvaluate({ threads, tools, itemsFile: process.env["TRIMTAB_BENCH_ITEMS"] }),
  linalg: () => benchLinalg(threads),
  maps: () => benchMaps(threads),
  sweep: () => benchSweep(threads),
  memory: () => benchMemory(threads),
  sae: () => benchSae(threads),
  serve: () => benchServe(threads),
  softmax: () => benchSoftmax(),
  stitch: () => benchStitch(threads),
};
const asked = process.argv.slice(2);
const unknown = asked.find((name) => !Object.hasOwn(benches, name));
if (unknown) throw new Error(`bench: expected ${Object.keys(benches).join(" or ")}, got ${unknown}`);
const ratios: Ratio[] = [];
for (const [name, bench] of Object.entries(benches))
  if (asked.length === 0 || asked.includes(name)) ratios.push(...(await bench()));
const digits = (value: number) => value.toFixed(value < 10 ? 2 : 0);
process.stdout.write(`${machine}, commit ${commit}\n\n`);
process.stdout.write(
  `${renderTable(
    [
      { title: "what" },
      { title: "ratio", align: "right" },
      { title: "range", align: "right" },
      { title: "wanted", align: "right" },
      { title: "ours", align: "right" },
      { title: "reference", align: "right" },
    ],
    ratios.map((r) => [
      r.name,
      digits(r.ratio),
      `${digits(r.lowest)}-${digits(r.highest)}`,
      r.target ?? "",
      `${digits(r.ours)} ${r.unit}`,
      `${digits(r.reference)} ${r.unit}`,
    ]),
  )}\n`,
);
mkdirSync("bench/results", { recursive: true });
writeFileSync(
  `bench/results/${[commit, ...asked].join("-")}.json`,
  `${JSON.stringify({ commit, machine, ratios }, null, 1)}\n`,
);
