import { describe, expect, test } from "vitest";
import { checkRecord, type Schema } from "../../src/maps/check-record.ts";

const schema: Schema = {
  name: "string",
  count: "count",
  maybe: ["null", { low: "number" }],
  flags: ["boolean"],
  "extra?": "number",
};
const sound = { name: "a", count: 3, maybe: { low: -1 }, flags: [true, false] };

describe("checkRecord(value, schema, where)", () => {
  test("returns what fits, null where it may be, without strangers' keys", () => {
    expect(checkRecord({ ...sound, stranger: 1 }, schema, "r")).toEqual(sound);
    expect(checkRecord({ ...sound, maybe: null, extra: 0.5 }, schema, "r")).toEqual({
      ...sound,
      maybe: null,
      extra: 0.5,
    });
  });

  test.each([
    [{ ...sound, maybe: { low: null } }, "r.maybe.low: expected a finite number, got null"],
    [{ ...sound, maybe: undefined }, "r.maybe: expected an object, got nothing"],
    [{ ...sound, flags: [true, 1] }, "r.flags[1]: expected true or false, got 1"],
    [{ ...sound, flags: null }, "r.flags: expected a list of at most 65536, got null"],
    [{ ...sound, count: 1.5 }, "r.count: expected an integer of at least 0, got 1.5"],
    [[sound], "r: expected an object, got a list of 1"],
  ])("names the first field that does not fit: %j", (value, message) => {
    expect(() => checkRecord(value, schema, "r")).toThrow(message);
  });
});
