// What stood in which slot, and when: the rows of the slots' chart. They last until now, so they are
// not sent; `parts/slots.py` works the same out for a view that has ended.

import { SHARED } from "../shared.js";
import { byGroup } from "../view_state.js";

const { rows: [MOST_ROWS, LAST_ROWS], stages: BARS } = SHARED.slots; // an ended task has no bar

/** The rows to draw, and how many slots there are; the slot of task `must` is among them. */
export function slotRows(viewState, now, must) {
  const last = new Map(); // when something happened in a slot
  for (const { n, group, moves } of viewState.tasks.values()) {
    if (moves.length) last.set(group, Math.max(last.get(group) ?? 0, n === must ? Infinity : moves.at(-1).at));
  }
  let groups = [...last.keys()];
  if (groups.length > MOST_ROWS) groups = groups.sort((a, b) => last.get(b) - last.get(a)).slice(0, LAST_ROWS);
  const tasks = new Map(groups.sort(byGroup).map((group) => [group, []]));
  for (const task of viewState.tasks.values()) tasks.get(task.group)?.push(task);
  const rows = [...tasks].map(([group, some]) => ({ group, node: some.at(-1).node, attempts: attemptsOf(some, now) }));
  return { rows: rows.filter(({ attempts }) => attempts.length), count: last.size };
}

/** One task as spans by stage; null if it had ended before the recording began. */
function attemptOf(task, now) {
  const { moves, created, gone } = task;
  if (!moves.length) return null;
  const spans = moves.map(({ at, stage }, n) => ({ from: at, to: moves[n + 1]?.at ?? gone ?? now, stage }));
  const [first] = moves;
  if (created >= 0 && created < first.at) {
    spans.unshift({ from: created, to: first.at, stage: first.stage === "waiting" ? "waiting" : "starting" });
  }
  const death = moves.find(({ stage }) => stage === "failed");
  const failed = death && (death.at > 0 || death.since >= 0) ? death.at : null;
  const drawn = joined(spans.filter(({ from, to, stage }) => stage in BARS && to > from));
  if (!drawn.length && failed === null) return null;
  return { task, spans: drawn, failed, from: drawn[0]?.from ?? failed, to: drawn.at(-1)?.to ?? failed };
}

/** Spans of which neighbours in one stage are one. */
function joined(spans) {
  const kept = [];
  for (const span of spans) {
    const before = kept.at(-1);
    if (before?.stage === span.stage && before.to === span.from) before.to = span.to;
    else kept.push({ ...span });
  }
  return kept;
}

/** The attempts of one slot, oldest first. Two that overlap share the row: the older above. */
function attemptsOf(tasks, now) {
  const inOrder = [...tasks].sort((a, b) => a.created - b.created || a.n - b.n);
  const attempts = inOrder.map((task) => attemptOf(task, now)).filter(Boolean);
  attempts.forEach((attempt, n) => {
    const [older, newer] = [attempts[n - 1], attempts[n + 1]];
    attempt.pieces = attempt.spans.flatMap((span) => cut(span, older?.to ?? -Infinity, newer?.from ?? Infinity));
  });
  return attempts;
}

/** Cuts a span where the older task ends and where the newer one begins. */
function cut({ from, to, stage }, olderEnds, newerBegins) {
  const edges = [from, ...[olderEnds, newerBegins].filter((at) => at > from && at < to).sort((a, b) => a - b), to];
  return edges.slice(1).map((until, n) => {
    const middle = (edges[n] + until) / 2;
    return { from: edges[n], to: until, stage, lane: middle < olderEnds ? "below" : middle > newerBegins ? "above" : "whole" };
  });
}
