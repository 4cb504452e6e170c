// Slots over time: a row a slot, in it every task that had the slot, by tag and by stage.

import { Bars } from "../charts/bars.js";
import { Chart, letters } from "../charts/chart.js";
import { drawn, make, write } from "../dom.js";
import { wentOf } from "../explain.js";
import { SHARED } from "../shared.js";
import { slotRows } from "../charts/spans.js";
import { label, minutes } from "../words.js";

const ROW = 17; // px of a row, as long as all of them are no higher than
const LOW_ROW = 12; // where there is little room
const HIGHEST = 300;
/** Where tasks stand in a row, and the windows below them; how tasks are drawn by stage. */
const { title: SLOTS, tasks: TASKS, windows: WINDOWS, stages, signs } = SHARED.slots;
const LOOKS = Object.fromEntries(Object.entries(stages).map(([stage, [high, dense, hollow]]) => [stage, { high, dense, hollow }]));
const LEAST = 6; // px of a failed attempt
const NEAR = 5; // px beside a bar that still count as on it
const CROSS = 13; // px

const LEGEND = [...Object.entries(stages).map(([stage, [, , , words]]) => [stage, words]), ...Object.entries(signs)];
const BECAUSE = {
  there: "It was there when the recording began.",
  create: "Made when the service was created or scaled up.",
  update: "Made by the update.",
  rollback: "Made by the rollback.",
};

export class Slots extends Chart {
  constructor(root, view) {
    super(root, view, SLOTS);
    this.aside = make("span", "labkit-aside", this.head);
    const legend = make("div", "labkit-legend", root);
    for (const [look, words] of LEGEND) {
      const item = make("span", "", legend);
      make("i", "labkit-look", item).dataset.look = look;
      item.append(words);
      if (look === "lost") this.lost = item;
    }
  }

  get help() {
    return "← → ↑ ↓ from task to task, Enter explains one, + − zoom, 0 shows all, S saves a picture";
  }

  draw(viewState) {
    const { rows, count } = slotRows(viewState, this.view.at, this.view.selection);
    this.rows = rows;
    this.of = typeof rows[0]?.group === "string" ? "nodes" : "slots";
    this.count = count;
    this.lost.hidden = !rows.some(({ attempts }) => attempts.some(({ spans }) => spans.some(({ stage }) => stage === "lost")));
    const few = `${rows.length} of ${count.toLocaleString("en")} ${this.of}: those in which something happened last`;
    write(this.aside, rows.length < count ? few : "");
    return super.draw(viewState);
  }

  measure(viewState) {
    super.measure(viewState);
    this.axis.need(Math.ceil(Math.max(0, ...this.ticks().map(([, text]) => letters(text, this))) + 14 * this.size.unit));
  }

  key({ tags, windows }) {
    const { rows, view: { at } } = this;
    const moves = rows.reduce((all, { attempts }) => all + attempts.reduce((some, { task }) => some + task.moves.length, 0), 0);
    const alive = rows.some(({ attempts }) => attempts.some(({ to }) => to === at));
    return [rows.map(({ group }) => group), moves, tags, alive && Math.round(this.px(at)), windows.length, this.view.selection];
  }

  says() {
    const failed = this.rows.flatMap(({ group, attempts }) => attempts.filter((one) => one.failed !== null).map((one) => `${group} at ${minutes(one.failed)}`));
    const tasks = this.rows.reduce((all, { attempts }) => all + attempts.length, 0);
    const deaths = failed.length ? `Failed: ${failed.length}, in ${this.of} ${failed.slice(0, 10).join(", ")}` : "None failed";
    return `Tasks over time: ${tasks} tasks in ${this.rows.length} ${this.of}. ${deaths}.`;
  }

  height() {
    return Math.max(this.rows.length * this.row(), ROW);
  }

  row() {
    return Math.min(this.view.low ? LOW_ROW : ROW, HIGHEST / this.rows.length);
  }

  yaxis() {
    const ticks = this.ticks();
    return { range: [this.rows.length || 1, 0], tickvals: ticks.map(([row]) => row + 0.5), ticktext: ticks.map(([, text]) => label(text)), showgrid: false };
  }

  /** `[row, name]` of as many rows as have room for their name. */
  ticks() {
    const apart = [1, 2, 5, 10, 20, 50].find((every) => every * this.row() >= 12) ?? 100;
    return this.rows.flatMap(({ group, node }, row) => {
      const name = typeof group === "string" ? node || group : String(group);
      return (row === 0 && apart > 2) || row % apart === apart - 1 ? [[row, name.length > 14 ? `${name.slice(0, 13)}…` : name]] : [];
    });
  }

  // ---- what Plotly draws ---------------------------------------------------------

  traces(viewState) {
    const drawn = new Map();
    const bars = (look) => drawn.get(look) ?? drawn.set(look, this.bars()).get(look);
    const edge = this.row() < ROW / 2 ? 0.6 : 1; // px
    const crosses = { x: [], y: [] };
    this.windows(viewState, bars, edge);
    this.rows.forEach(({ attempts }, row) => {
      for (const attempt of attempts) {
        const failed = attempt.failed !== null;
        for (const piece of this.pieces(attempt)) {
          const at = [piece.from, piece.to, row + place(piece)[0], place(piece)[1]];
          bars(`${attempt.task.tag} ${piece.stage}`).add(...at);
          if (failed) bars("failed").add(...at, 1.6 * edge);
          else if (LOOKS[piece.stage].hollow) bars("hollow").add(...at, edge);
        }
        if (failed) {
          crosses.x.push(attempt.failed);
          crosses.y.push(row + (TASKS[0] + TASKS[1]) / 2);
        }
      }
    });
    return [...this.looks(viewState.tags).flatMap(([name, look]) => (drawn.has(name) ? [drawn.get(name).trace(look)] : [])), this.crosses(crosses)];
  }

  bars() {
    return new Bars(this.axis.range, this.size, this.rows.length || 1);
  }

  /** The pieces of an attempt as drawn: a failed one is never too narrow to be seen. */
  pieces({ pieces, failed }) {
    if (failed === null) return pieces;
    const [from, to] = this.axis.range;
    const least = (LEAST / this.size.width) * (to - from);
    const last = pieces.at(-1) ?? { from: failed, to: failed, stage: "starting", lane: "whole" };
    const missing = least - (last.to - (pieces[0] ?? last).from);
    return [...pieces.slice(0, -1), missing > 0 ? { ...last, from: last.from - missing } : last];
  }

  windows({ windows }, bars, edge) {
    const rows = new Map(this.rows.flatMap(({ attempts }, row) => attempts.map(({ task }) => [task.n, row])));
    const [middle, high] = [(WINDOWS[0] + WINDOWS[1]) / 2, WINDOWS[1] - WINDOWS[0]];
    for (const [n, from, delayEnds, monitorEnds] of windows) {
      if (!rows.has(n)) continue;
      bars("delay").add(from, delayEnds, rows.get(n) + middle, high * 0.5);
      bars("monitor").add(from, monitorEnds, rows.get(n) + middle, high, edge);
    }
  }

  /** How each kind of bar looks, in the order in which they are drawn. */
  looks(tags) {
    const { quiet, bad } = this.colours;
    const stages = ([tag, colour, pattern], n) => [
      [`${n} waiting`, { fillcolor: fade(colour, LOOKS.waiting.dense) }],
      [`${n} starting`, { fillcolor: fade(colour, LOOKS.starting.dense) }],
      [`${n} stopping`, {
        fillcolor: fade(colour, LOOKS.stopping.dense), fillpattern: { shape: "/", fillmode: "overlay", fgcolor: fade(colour, 0.9), size: 5, solidity: 0.3 },
      }],
      [`${n} lost`, {
        fillcolor: fade(colour, LOOKS.lost.dense), fillpattern: { shape: ".", fillmode: "overlay", fgcolor: fade(colour, 0.9), size: 5, solidity: 0.2 },
      }],
      [`${n} running`, {
        name: label(tag), showlegend: true, fillcolor: colour,
        fillpattern: { shape: pattern, bgcolor: colour, fgcolor: "rgba(0,0,0,0.3)", size: 7, solidity: 0.16 },
      }],
    ];
    return [
      ["delay", { fillcolor: quiet }],
      ["monitor", { fillcolor: quiet }],
      ...tags.flatMap(stages),
      ["hollow", { fillcolor: quiet }],
      ["failed", { fillcolor: bad }],
    ];
  }

  crosses({ x, y }) {
    const size = Math.max(9, Math.min(CROSS, this.row())) * this.size.unit;
    const marker = { symbol: "x", size, color: this.colours.bad, line: { color: this.colours.text, width: 1.2 } };
    return { type: "scatter", mode: "markers", name: "failed", x, y, marker, hoverinfo: "skip", cliponaxis: false };
  }

  /** Every second row a shade darker, and a frame round the task that is selected. */
  shapes() {
    const zebra = this.rows.length > 40 ? [] : this.rows.flatMap((_, row) => (row % 2 ? [row] : []));
    const path = zebra.map((row) => `M0,${row}H1V${row + 1}H0Z`).join(""); // a shape costs as much as an area
    const shades = { type: "path", layer: "below", xref: "paper", path, fillcolor: "rgba(128,128,128,0.07)", line: { width: 0 } };
    return [...(path ? [shades] : []), ...this.frame()];
  }

  frame() {
    const found = this.find(this.view.selection);
    if (!found) return [];
    const [from, to] = this.extent(found.attempt);
    return [{ type: "rect", x0: from, x1: to, y0: found.row, y1: found.row + 1, line: { color: this.colours.accent, width: 2.5 } }];
  }

  // ---- the pointer and the keyboard ----------------------------------------------

  find(n) {
    const row = this.rows.findIndex(({ attempts }) => attempts.some(({ task }) => task.n === n));
    return row < 0 ? null : { row, attempt: this.rows[row].attempts.find(({ task }) => task.n === n) };
  }

  extent(attempt) {
    const pieces = this.pieces(attempt);
    return [pieces[0]?.from ?? attempt.from, attempt.to];
  }

  /** The attempt at a place of the page, or null: a cross first, then what is nearest. */
  hit({ clientX, clientY }) {
    if (!this.plot || !this.size) return null;
    const { left, top } = this.el.getBoundingClientRect();
    const [px, py] = [clientX - left - this.size.left, clientY - top - this.size.top];
    const y = (py / this.size.height) * this.rows.length;
    const attempts = this.rows[Math.floor(y)]?.attempts ?? [];
    const cross = attempts.find(({ failed }) => failed !== null && Math.abs(this.px(failed) - px) < CROSS / 2 + 1);
    if (cross) return cross;
    const found = attempts.flatMap((attempt) =>
      this.pieces(attempt).map((piece) => ({ attempt, far: this.beside(piece, px), high: Math.abs(place(piece)[0] - (y % 1)) })),
    );
    found.sort((a, b) => a.far - b.far || a.high - b.high);
    return found[0]?.far <= NEAR ? found[0].attempt : null;
  }

  beside({ from, to }, px) {
    return Math.max(0, this.px(from) - px, px - this.px(to));
  }

  look(event) {
    const attempt = this.hit(event);
    return attempt && this.story(attempt);
  }

  /** A task in words: which, why there, its states with their times, its windows, its error. */
  story({ task }) {
    const { tags, windows } = this.viewState;
    const window = windows.find(([n]) => n === task.n);
    const last = task.moves.findLast(({ error, exit }) => error || exit !== null);
    return [
      ["labkit-card-title", `${tags[task.tag][0]} in ${task.name}`],
      ["labkit-card-quiet", `task ${task.id.slice(0, 12)}${task.node ? ` on ${task.node}` : ""}`],
      ["", this.why(task)],
      ...statesOf(task).map((line) => ["labkit-card-state", line]),
      ...(window && window[2] > window[1] ? [["labkit-card-quiet", `Its delay lasts until ${minutes(window[2])}, unless the update ends first.`]] : []),
      ...(window && window[3] > window[1] ? [["labkit-card-quiet", `Its monitor window lasts until ${minutes(window[3])}: if it ends before that, it counts as a failure.`]] : []),
      ...(last?.error ? [["labkit-card-bad", last.error]] : []),
      ...(last && last.exit !== null ? [["labkit-card-quiet", `exit code ${last.exit}`]] : []),
      ...(this.view.explains ? [["labkit-card-says", "Click it to see why, below the table."]] : []),
    ];
  }

  why({ cause, before }) {
    if (cause in BECAUSE) return BECAUSE[cause];
    const dead = this.viewState.tasks.get(before);
    return dead ? `Made by the restart supervisor, because ${dead.id.slice(0, 12)} ${wentOf(dead, cause)}.` : "Made by the restart supervisor after the task before it ended.";
  }

  clicked(event) {
    const attempt = this.hit(event);
    if (!attempt) return super.clicked(event);
    const { n } = attempt.task;
    this.view.select(this.view.selection === n ? null : n);
  }

  selected() {
    this.view.draw();
  }

  keys() {
    return {
      ...super.keys(),
      ArrowRight: () => this.go(0, 1),
      ArrowLeft: () => this.go(0, -1),
      ArrowDown: () => this.go(1, 0),
      ArrowUp: () => this.go(-1, 0),
      Enter: () => this.cursor !== undefined && this.view.select(this.cursor),
      Escape: () => (this.card.hide(), this.view.select(null)),
    };
  }

  /** Goes to the next task of the row, or to the newest of another row, and tells of it. */
  go(down, right) {
    const here = this.find(this.cursor);
    const row = Math.min(Math.max((here?.row ?? 0) + (here ? down : 0), 0), this.rows.length - 1);
    const { attempts } = this.rows[row];
    const next = here && right ? attempts.indexOf(here.attempt) + right : attempts.length - 1;
    const attempt = attempts[Math.min(Math.max(next, 0), attempts.length - 1)];
    this.cursor = attempt.task.n;
    const { left, top } = this.el.getBoundingClientRect();
    const px = Math.min(Math.max(this.px(attempt.to), 0), this.size.width);
    this.card.show(this.story(attempt), left + this.size.left + px, top + this.size.top + ((row + 0.5) / this.rows.length) * this.size.height);
    this.axis.point(attempt.to);
  }

  /** Bars with nothing to load: until plotly.js is there, or in its place. */
  drawPlain(viewState) {
    this.el.replaceChildren(plainSlots(viewState, this.rows, this.axis));
    return false;
  }
}

/** The middle and the height of a piece, in shares of its row. */
function place({ stage, lane }) {
  const [top, bottom] = TASKS;
  const half = (bottom - top) / 2;
  const [from, to] = { whole: [top, bottom], above: [top, top + half], below: [top + half, bottom] }[lane];
  return [(from + to) / 2, (to - from) * LOOKS[stage].high];
}

/** A colour `#rrggbb` with something of what is behind it. */
const fade = (colour, share) => colour + Math.round(share * 255).toString(16).padStart(2, "0");

/** The states of a task with their times; what it was told to do stands between them. */
function statesOf({ moves }) {
  return moves.flatMap(({ at, state, desired, since, stage }, n) => {
    const before = moves[n - 1];
    if (stage === "lost" && before?.stage !== "lost") return [`${minutes(at)}  its node is down`];
    if (before?.stage === "lost" && before.state === state && stage !== "lost") return [`${minutes(at)}  its node is back`];
    const lines = before?.state === state ? [] : [`${since < 0 ? "earlier" : minutes(since)}  ${state}`];
    return before && before.desired !== desired && before.state === state ? [`${minutes(at)}  desired state: ${desired}`] : lines;
  });
}

function plainSlots({ tags }, rows, axis) {
  const [width, row, left] = [1000, Math.min(ROW, HIGHEST / (rows.length || 1)), 40];
  const x = (at) => left + (width - left - 14) * axis.share(at);
  const svg = drawn("svg", { class: "labkit-plain-chart", viewBox: `0 0 ${width} ${row * rows.length}`, preserveAspectRatio: "none" });
  rows.forEach(({ attempts }, number) => {
    for (const { task, pieces, failed } of attempts) {
      const colour = tags[task.tag][1];
      for (const piece of pieces) {
        const [middle, height] = place(piece);
        const box = { x: x(piece.from), width: Math.max(1, x(piece.to) - x(piece.from)), y: (number + middle - height / 2) * row, height: height * row };
        drawn("rect", { ...box, fill: colour, "fill-opacity": Math.max(0.2, LOOKS[piece.stage].dense), stroke: colour }, svg);
      }
      const [cx, cy] = [failed === null ? 0 : x(failed), (number + 0.45) * row];
      if (failed !== null && axis.shows(failed)) drawn("path", { d: `M${cx - 5} ${cy - 5}l10 10m0 -10l-10 10`, class: "labkit-plain-cross" }, svg);
    }
  });
  return svg;
}
