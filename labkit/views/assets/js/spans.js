// What stood in which slot, and when: the rows of the slots' chart.

import { byGroup } from "./picture.js";

const MOST_ROWS = 100; // of slots drawn all
const LAST_ROWS = 60; // of more slots, those in which something happened last
const BARS = ["waiting", "starting", "running", "stopping"]; // an ended task has none

/** The rows to draw, and how many slots there are; the slot of task `must` is among them. */
export function slotRows(picture, now, must) {
  const groups = new Map();
  for (const task of picture.tasks.values()) {
    if (!task.moves.length) continue;
    const row = groups.get(task.group) ?? { group: task.group, node: task.node, tasks: [], last: 0 };
    if (!row.tasks.length) groups.set(task.group, row);
    row.tasks.push(task);
    row.last = Math.max(row.last, task.moves.at(-1).at, task.n === must ? Infinity : 0);
  }
  const all = [...groups.values()];
  if (all.length > MOST_ROWS) all.sort((a, b) => b.last - a.last || byNumber(a, b)).length = LAST_ROWS;
  const rows = all.sort(byNumber).map(({ tasks, ...row }) => ({ ...row, attempts: attemptsOf(tasks, now) }));
  return { rows: rows.filter(({ attempts }) => attempts.length), count: groups.size };
}

const byNumber = (a, b) => byGroup(a.group, b.group);

/** One task as spans by stage; null if it had ended before the recording began. */
function attemptOf(task, now) {
  const { moves, created } = task;
  if (!moves.length) return null;
  const spans = moves.map(({ at, stage }, n) => ({ from: at, to: moves[n + 1]?.at ?? now, stage }));
  const [first] = moves;
  if (created >= 0 && created < first.at) {
    spans.unshift({ from: created, to: first.at, stage: first.stage === "waiting" ? "waiting" : "starting" });
  }
  const death = moves.find(({ stage }) => stage === "failed");
  const failed = death && (death.at > 0 || death.since >= 0) ? death.at : null;
  const drawn = joined(spans.filter(({ from, to, stage }) => BARS.includes(stage) && to > from));
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
