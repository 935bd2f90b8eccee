import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { renderTable } from "../src/index.ts";
import { benchEngine } from "./engine.ts";

// Prints every speed as a ratio against a named reference measured in the same run, and keeps the figures in bench/results/.
// `TRIMTAB_LLAMA_TOOLS` names the folder that bench/llama-tools.sh filled.

const threads = Number(process.env["TRIMTAB_BENCH_THREADS"] ?? availableParallelism());
const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
const machine = `${cpus()[0]?.model.trim()}, ${threads} threads, Node ${process.version}`;
const ratios = await benchEngine(threads, process.env["TRIMTAB_LLAMA_TOOLS"]);
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
writeFileSync(`bench/results/${commit}.json`, `${JSON.stringify({ commit, machine, ratios }, null, 1)}\n`);
