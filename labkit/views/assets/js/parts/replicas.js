// The replicas by tag over time, in stacked steps.

import { area } from "../charts/bars.js";
import { Chart } from "../charts/chart.js";
import { drawn } from "../dom.js";
import { SHARED } from "../shared.js";
import { label, minutes, sum } from "../words.js";

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
    return layers(viewState, stepsOf(viewState, this.view.at)).map(({ tag, colour, pattern, corners }) =>
      area(corners.map(([at]) => at), corners.map(([, count]) => count), {
        name: label(tag), showlegend: true, fillcolor: colour,
        fillpattern: { shape: pattern, bgcolor: colour, fgcolor: "rgba(0,0,0,0.3)", size: 7, solidity: 0.16 },
      }),
    );
  }

  yaxis(viewState) {
    const most = mostOf(viewState);
    return { range: [0, most * 1.06], tickformat: "d", nticks: 4, dtick: most < 6 ? 1 : undefined }; // there are no half replicas
  }

  shapes({ status }) {
    const line = { color: this.colours.quiet, width: 1.5, dash: "dot" };
    return status.wanted ? [{ type: "line", xref: "paper", x0: 0, x1: 1, y0: status.wanted, y1: status.wanted, line }] : [];
  }

  /** How many replicas of each tag ran at the moment under the pointer. */
  look({ clientX }) {
    const at = this.at(clientX);
    const counts = at !== null && at <= this.view.at && this.viewState.steps.findLast(([since]) => since <= at)?.[1];
    if (!counts) return null;
    return [["labkit-card-title", `${minutes(at)} after the start`], ...this.viewState.tags.map(([tag], n) => ["", `${tag}: ${counts[n] ?? 0} running`])];
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

/** What to draw of each tag that ever ran: the line round its replicas, which stand on those of earlier tags. */
function layers({ tags }, steps) {
  let under = steps.map(() => 0);
  return tags.flatMap(([tag, colour, pattern], number) => {
    const over = steps.map(([, counts], n) => under[n] + counts[number]);
    const corners = [...edge(steps, over), ...edge(steps, under).reverse()];
    under = over;
    return steps.some(([, counts]) => counts[number]) ? [{ tag, colour, pattern, corners }] : [];
  });
}

/** The corners of a line that goes on until the next step. */
const edge = (steps, counts) => steps.flatMap(([at], n) => (n ? [[at, counts[n - 1]]] : []).concat([[at, counts[n]]]));

function plainReplicas(viewState, steps, axis) {
  const [width, height, left, top, bottom] = [1000, 200, 40, 10, 24];
  const most = mostOf(viewState);
  const [from, to] = axis.range;
  const x = (at) => left + (width - left - 14) * axis.share(at);
  const y = (count) => top + (height - top - bottom) * (1 - count / (most * 1.06));
  const svg = drawn("svg", { class: "labkit-plain-chart", viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none" });
  for (const { tag, colour, corners } of layers(viewState, steps)) {
    const d = `M${corners.map(([at, count]) => `${x(at)},${y(count)}`).join("L")}Z`;
    drawn("title", {}, drawn("path", { d, fill: colour }, svg)).textContent = tag;
  }
  for (const count of [0, most]) drawn("text", { x: left - 8, y: y(count) + 4, "text-anchor": "end" }, svg).textContent = count;
  drawn("text", { x: left, y: height - 6 }, svg).textContent = minutes(from);
  drawn("text", { x: width - 14, y: height - 6, "text-anchor": "end" }, svg).textContent = minutes(to);
  return svg;
}
