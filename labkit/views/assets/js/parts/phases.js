// The update status over time, as a ribbon: a band a state, with its name in it.

import { Bars } from "../charts/bars.js";
import { Chart, letters } from "../charts/chart.js";
import { make, write } from "../dom.js";
import { SHARED } from "../shared.js";
import { label, minutes } from "../words.js";

const INK = "#1a1a1a";
const PLAIN = "rgba(128,128,128,0.16)"; // of a band that is none of an update
const NARROWEST = 4; // px of a band

export class Phases extends Chart {
  constructor(root, view) {
    super(root, view, SHARED.phases.title);
  }

  key({ phases, settling }) {
    return [phases, settling, Math.round(this.px(this.view.at))];
  }

  says(viewState) {
    const bands = viewState.phases.map(([at, , , , name]) => `${name} since ${minutes(at)}`);
    return `Update status over time: ${bands.join(", ")}. ${viewState.status.sentence}`;
  }

  height() {
    return 20;
  }

  get grid() {
    return false;
  }

  /** The bands as they are drawn: `[from, to, name, colour, pattern, colour of the name]`. */
  bands({ phases }) {
    const [from, to] = this.axis.range;
    const least = (NARROWEST / this.size.width) * (to - from);
    return phases.map(([at, , , , name, colour, pattern], number) => {
      const until = Math.max(phases[number + 1]?.[0] ?? this.view.at, at + least);
      return { at, to: until, name, colour: colour || PLAIN, pattern, ink: colour ? INK : this.colours.quiet };
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

  traces(viewState) {
    return this.bands(viewState).map(({ at, to, name, colour, pattern }) => {
      const bar = new Bars(this.axis.range, this.size, 1);
      bar.add(at, to, 0.5, 1);
      return bar.trace({ name: label(name), fillcolor: colour, fillpattern: { shape: pattern, bgcolor: colour, fgcolor: "rgba(0,0,0,0.3)", size: 8, solidity: 0.14 } });
    });
  }

  yaxis() {
    return { range: [0, 1], visible: false };
  }

  shapes(viewState) {
    const line = { color: this.colours.quiet, width: 1.5, dash: "dot" };
    return this.planned(viewState).map(({ at, to }) => ({ type: "rect", x0: at, x1: to, y0: 0.04, y1: 0.96, line }));
  }

  annotations(viewState) {
    const { font } = this.size;
    const inside = [...this.bands(viewState), ...this.planned(viewState)].filter((band) => this.fits(band));
    return inside.map((band) => ({
      x: this.seen(band)[0], xanchor: "left", xshift: 2, y: 0.5, showarrow: false, text: label(band.name), font: { size: font * 0.85, color: band.ink ?? this.colours.text },
    }));
  }

  /** Names that find no place in their bands stand above them. */
  labels(viewState) {
    const above = [...this.bands(viewState).slice(1), ...this.planned(viewState)].filter((band) => !this.fits(band));
    return [...above.map(({ at, name }) => ({ at, text: name, colour: this.colours.quiet })), ...this.noted(viewState)];
  }

  fits(band) {
    const [from, to] = this.seen(band);
    return this.px(to) - this.px(from) > letters(band.name, this) + 8;
  }

  /** The part of a band that a zoom leaves. */
  seen({ at, to }) {
    const [from, until] = this.axis.range;
    return [Math.max(at, from), Math.min(to, until)];
  }

  look({ clientX }) {
    const at = this.at(clientX);
    if (at === null) return null;
    const { phases, gaps, marks } = this.viewState;
    const near = (moment) => Math.abs(this.px(moment) - this.px(at)) < 4;
    const lines = at <= this.view.at || near(this.view.at) ? this.told(phases.findLastIndex(([since]) => since <= at || near(since))) : [];
    for (const { at: from, to, name } of this.planned(this.viewState)) if (at >= from && at < to) lines.push(["labkit-card-title", `to come: ${name}`]);
    for (const [from, to, reason] of gaps) {
      if (at >= from && at < (to ?? this.view.at)) lines.push(["labkit-card-bad", `Nothing was recorded from ${minutes(from)} to ${to === null ? "now" : minutes(to)}: ${reason}`]);
    }
    for (const [moment, text] of marks) if (near(moment)) lines.push(["", `Mark at ${minutes(moment)}: ${text}`]);
    return lines.length ? lines : null;
  }

  told(number) {
    const { phases, end } = this.viewState;
    const [since, , message, sentence, name] = phases[number];
    const next = phases[number + 1]?.[0];
    const until = next !== undefined || end ? `to ${minutes(next ?? end.at)}` : "and it goes on";
    const lines = [["labkit-card-title", name], ["labkit-card-quiet", `from ${minutes(since)} ${until}`], ["", sentence]];
    return message ? [...lines, ["labkit-card-says", `Docker says: “${message}”`]] : lines;
  }

  clicked(event) {
    this.view.marks.ask(this.at(event.clientX));
  }

  drawPlain(viewState) {
    this.el.replaceChildren();
    write(make("p", "labkit-in-words", this.el), this.says(viewState));
    return false;
  }
}
