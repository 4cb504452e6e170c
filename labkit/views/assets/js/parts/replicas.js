// The replicas by tag over time, in stacked steps.

import { Chart } from "../charts/chart.js";
import { drawn } from "../dom.js";
import { SHARED } from "../shared.js";
import { label, minutes, moment, sum } from "../words.js";

export class Replicas extends Chart {
  constructor(root, view) {
    super(root, view, SHARED.replicas.title);
  }

  key({ steps, tags, status }) {
    return [steps.length, steps[0], steps.at(-1), tags, Math.round(this.px(this.view.at)), status.wanted];
  }

  says({ tags, running, status }) {
    const counts = running.map((count, number) => `${count} of ${tags[number][0]}`).join(", ");
    return `Running replicas by tag over time. Now: ${counts || "none"}. ${status.sentence}`;
  }

  height() {
    return this.view.low ? 44 : 84;
  }

  traces(viewState) {
    const steps = dense(stepsOf(viewState, this.view.at), this.axis.range);
    const x = steps.map(([at]) => moment(at));
    const traces = viewState.tags.map(([tag, colour, pattern], number) => ({
      type: "scatter",
      mode: "lines",
      stackgroup: "replicas",
      name: label(tag),
      x,
      y: steps.map(([, counts]) => counts[number]),
      line: { shape: "hv", width: 0.5, color: colour },
      fillcolor: colour,
      fillpattern: { shape: pattern, bgcolor: colour, fgcolor: "rgba(0,0,0,0.3)", size: 7, solidity: 0.16 },
      hovertemplate: "%{y} running",
    }));
    return traces.filter(({ y }) => y.some(Boolean)); // a tag that never ran would be a line along the top of the others
  }

  yaxis(viewState) {
    const most = mostOf(viewState);
    return { range: [0, most * 1.06], tickformat: "d", nticks: 4, dtick: most < 6 ? 1 : undefined }; // there are no half replicas
  }

  shapes({ status }) {
    const line = { color: this.colours.quiet, width: 1.5, dash: "dot" };
    return status.wanted ? [{ type: "line", xref: "paper", x0: 0, x1: 1, y0: status.wanted, y1: status.wanted, line }] : [];
  }

  more() {
    return { hovermode: "x unified" };
  }

  pointAgain() {
    if (!this.pointer || this.hidden) return;
    const { left: x, top: y } = this.plot.getBoundingClientRect();
    const { left, top, width, height } = this.size;
    const [xpx, ypx] = [this.pointer.clientX - x - left, this.pointer.clientY - y - top];
    const inside = xpx >= 0 && ypx >= 0 && xpx < width && ypx < height;
    if (inside) this.view.library.Fx.hover(this.plot, { xpx, ypx }, "xy");
  }

  /** A step chart with nothing to load: until plotly.js is there, or in its place. */
  drawPlain(viewState) {
    this.el.replaceChildren(plainReplicas(viewState, stepsOf(viewState, this.view.at), this.axis));
    return false;
  }
}

/** Every step with all tags, up to now. */
function stepsOf({ steps, tags }, at) {
  const all = steps.map(([since, counts]) => [since, tags.map((_, n) => counts[n] ?? 0)]);
  if (all.length) all.push([at, all.at(-1)[1]]);
  return all;
}

const mostOf = ({ status, steps }) => steps.reduce((most, [, counts]) => Math.max(most, sum(counts)), Math.max(status.wanted ?? 0, 1));

/** Adds points between the steps: the pointer finds points, and each shows what holds there. */
function dense(steps, [from, to]) {
  const apart = (to - from) / 200;
  return steps.flatMap(([at, counts], n) => {
    const next = steps[n + 1]?.[0] ?? at;
    const seen = at <= to && next >= from;
    const between = seen ? Math.floor((Math.min(next, to) - Math.max(at, from)) / apart) : 0;
    return [[at, counts], ...Array.from({ length: between }, (_, k) => [Math.max(at, from) + (k + 1) * apart, counts])];
  });
}

function plainReplicas(viewState, steps, axis) {
  const [width, height, left, top, bottom] = [1000, 200, 40, 10, 24];
  const most = mostOf(viewState);
  const [from, to] = axis.range;
  const x = (at) => left + (width - left - 14) * axis.share(at);
  const y = (count) => top + (height - top - bottom) * (1 - count / (most * 1.06));
  const svg = drawn("svg", { class: "labkit-plain-chart", viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none" });
  let under = steps.map(() => 0);
  viewState.tags.forEach(([tag, colour], number) => {
    const over = steps.map(([, counts], n) => under[n] + counts[number]);
    const d = `M${edge(steps, over, x, y).join("L")}L${edge(steps, under, x, y).reverse().join("L")}Z`;
    if (steps.length) drawn("title", {}, drawn("path", { d, fill: colour }, svg)).textContent = tag;
    under = over;
  });
  for (const count of [0, most]) drawn("text", { x: left - 8, y: y(count) + 4, "text-anchor": "end" }, svg).textContent = count;
  drawn("text", { x: left, y: height - 6 }, svg).textContent = minutes(from);
  drawn("text", { x: width - 14, y: height - 6, "text-anchor": "end" }, svg).textContent = minutes(to);
  return svg;
}

const edge = (steps, counts, x, y) =>
  steps.flatMap(([at], n) => (n ? [`${x(at)},${y(counts[n - 1])}`] : []).concat(`${x(at)},${y(counts[n])}`));
