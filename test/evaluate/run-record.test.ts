import { describe, expect, test } from "vitest";
import { TrimtabError } from "../../src/errors.ts";
import { checkRunRecord, type RunRecord } from "../../src/evaluate/run-record.ts";

const model = {
  name: "tiny",
  sha256: "ab",
  architecture: "llama",
  width: 8,
  blocks: 2,
  quantisation: "F32",
  tokenizerFingerprint: "cd",
  parameters: 100,
  sizeBytes: 400,
  vocabulary: 16,
};
const run: RunRecord = {
  title: "A run",
  question: "Does it carry?",
  createdAt: "2026-01-01T00:00:00.000Z",
  elapsedMs: 1500,
  seed: 3,
  command: "trimtab evaluate propensity …",
  software: [{ name: "trimtab", version: "0.1.0" }],
  models: [
    { role: "source", model },
    { role: "target", model: { ...model, name: "large" } },
  ],
  warnings: ["few items"],
};

function refusal(value: unknown): string {
  try {
    checkRunRecord(value, "r.json: run");
  } catch (error) {
    if (error instanceof TrimtabError) return `${error.code} ${error.message}`;
    throw error;
  }
  return "accepted";
}

describe("checkRunRecord(value, where)", () => {
  test("returns what JSON carried, whole", () => {
    expect(checkRunRecord(JSON.parse(JSON.stringify(run)), "run")).toEqual(run);
  });
  test("needs neither question, date, duration nor command, and leaves out what no record has", () => {
    const { question: _q, createdAt: _c, elapsedMs: _e, command: _l, ...least } = run;
    expect(checkRunRecord({ ...least, stranger: 1 }, "run")).toEqual(least);
  });
  test("names the first field that does not fit", () => {
    expect(refusal({ ...run, seed: -1 })).toBe("bad-input r.json: run.seed: expected an integer of at least 0, got -1");
    expect(refusal({ ...run, models: [{ role: "source", model: { ...model, width: "8" } }] })).toBe(
      'bad-input r.json: run.models[0].model.width: expected an integer of at least 0, got "8"',
    );
    expect(refusal({ ...run, models: [{ role: "judge", model }] })).toBe(
      'bad-input r.json: run.models[0].role: expected source or target, got "judge"',
    );
    expect(refusal(null)).toBe("bad-input r.json: run: expected an object, got null");
    expect(refusal({ ...run, title: "x".repeat(70_000) })).toMatch(/title: expected a string of at most 65536/);
  });
});
