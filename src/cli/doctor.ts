import { statusOf } from "../errors.ts";
import type { Command } from "./command.ts";
import { examine } from "./doctor-checks.ts";
import type { Finding } from "./finding.ts";
import { modelFlags, shownFlags } from "./flags.ts";

const signs = { good: "ok", note: "note", problem: "PROBLEM" } as const;

export const command: Command = {
  name: "doctor",
  summary: "check this machine and say what to do",
  usage: "doctor [options]",
  description: `
    Looks at everything that decides whether and how fast Trimtab works here: Node.js, the engine's library for this platform and
    what else could be installed, processor, memory, devices, the cache of fetched models and its disk. The proof is that the
    engine opens the smallest model of the package, reads its hidden states and steers it.

    Each line says what was found, and what to do where something can be done. The exit status is 0 if Trimtab can be used.`,
  positionals: { least: 0, most: 0 },
  options: { library: modelFlags.library, ...shownFlags },
  examples: [
    { line: "trimtab doctor", explains: "All findings." },
    { line: "trimtab doctor --library vulkan", explains: "The same with the Vulkan build of the engine." },
    { line: "trimtab doctor --json", explains: "For a bug report or a script." },
  ],
  async run(args, effects) {
    const variant = args.choice("library", ["auto", "cpu", "cuda", "vulkan", "metal"]) ?? "auto";
    const findings = await examine(effects, variant);
    const usable = findings.every(({ state }) => state !== "problem");
    effects.stdout.write(
      args.isSet("json") ? `${JSON.stringify({ usable, findings })}\n` : renderFindings(findings, usable),
    );
    return usable ? 0 : statusOf.engine.exit;
  },
};

function renderFindings(findings: readonly Finding[], usable: boolean): string {
  const pad = Math.max(...findings.map(({ about }) => about.length)) + 2;
  const lines = findings.flatMap(({ about, state, found, advice }) => [
    `${signs[state].padEnd(9)}${about.padEnd(pad)}${found}`,
    ...(advice === undefined ? [] : [`${" ".repeat(9 + pad)}→ ${advice}`]),
  ]);
  return `${[...lines, "", usable ? "Trimtab can be used here." : "Trimtab cannot be used here yet; see PROBLEM above."].join("\n")}\n`;
}
