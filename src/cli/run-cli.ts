import { mismatch, statusOf, TrimtabError, toTrimtabError } from "../errors.ts";
import { setLinalgThreads, trimtabVersion } from "../index.ts";
import { parseArguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { commands } from "./commands.ts";
import type { Effects } from "./effects.ts";
import { renderHelp, renderOverview } from "./help.ts";
import { nearest } from "./nearest.ts";
import { toPlainText } from "./plain-text.ts";

/**
 * Runs the program on its words (without node and script) and returns the exit status. The one place where errors end: message and
 * hint to stderr, with `--json` as `{"error":{code,message,hint}}` to stdout, with the stack if the fault is ours.
 */
export async function runCli(argv: readonly string[], effects: Effects): Promise<number> {
  try {
    return await dispatch(argv, effects);
  } catch (thrown) {
    return report(effects.signal.aborted ? interrupted(thrown) : toTrimtabError(thrown), argv, effects);
  }
}

async function dispatch(argv: readonly string[], effects: Effects): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined) {
    effects.stderr.write(renderOverview(trimtabVersion()));
    return statusOf.usage.exit;
  }
  if (name === "--version" || name === "-v") {
    effects.stdout.write(`${trimtabVersion()}\n`);
    return 0;
  }
  if (name === "--help" || name === "-h" || (name === "help" && rest.length === 0)) {
    effects.stdout.write(renderOverview(trimtabVersion()));
    return 0;
  }
  const asked = name === "help" ? rest[0]! : name;
  const command = await loadCommand(asked);
  const words = rest.slice(0, rest.includes("--") ? rest.indexOf("--") : undefined);
  if (name === "help" || words.includes("--help") || words.includes("-h")) {
    effects.stdout.write(renderHelp(command));
    return 0;
  }
  const args = parseArguments(rest, command);
  // What models compute with holds for matrix products too, in every command that has the flag.
  const threads = Object.hasOwn(command.options, "threads") ? args.whole("threads", 1, 1024) : undefined;
  if (threads !== undefined) setLinalgThreads(threads);
  return (await command.run(args, effects)) ?? 0;
}

async function loadCommand(name: string): Promise<Command> {
  const entry = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (entry !== undefined) return (await entry.load()).command;
  const near = nearest(name, Object.keys(commands));
  throw mismatch("usage", "command", `one of ${Object.keys(commands).join(", ")}`, JSON.stringify(name), {
    hint: near ? `did you mean trimtab ${near}?` : "trimtab --help explains them",
  });
}

/** After Ctrl-C, whatever broke in consequence is the interruption. */
function interrupted(thrown: unknown): TrimtabError {
  const error = toTrimtabError(thrown);
  return error.code === "internal" || error.code === "engine"
    ? new TrimtabError("aborted", "interrupted", { cause: thrown })
    : error;
}

function report(error: TrimtabError, argv: readonly string[], effects: Effects): number {
  const { code, message, hint } = error;
  const words = argv.slice(0, argv.includes("--") ? argv.indexOf("--") : undefined);
  if (words.includes("--json"))
    effects.stdout.write(`${JSON.stringify({ error: { code, message, ...(hint !== undefined && { hint }) } })}\n`);
  effects.stderr.write(toPlainText(`trimtab: ${message}\n${hint === undefined ? "" : `  hint: ${hint}\n`}`));
  if (code === "internal") effects.stderr.write(`${stackOf(error)}\n`);
  return statusOf[code].exit;
}

function stackOf(error: Error): string {
  const inner = error.cause instanceof Error ? error.cause : error;
  return inner.stack ?? String(inner);
}
