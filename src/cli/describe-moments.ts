import {
  alignmentOf,
  type CollectionHeader,
  formatShard,
  type JoinedText,
  type Ledger,
  type ModelIdentity,
  type Site,
} from "../index.ts";
import { describePaired } from "./describe-alignment.ts";
import type { Shown } from "./inspect.ts";
import { formatLayers } from "./layer-range.ts";

/** Shows collected moments: which models and layers, which text and rows, and what of them is still missing. */
export function describeMoments({ plan, ledger, rowCounts, heldOut, tokens }: CollectionHeader): Shown {
  const { source, target, sourceSites, targetSites, blocks } = plan;
  const crossing = blocks.filter(({ row, col }) => row >= sourceSites.length && col < sourceSites.length).length;
  const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);
  const { first, special, sink, unselected, unaligned = 0 } = ledger.rows.leftOut;
  const other = `${unselected > 0 ? `, ${unselected} not selected` : ""}${unaligned > 0 ? `, ${unaligned} without a row of their own` : ""}`;
  const hasFolds = plan.folds > 1;
  const split = hasFolds
    ? `${sum(rowCounts)} in ${plan.folds} folds`
    : `${sum(rowCounts.slice(1))} fit, ${rowCounts[0]} validate`;
  return {
    rows: [
      ["moments", `${crossing} of source and target layers, ${plan.hasCurve ? "with" : "without"} a learning curve`],
      ["from", describeSide(source, sourceSites)],
      ["to", describeSide(target, targetSites)],
      ...textsOf(ledger).map((text) => ["corpus", describeText(text)] as const),
      ["read", describeState(ledger)],
      ["rows", `${split}, ${heldOut.rows} held out in ${heldOut.windows} windows; selected: ${plan.rowSelection}`],
      [
        "left out",
        `${first} first positions, ${special} special tokens, ${sink} sinks${other}, of ${ledger.rows.total}`,
      ],
      ...describePaired(alignmentOf({ plan, ledger }).alignment),
      [
        "tokens",
        `${tokens} different ones${plan.tokensOf === undefined ? "" : ` of the ${plan.tokensOf}`} among the rows that fit`,
      ],
      ["split", `seed ${plan.seed}, windows of up to ${plan.context} tokens`],
    ],
    json: { kind: "moments", plan, ledger, rowCounts, heldOut, tokens },
  };
}

function describeSide({ name, quantisation, blocks, width }: ModelIdentity, sites: readonly Site[]): string {
  const layers = formatLayers(sites.map(({ layer }) => layer));
  return `${name} ${quantisation}, layer${sites.length === 1 ? "" : "s"} ${layers} of ${blocks} blocks of width ${width}`;
}

function textsOf({ joined, corpus, shards }: Ledger): readonly JoinedText[] {
  return joined ?? [{ corpus, shards }];
}

function describeText({ corpus, shards }: JoinedText): string {
  const parts =
    shards.length > 0 ? `, part${shards.length === 1 ? "" : "s"} ${shards.map(formatShard).join(", ")}` : "";
  return `${corpus.name}: ${corpus.documents} documents, ${corpus.windows} windows${parts}`;
}

function describeState({ isComplete, stoppedEarly, rows, shards }: Ledger): string {
  const tokens = `${rows.total} tokens`;
  if (!isComplete) return `${tokens}, then broken off; the same command goes on from there`;
  if (stoppedEarly) return `${tokens}, as many as were asked for; there is more text`;
  return `${tokens}, ${shards.length > 0 ? "all of these parts; the others are still to be merged" : "all of the text"}`;
}
