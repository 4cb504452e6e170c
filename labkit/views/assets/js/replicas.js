// The replicas by tag over time, in stacked steps.

import { drawn, make, write } from "./dom.js";
import { plotly } from "./plotly.js";
import { label, minutes, moment, sum } from "./words.js";

/** The chart's right end grows in these leaps, in seconds, so that it seldom moves. */
const ENDS = [30, 60, 90, 120, 180, 240, 300, 420, 600, 900, 1200, 1800, 2700, 3600];
const MARGIN = { l: 34, r: 12, t: 32, b: 24 };

export class Replicas {
  constructor(root, { plotlyPath }) {
    const el = make("div", "labkit-chart", root);
    this.el = el;
    el.setAttribute("role", "group");
    this.note = make("div", "labkit-note");
    el.after(this.note);
    el.addEventListener("mousemove", (event) => (this.pointer = [event.clientX, event.clientY]));
    el.addEventListener("mouseleave", () => (this.pointer = null));
    el.addEventListener("mousedown", () => (this.dragging = true), true);
    this.release = () => (this.dragging = false);
    window.addEventListener("mouseup", this.release, true);
    this.sizes = new ResizeObserver(() => this.resize());
    this.sizes.observe(el);
    plotly(plotlyPath).then(
      (library) => {
        this.library = library;
        if (this.picture) this.draw(this.picture);
      },
      (problem) => write(this.note, `A plain chart: ${problem.message}`),
    );
  }

  draw(picture) {
    this.picture = picture;
    const shape = shapeOf(picture);
    this.el.setAttribute("aria-label", `Running replicas by tag over time. ${picture.status.sentence}`);
    if (!this.library) {
      this.el.replaceChildren(plainChart(picture, shape));
    } else if (this.el.clientWidth && !this.dragging) {
      if (!this.plot) this.el.replaceChildren((this.plot = make("div", "labkit-plot")));
      this.library
        .react(this.plot, traces(picture, shape), layout(picture, shape, this.el), config(this))
        .then(() => this.point());
    }
  }

  /** Shows again what the pointer points at: plotly.js forgets it whenever it draws. */
  point() {
    if (!this.pointer) return;
    const { left, top, width, height } = this.plot.getBoundingClientRect();
    const [xpx, ypx] = [this.pointer[0] - left - MARGIN.l, this.pointer[1] - top - MARGIN.t];
    const inside = xpx >= 0 && ypx >= 0 && xpx < width - MARGIN.l - MARGIN.r && ypx < height - MARGIN.t - MARGIN.b;
    if (inside) this.library.Fx.hover(this.plot, { xpx, ypx }, "xy");
  }

  /** Offers the chart as a PNG, with the legend that the page shows above it. */
  save() {
    const { data, layout: drawn } = this.plot;
    const back = getComputedStyle(this.el.parentElement).backgroundColor;
    const title = { text: label(this.picture.service), x: 0.02, font: { size: 16 } };
    const margin = { ...drawn.margin, t: 70 };
    const whole = { ...drawn, showlegend: true, paper_bgcolor: back, title, margin };
    const filename = this.picture.service.replace(/[^\w.-]+/g, "_");
    this.library.downloadImage({ data, layout: whole }, { filename, width: 1000, height: 400, scale: 2 });
  }

  resize() {
    if (!this.picture || !this.el.clientWidth) return;
    if (this.plot) this.library.Plots.resize(this.plot);
    else this.draw(this.picture);
  }

  remove() {
    this.sizes.disconnect();
    window.removeEventListener("mouseup", this.release, true);
    if (this.plot) this.library.purge(this.plot);
  }
}

/** What both kinds of chart need: every step with all tags, the ends of both axes. */
function shapeOf(picture) {
  const until = picture.at;
  const steps = picture.steps.map(([at, counts]) => [at, picture.tags.map((_, n) => counts[n] ?? 0)]);
  if (steps.length) steps.push([until, steps.at(-1)[1]]);
  const most = Math.max(picture.status.wanted ?? 0, 1, ...steps.map(([, counts]) => sum(counts)));
  const leap = ENDS.find((end) => end * 1000 >= until) ?? Math.ceil(until / 1_800_000) * 1800;
  return { steps, until, most, end: picture.end ? Math.max(until, 1000) : leap * 1000 };
}

/** Adds points between the steps: the pointer finds points, and each shows what holds there. */
function dense(steps, end) {
  const apart = end / 200;
  return steps.flatMap(([at, counts], n) => {
    const between = n + 1 < steps.length ? Math.floor((steps[n + 1][0] - at) / apart) : 0;
    return [[at, counts], ...Array.from({ length: between }, (_, k) => [at + (k + 1) * apart, counts])];
  });
}

function traces(picture, { steps: sparse, end }) {
  const steps = dense(sparse, end);
  const x = steps.map(([at]) => moment(at));
  return picture.tags.map(([tag, colour, pattern], number) => ({
    type: "scatter",
    mode: "lines",
    stackgroup: "replicas",
    name: label(tag),
    x,
    y: steps.map(([, counts]) => counts[number]),
    line: { shape: "hv", width: 0.5, color: colour },
    fillcolor: colour,
    fillpattern: { shape: pattern, bgcolor: colour, fgcolor: "rgba(0,0,0,0.35)", size: 7, solidity: 0.16 },
    hovertemplate: "%{y} running",
  }));
}

function layout(picture, { until, most, end }, el) {
  const style = getComputedStyle(el.parentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const [text, quiet, line] = ["--labkit-text", "--labkit-quiet", "--labkit-line"].map(colour);
  const axis = { color: quiet, gridcolor: line, linecolor: line, zeroline: false, tickfont: { size: 11 } };
  return {
    uirevision: "as the reader zoomed it",
    height: el.clientHeight,
    margin: MARGIN,
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: style.fontFamily, color: text, size: 12 },
    showlegend: false,
    legend: { orientation: "h", y: 1.18, x: 1, xanchor: "right" },
    hovermode: "x unified",
    modebar: { bgcolor: "rgba(0,0,0,0)", color: quiet, activecolor: text },
    hoverlabel: { bgcolor: colour("--labkit-back"), bordercolor: line, font: { color: text }, namelength: -1 },
    xaxis: {
      ...axis, type: "date", range: [moment(0), moment(end)], showgrid: false, ticks: "outside", ticklen: 4, tickcolor: line,
      dtick: end < 8000 ? 1000 : undefined, // its labels are whole seconds
      tickformat: end > 3_600_000 ? "%-H:%M:%S" : "%-M:%S", hoverformat: "%-H:%M:%S after the start",
    },
    yaxis: { ...axis, range: [0, most * 1.06], tickformat: "d", nticks: 6, fixedrange: true },
    shapes: [...wantedLine(picture, quiet), ...marks(picture, quiet), ...gaps(picture, until, quiet)],
    annotations: markLabels(picture, end, quiet),
  };
}

const wantedLine = ({ status }, color) =>
  status.wanted
    ? [{ type: "line", xref: "paper", x0: 0, x1: 1, y0: status.wanted, y1: status.wanted, line: { color, width: 1, dash: "dot" } }]
    : [];

const marks = (picture, color) =>
  picture.phases.slice(1).map(([at]) => ({ type: "line", x0: moment(at), x1: moment(at), yref: "paper", y0: 0, y1: 1, line: { color, width: 1 } }));

const gaps = (picture, until, color) =>
  picture.gaps.map(([from, to]) => ({
    type: "rect", x0: moment(from), x1: moment(to ?? until), yref: "paper", y0: 0, y1: 1, fillcolor: color, opacity: 0.35, line: { width: 0 },
  }));

/** The names of update states, above their marks; two close ones on two levels. */
function markLabels(picture, end, color) {
  let level = 0;
  let previous = -Infinity;
  return picture.phases.slice(1).map(([at, state]) => {
    level = at - previous < end * 0.16 ? (level + 1) % 2 : 0;
    previous = at;
    return {
      x: moment(at), yref: "paper", y: 1, yanchor: "bottom", yshift: level * 14, showarrow: false,
      xanchor: at > end * 0.85 ? "right" : "left", text: label(state.replaceAll("_", " ")), font: { size: 11, color },
    };
  });
}

const config = (chart) => ({
  displaylogo: false,
  responsive: false,
  modeBarButtons: [[
    { name: "save", title: "Download as PNG", icon: chart.library.Icons.camera, click: () => chart.save() },
    "zoom2d", "pan2d", "zoomIn2d", "zoomOut2d", "resetScale2d",
  ]],
});

/** A step chart with nothing to load: until plotly.js is there, or in its place. */
function plainChart(picture, { steps, end, most }) {
  const [width, height, left, top, bottom] = [1000, 230, 34, 34, 24];
  const x = (at) => left + ((width - left - 12) * at) / (end || 1);
  const y = (count) => top + (height - top - bottom) * (1 - count / (most * 1.06));
  const svg = drawn("svg", { class: "labkit-plain-chart", viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none" });
  let under = steps.map(() => 0);
  picture.tags.forEach(([tag, colour], number) => {
    const over = steps.map(([, counts], n) => under[n] + counts[number]);
    const d = `M${edge(steps, over, x, y).join("L")}L${edge(steps, under, x, y).reverse().join("L")}Z`;
    if (steps.length) drawn("path", { d, fill: colour }, svg).append(named(tag));
    under = over;
  });
  for (const count of [0, most]) drawn("text", { x: left - 8, y: y(count) + 4, "text-anchor": "end" }, svg).textContent = count;
  drawn("text", { x: left, y: height - 6 }, svg).textContent = "0:00";
  drawn("text", { x: width - 12, y: height - 6, "text-anchor": "end" }, svg).textContent = minutes(end);
  return svg;
}

const edge = (steps, counts, x, y) =>
  steps.flatMap(([at], n) => (n ? [`${x(at)},${y(counts[n - 1])}`] : []).concat(`${x(at)},${y(counts[n])}`));

const named = (text) => {
  const title = drawn("title", {});
  title.textContent = text;
  return title;
};
