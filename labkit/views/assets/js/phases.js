// The update status over time, as a ribbon: a band a state, with its name in it.

import { Chart, letters, spaced } from "./chart.js";
import { make, write } from "./dom.js";
import { label, minutes, moment } from "./words.js";

/** Colour and pattern of a state: going on, well over, stuck, going back. Ink on them is dark. */
const STATES = {
  updating: ["#a9d0f5", ""],
  paused: ["#ffcf66", "|"],
  completed: ["#a8dcb0", ""],
  rollback_started: ["#f7b09c", "/"],
  rollback_paused: ["#f7b09c", "x"],
  rollback_completed: ["#dcc3ee", "\\"],
};
const INK = "#1a1a1a";
const OVER = ["", "completed", "rollback_completed"]; // what a recording begins with, if nothing goes on
const NARROWEST = 4; // px of a band

export class Phases extends Chart {
  constructor(root, view) {
    super(root, view, "Update status");
  }

  key({ phases, settling }) {
    return [phases, settling, Math.round(this.px(this.view.at))];
  }

  says(picture) {
    const bands = picture.phases.map(([at, state], number) => `${named(state, number)} since ${minutes(at)}`);
    return `Update status over time: ${bands.join(", ")}. ${picture.status.sentence}`;
  }

  height() {
    return 26;
  }

  get grid() {
    return false;
  }

  /** The bands as they are drawn: `[from, to, name, colour, pattern, colour of the name]`. */
  bands({ phases }) {
    const [from, to] = this.axis.range;
    const least = (NARROWEST / this.size.width) * (to - from);
    return phases.map(([at, state], number) => {
      const muted = number === 0 && OVER.includes(state);
      const [colour, pattern] = muted ? ["rgba(128,128,128,0.16)", ""] : STATES[state] ?? ["rgba(128,128,128,0.3)", ""];
      const plain = muted || !STATES[state];
      const until = Math.max(phases[number + 1]?.[0] ?? this.view.at, at + least);
      return { at, to: until, name: named(state, number), colour, pattern, ink: plain ? this.colours.quiet : INK };
    });
  }

  /** What is still to come once every slot has its new task: the last delay, the monitor window. */
  planned({ settling, end }) {
    if (!settling || end) return [];
    const { at } = this.view;
    const delay = Math.max(at, settling.delay);
    return [
      { at, to: delay, name: `delay until ${minutes(settling.delay)}` },
      { at: delay, to: settling.monitor, name: `monitor window until ${minutes(settling.monitor)}` },
    ].filter((band) => band.to > band.at);
  }

  traces(picture) {
    return this.bands(picture).map(({ at, to, name, colour, pattern }) => ({
      type: "bar",
      orientation: "h",
      name: label(name),
      base: [moment(at)],
      x: [to - at],
      y: [0.5],
      width: [1],
      hoverinfo: "skip",
      showlegend: false, // its name stands in it
      marker: { color: colour, line: { width: 0 }, pattern: { shape: pattern, fgcolor: "rgba(0,0,0,0.3)", fillmode: "overlay", size: 8, solidity: 0.14 } },
    }));
  }

  yaxis() {
    return { range: [0, 1], visible: false };
  }

  shapes(picture) {
    const line = { color: this.colours.quiet, width: 1.5, dash: "dot" };
    return this.planned(picture).map(({ at, to }) => ({ type: "rect", x0: moment(at), x1: moment(to), y0: 0.04, y1: 0.96, line }));
  }

  annotations(picture) {
    const { font } = this.size;
    const inside = [...this.bands(picture), ...this.planned(picture)].filter((band) => this.fits(band));
    return inside.map((band) => ({
      x: moment(this.middle(band)), y: 0.5, showarrow: false, text: label(band.name), font: { size: font * 0.85, color: band.ink ?? this.colours.text },
    }));
  }

  /** Names that find no place in their bands stand above them. */
  labels(picture) {
    const above = [...this.bands(picture).slice(1), ...this.planned(picture)].filter((band) => !this.fits(band));
    return [...above.map(({ at, name }) => ({ at, text: name, colour: this.colours.quiet })), ...this.markLabels(picture)];
  }

  fits(band) {
    const [from, to] = this.seen(band);
    return this.px(to) - this.px(from) > letters(band.name, this) + 8;
  }

  middle(band) {
    const [from, to] = this.seen(band);
    return (from + to) / 2;
  }

  /** The part of a band that a zoom leaves. */
  seen({ at, to }) {
    const [from, until] = this.axis.range;
    return [Math.max(at, from), Math.min(to, until)];
  }

  look({ clientX }) {
    const at = this.at(clientX);
    if (at === null) return null;
    const { phases, gaps, marks } = this.picture;
    const near = (moment) => Math.abs(this.px(moment) - this.px(at)) < 4;
    const lines = at <= this.view.at || near(this.view.at) ? this.told(phases.findLastIndex(([since]) => since <= at || near(since))) : [];
    for (const { at: from, to, name } of this.planned(this.picture)) if (at >= from && at < to) lines.push(["labkit-card-title", `to come: ${name}`]);
    for (const [from, to, reason] of gaps) {
      if (at >= from && at < (to ?? this.view.at)) lines.push(["labkit-card-bad", `The engine did not answer from ${minutes(from)}: ${reason}`]);
    }
    for (const [moment, text] of marks) if (near(moment)) lines.push(["", `Mark at ${minutes(moment)}: ${text}`]);
    return lines.length ? lines : null;
  }

  told(number) {
    const { phases, end } = this.picture;
    const [since, state, message, sentence] = phases[number];
    const next = phases[number + 1]?.[0];
    const until = next !== undefined || end ? `to ${minutes(next ?? end.at)}` : "and it goes on";
    const lines = [["labkit-card-title", named(state, number)], ["labkit-card-quiet", `from ${minutes(since)} ${until}`], ["", sentence]];
    return message ? [...lines, ["labkit-card-says", `Docker says: “${message}”`]] : lines;
  }

  clicked(event) {
    this.view.marks.ask(this.at(event.clientX));
  }

  drawPlain(picture) {
    this.el.replaceChildren();
    write(make("p", "labkit-in-words", this.el), this.says(picture));
    return false;
  }
}

function named(state, number) {
  if (state === "") return number === 0 ? "not updated yet" : "no update";
  return number === 0 && OVER.includes(state) ? `before: ${spaced(state)}` : spaced(state);
}
