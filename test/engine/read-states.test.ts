import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { EngineModel } from "../../src/engine/engine-model.ts";
import type { WindowBatch } from "../../src/engine/open-model.ts";
import type { EngineRequest } from "../../src/engine/protocol.ts";
import { readStates } from "../../src/engine/read-states.ts";
import { residPost } from "../../src/engine/site.ts";
import { openDemo } from "./demo-models.ts";

/** A window of so many tokens, unlike others of another seed. */
const windowOf = (length: number, seed: number): Int32Array =>
  Int32Array.from({ length }, (_, i) => 5 + ((seed * 131 + i * i * 7 + i) % 3000));

describe("readStates(arrays of windows) of a real model", () => {
  let model: EngineModel;
  beforeAll(async () => {
    model = await openDemo("s");
  });
  afterAll(() => model.close());

  const sites = [residPost(0), residPost(3)];
  /** More tokens than one call takes, in windows that do not fill a batch evenly. */
  const array = [200, 120, 250, 250, 90, 31, 250, 200, 170, 250, 250, 210, 7].map(windowOf);

  /** States of the last `count` windows of a stream. */
  async function lastOf(windows: readonly (Int32Array | WindowBatch)[], count: number): Promise<Float32Array[]> {
    const states: Float32Array[] = [];
    for await (const window of model.readStates(windows, { sites })) states.push(...window.states);
    return states.slice(-count * sites.length);
  }

  /** First pair of arrays that are not the same bytes, or −1. Comparing element by element through `expect` takes seconds. */
  const firstDifference = (a: readonly Float32Array[], b: readonly Float32Array[]): number =>
    a.findIndex((rows, i) => Buffer.compare(Buffer.from(rows.buffer), Buffer.from(b[i]!.buffer)) !== 0);

  test("an array gives the same bits alone, and after and before anything else", async () => {
    const alone = await lastOf([array], array.length);
    for (const before of [
      [windowOf(77, 40)],
      [windowOf(77, 40), windowOf(1, 41), [windowOf(250, 42)], windowOf(99, 43)],
      [array.slice(3), array],
      [[]],
    ])
      expect(firstDifference(alone, await lastOf([...before, array], array.length))).toBe(-1);
    const behind = await lastOf([array, windowOf(60, 44), [windowOf(9, 45)]], array.length + 2);
    expect(firstDifference(alone, behind)).toBe(-1);
  });

  test("windows are counted through, in arrays or not", async () => {
    const seen: [number, number][] = [];
    const stream = [windowOf(3, 1), [windowOf(4, 2), windowOf(5, 3)], [], windowOf(6, 4)];
    for await (const { index, tokens } of model.readStates(stream, { sites })) seen.push([index, tokens.length]);
    expect(seen).toEqual([
      [0, 3],
      [1, 4],
      [2, 5],
      [3, 6],
    ]);
    const bad = model.readStates([[windowOf(4, 1)], [windowOf(2, 1), new Int32Array(0)]], { sites });
    await expect(
      (async () => {
        for await (const _ of bad);
      })(),
    ).rejects.toThrow("window 2: expected at least one token, got none");
  });
});

test("readStates drops the calls under way when its caller stops or is interrupted, and the model answers at once", async () => {
  await using model = await openDemo("m");
  const sites = [residPost(5)];
  const arrays = Array.from({ length: 3 }, (_, i) => Array.from({ length: 8 }, (_, j) => windowOf(250, 8 * i + j)));
  const late: string[] = [];
  const stop = new AbortController();
  const states = model.readStates(arrays, { sites, signal: stop.signal });
  await states.next();
  // Calls are answered in order: what is asked now comes after the two calls under way, or after they were dropped.
  const next = (async () => {
    for await (const { index } of states) late.push(`window ${index}`);
  })();
  stop.abort(new Error("enough"));
  await expect(next).rejects.toMatchObject({ code: "aborted", cause: new Error("enough") });
  expect(late.length).toBeLessThan(23); // of 23 that would have come: those of calls that had been answered
  for await (const _ of model.readStates(arrays, { sites })) break;
  expect(await model.tokenize("again")).not.toHaveLength(0);
});

describe("readStates(…) keeps its worker busy", () => {
  const limits = {
    name: "fake",
    width: 2,
    blocks: 2,
    vocabulary: 4000,
    context: 4096,
    capabilities: { tap: true, steer: true, reason: undefined },
  };

  /** A worker that answers only when told to, and writes down what happens. */
  function fakeWorker() {
    const events: string[] = [];
    const answers: (() => void)[] = [];
    let abort = new SharedArrayBuffer(4);
    const call = <T>(request: EngineRequest): Promise<T> => {
      if (request.method !== "readStates") throw new Error("not faked");
      const number = answers.length;
      const { sequences } = request;
      abort = request.abort;
      events.push(`call ${number}: ${sequences.map(({ length }) => length).join("+")}`);
      return new Promise((resolve) => {
        answers.push(() => {
          events.push(`answer ${number}`);
          resolve(sequences.map(({ length }) => [new Float32Array(2 * length)]) as T);
        });
      });
    };
    const isDropped = (): boolean => Atomics.load(new Int32Array(abort), 0) === 1;
    return { events, answers, client: { call }, isDropped };
  }
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  test("while the states of one call are consumed the next two calls are with the worker, across arrays", async () => {
    const { events, answers, client } = fakeWorker();
    const arrays = Array.from({ length: 5 }, (_, i) => [windowOf(1000, i), windowOf(1000 + i, i)]);
    const states = readStates(client, limits, arrays, { sites: [residPost(0)] });
    const first = states.next();
    await settle();
    answers[0]!();
    await first;
    events.push("caller computes");
    await settle();
    expect(events).toEqual([
      "call 0: 1000+1000",
      "call 1: 1000+1001",
      "call 2: 1000+1002",
      "answer 0",
      "caller computes",
    ]);
    await states.next(); // the second window of the call is there already
    answers[1]!();
    await states.next();
    events.push("caller computes");
    expect(events.slice(5)).toEqual(["answer 1", "call 3: 1000+1003", "caller computes"]);
    answers.forEach((answer) => void answer());
    await states.return();
  });

  test("a caller that stops marks its calls as dropped before it waits for them", async () => {
    const { answers, client, isDropped } = fakeWorker();
    const arrays = Array.from({ length: 5 }, (_, i) => [windowOf(1000, i), windowOf(1000, i)]);
    const states = readStates(client, limits, arrays, { sites: [residPost(0)] });
    const first = states.next();
    await settle();
    answers[0]!();
    await first;
    expect(isDropped()).toBe(false);
    let hasEnded = false;
    const end = states.return().then(() => {
      hasEnded = true;
    });
    await settle();
    expect([isDropped(), hasEnded]).toEqual([true, false]);
    answers.forEach((answer) => void answer());
    await end;
  });

  test("lone windows share calls with their neighbours, an array has its calls to itself", async () => {
    const { events, answers, client } = fakeWorker();
    const stream = [
      windowOf(5, 0),
      windowOf(6, 1),
      [windowOf(10, 2), windowOf(20, 3)],
      [windowOf(30, 4)],
      windowOf(7, 5),
    ];
    const states = readStates(client, limits, stream, { sites: [residPost(0)] });
    const all = (async () => {
      for await (const _ of states);
    })();
    for (let turn = 0; turn < 9; turn++) {
      await settle();
      answers.forEach((answer) => void answer());
    }
    await all;
    expect([...new Set(events)].filter((event) => event.startsWith("call"))).toEqual([
      "call 0: 5+6",
      "call 1: 10+20",
      "call 2: 30",
      "call 3: 7",
    ]);
  });

  test("calls hold fewer tokens where many sites make a token large, and never a share of a batch of the engine's", async () => {
    const packed = async (width: number, sites: number): Promise<string[]> => {
      const { events, answers, client } = fakeWorker();
      const windows = Array.from({ length: 12 }, (_, i) => windowOf(256, i));
      const options = { sites: Array.from({ length: sites }, (_, layer) => residPost(layer)) };
      const states = readStates(client, { ...limits, width, blocks: 99 }, [windows], options);
      const first = states.next();
      await settle();
      answers[0]!();
      await first;
      answers.forEach((answer) => void answer());
      await states.return();
      return events.filter((event) => event.startsWith("call")).slice(0, 1);
    };
    expect(await packed(4096, 4)).toEqual(["call 0: 256+256+256+256+256+256+256+256"]); // 2048 tokens, 128 MiB
    expect(await packed(4096, 8)).toEqual(["call 0: 256+256+256+256"]);
    expect(await packed(4096, 99)).toEqual(["call 0: 256+256"]);
  });
});
