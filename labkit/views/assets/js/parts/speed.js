// What the application gets done: hashes a second, over time.

import { Chart } from "../charts/chart.js";
import { make, write } from "../dom.js";
import { SHARED } from "../shared.js";
import { minutes } from "../words.js";

export class Speed extends Chart {
  constructor(root, view) {
    super(root, view, SHARED.speed.title);
  }

  wanted({ speed }) {
    return speed.length > 1; // a line needs two points
  }

  key({ speed }) {
    return [speed.length, speed[0], speed.at(-1)];
  }

  says({ speed }) {
    const last = speed.at(-1)?.[1];
    const now = last === undefined || last === null ? "The web page did not answer the last time." : `Last: ${Math.round(last)}.`;
    return `Hashes a second over time. ${now}`;
  }

  height() {
    return 44;
  }

  traces({ speed }) {
    return [{
      type: "scatter",
      mode: "lines",
      name: "hashes a second",
      x: speed.map(([at]) => at),
      y: speed.map(([, hashes]) => hashes),
      line: { color: this.colours.accent, width: 2 },
      hoverinfo: "skip",
    }];
  }

  yaxis({ speed }) {
    return { range: [0, 1.1 * speed.reduce((most, [, hashes]) => Math.max(most, hashes ?? 0), 1)], nticks: 3 };
  }

  look({ clientX }) {
    const at = this.at(clientX);
    const [since, hashes] = this.viewState.speed.findLast(([moment]) => at !== null && moment <= at) ?? [0, null];
    return hashes === null ? null : [["labkit-card-quiet", minutes(since)], ["", `${Math.round(hashes)} hashes a second`]];
  }

  drawPlain(viewState) {
    this.el.replaceChildren();
    write(make("p", "labkit-in-words", this.el), this.says(viewState));
    return false;
  }
}
