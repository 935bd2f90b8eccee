import type { Command, Flag } from "./command.ts";
import { commands } from "./commands.ts";

const width = 88;

/** Help of the program: what it is, its commands, where to begin. */
export function renderOverview(version: string): string {
  const names = Object.keys(commands);
  const pad = Math.max(...names.map((name) => name.length)) + 2;
  return [
    `trimtab ${version}: steer large language models with small ones`,
    "",
    wrap(
      "Learn a map between the hidden states of a small and a large model that share a tokenizer (fit), find a direction for a concept on the small one (vector), carry it over (transfer), and add it to the large one while it writes (steer).",
      0,
    ),
    "",
    "Usage: trimtab COMMAND [options]",
    "",
    "Commands:",
    ...names.map((name) => `  ${name.padEnd(pad)}${commands[name]!.summary}`),
    "",
    "A MODEL is a path to a GGUF file, hf:owner/repo/file.gguf, hf:owner/repo:Q4_K_M, or one of the",
    "models in the package: demo:xs, demo:s, demo:m, and demo:xs1k of another tokenizer.",
    "",
    "trimtab COMMAND --help explains a command, with examples. trimtab doctor checks this machine.",
    "Results go to stdout, progress and errors to stderr; --json gives results and errors as JSON.",
    "",
  ].join("\n");
}

/** Help of a word that begins several commands, as `moments` does; undefined for any other. */
export function renderGroup(word: string): string | undefined {
  const names = Object.keys(commands).filter((name) => name.startsWith(`${word} `));
  if (names.length === 0) return undefined;
  const pad = Math.max(...names.map((name) => name.length)) + 2;
  return [
    `Usage: trimtab ${word} ${names.map((name) => name.slice(word.length + 1)).join("|")} [options]`,
    "",
    ...names.map((name) => `  ${name.padEnd(pad)}${commands[name]!.summary}`),
    "",
    `trimtab ${names[0]} --help explains it.`,
    "",
  ].join("\n");
}

/** Help of one command: the idea, then the options, then examples. */
export function renderHelp(command: Command): string {
  return [
    `trimtab ${command.name}: ${command.summary}`,
    "",
    `Usage: trimtab ${command.usage}`,
    "",
    ...command.description
      .trim()
      .split(/\n\s*\n/)
      .flatMap((paragraph) => [wrap(paragraph.replaceAll(/\s+/g, " ").trim(), 0), ""]),
    "Options:",
    ...Object.entries(command.options).flatMap(([name, flag]) => renderFlag(name, flag)),
    "",
    "Examples:",
    ...command.examples.flatMap(({ line, explains }) => [`  ${line}`, wrap(explains, 6)]),
    "",
  ].join("\n");
}

function renderFlag(name: string, flag: Flag): string[] {
  const left = `  ${flag.short ? `-${flag.short}, ` : "    "}--${name}${flag.value ? ` ${flag.value}` : ""}`;
  const more = [flag.multiple ? "may be given several times" : "", flag.default ? `default: ${flag.default}` : ""];
  const notes = more.filter((note) => note !== "").join("; ");
  const text = wrap(`${flag.description}${notes ? ` (${notes})` : ""}`, 30);
  return left.length < 29 ? [left.padEnd(30) + text.trimStart()] : [left, text];
}

function wrap(text: string, indent: number): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && indent + line.length + 1 + word.length > width) {
      lines.push(line);
      line = "";
    }
    line += (line === "" ? "" : " ") + word;
  }
  return [...lines, line].map((each) => " ".repeat(indent) + each).join("\n");
}
