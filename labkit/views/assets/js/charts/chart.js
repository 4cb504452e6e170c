// What all charts have in common: one Plotly figure each, under one time axis.

import { Card } from "../card.js";
import { make, write } from "../dom.js";
import { noTabStops } from "./plotly.js";
import { SHARED } from "../shared.js";
import { label, minutes } from "../words.js";

/** Sizes in px at JupyterLab's usual font size; they grow with it. */
const USUAL_FONT = 13;
const SIZES = { left: 40, right: 14, top: 4, bottom: 6, ticks: 20, level: 14 };
const MOST_LEVELS = 3; // of labels, above the top chart
const A_CLICK = 4; // px that the pointer may move in a click
const AGAIN = 350; // ms within which a second click makes a double click

export class Chart {
  /** Subclasses have key, says, traces, yaxis, height, and may have more of what stands below. */
  constructor(root, view, title) {
    this.root = root;
    this.view = view;
    this.axis = view.axis;
    this.title = title;
    this.head = make("div", "labkit-title", root);
    write(make("span", "", this.head), title);
    write(make("span", "labkit-keys", this.head), this.help);
    const frame = make("div", "labkit-frame", root);
    this.el = make("div", "labkit-chart", frame);
    this.el.tabIndex = 0;
    this.el.setAttribute("role", "group");
    this.el.setAttribute("aria-description", this.help);
    this.el.dataset.lmSuppressShortcuts = "true"; // JupyterLab would take the arrows for itself
    this.line = make("div", "labkit-pointer", frame);
    this.line.hidden = true;
    this.time = make("span", "", this.line);
    this.card = new Card(frame);
    this.axis.charts.push(this);
    this.listen();
  }

  /** What keys do in it; it is seen while the chart has the keyboard. */
  get help() {
    return "← → move, + − zoom, 0 shows all, S saves a picture";
  }

  get hidden() {
    return this.root.hidden;
  }

  /** Nobody misses a chart that is out of sight. */
  get lazy() {
    return true;
  }

  listen() {
    this.el.addEventListener("mousemove", (event) => this.moved(event));
    this.el.addEventListener("mouseleave", () => this.left());
    this.el.addEventListener("mousedown", (event) => event.button || (this.pressed = event), true); // the primary one
    this.el.addEventListener("keydown", (event) => this.typed(event));
    this.el.addEventListener("blur", () => this.card.hide());
    this.release = (event) => this.released(event);
    window.addEventListener("mouseup", this.release, true);
  }

  // ---- drawing -------------------------------------------------------------------

  /** Draws what has changed since the last time; returns whether it wants another turn. */
  draw(viewState) {
    this.viewState = viewState;
    this.el.setAttribute("aria-label", this.says(viewState));
    const { library } = this.view;
    if (!library) return this.drawPlain(viewState);
    if (!this.el.clientWidth || this.pressed) return false;
    this.measure(viewState);
    const key = JSON.stringify([this.key(viewState), this.size, this.axis.range, this.view.theme, overKey(viewState, this.view)]);
    if (key === this.drawn) return false;
    if (!this.plot) return this.begin(library);
    this.drawn = key;
    this.react(library, viewState);
    return false;
  }

  /** The first figure has nothing in it: it costs so much that what is in it comes after. */
  begin(library) {
    this.plot = make("div", "labkit-plot");
    this.el.replaceChildren(this.plot);
    library.newPlot(this.plot, [], this.layout(this.viewState), config(this, library));
    noTabStops(this.plot);
    this.plot.on("plotly_relayout", (change) => {
      if (!Object.keys(change).some((name) => name.startsWith("xaxis.range"))) return;
      this.drawn = this.still = null;
      this.axis.zoom(this.plot.layout.xaxis.range);
    });
    return true;
  }

  react(library, viewState) {
    const layout = this.layout(viewState);
    const traces = this.traces(viewState).filter(({ x }) => x.length);
    const still = whatStays(layout, traces);
    if (still !== this.still || !this.move(layout, traces)) {
      this.still = still;
      this.el.style.height = `${layout.height}px`;
      library.react(this.plot, traces, layout).then(() => noTabStops(this.plot));
    }
    if (this.pointer && !this.hidden) this.moved(this.pointer); // what is under it may be another
  }

  /** Moves the areas and writes the names of rows, where nothing else has changed: a tenth of what Plotly takes. */
  move({ yaxis: { range: [bottom, top], ticktext = [] } }, traces) {
    const paths = this.plot.querySelectorAll(".js-fill");
    const areas = traces.filter(isArea);
    const names = this.plot.querySelectorAll(".ytick text");
    if (paths.length !== areas.length || (ticktext.length && names.length !== ticktext.length)) return false;
    const { height } = this.size;
    const corner = (at, y) => `${this.px(at).toFixed(2)},${(((top - y) / (top - bottom)) * height).toFixed(2)}`;
    areas.forEach(({ x, y }, n) => paths[n].setAttribute("d", `M${x.map((at, k) => corner(at, y[k])).join("L")}Z`));
    ticktext.forEach((name, n) => write(names[n], name));
    Object.assign(this.plot.layout.yaxis, { ticktext });
    traces.forEach(({ x, y }, n) => Object.assign(this.plot.data[n], { x, y }));
    return true;
  }

  /** Shows a copy of the chart while the plot behind it is drawn anew, until `reveal`. */
  hold() {
    if (!this.plot || this.copy) return;
    this.copy = this.plot.cloneNode(true);
    this.copy.setAttribute("aria-hidden", "true");
    this.copy.classList.add("labkit-copy");
    this.el.append(this.copy);
  }

  reveal() {
    this.copy?.remove();
    this.copy = null;
  }

  /** Sizes in px: of the letters, and of the plot with the room round it. */
  measure(viewState) {
    const style = getComputedStyle(this.view.root);
    const font = parseFloat(style.fontSize);
    const unit = font / USUAL_FONT;
    const left = Math.max(this.axis.left, Math.round(SIZES.left * unit));
    const right = SIZES.right;
    const width = Math.max(1, this.el.clientWidth - left - right);
    const colour = (name) => style.getPropertyValue(`--labkit-${name}`).trim();
    const names = ["text", "quiet", "line", "back", "bad", "accent"];
    this.colours = Object.fromEntries(names.map((name) => [name, colour(name)]));
    this.family = style.fontFamily;
    this.size = { font, unit, left, right, width };
    const raised = this.axis.top === this ? levels(this.labels(viewState), this) : [];
    this.raised = raised;
    this.size.top = SIZES.top + Math.round(SIZES.level * unit) * (raised.length ? 1 + Math.max(...raised.map(({ level }) => level)) : 0);
    this.size.bottom = this.axis.lowest === this ? Math.round(SIZES.ticks * unit) : SIZES.bottom;
    this.size.height = Math.round(this.height(viewState) * unit);
  }

  layout(viewState) {
    const { font, left, right, top, bottom, height } = this.size;
    const { text, quiet, line } = this.colours;
    const axis = { color: quiet, gridcolor: "rgba(128,128,128,0.22)", linecolor: line, tickcolor: line, zeroline: false, tickfont: { size: font * 0.85 }, ticklabeloverflow: "allow" };
    const ticks = this.axis.ticks(this.size);
    const lowest = this.axis.lowest === this;
    return {
      height: height + top + bottom,
      width: this.el.clientWidth,
      margin: { l: left, r: right, t: top, b: bottom },
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: this.family, color: text, size: font * 0.92 },
      showlegend: false,
      legend: { orientation: "h", yref: "container", y: 1, yanchor: "top", x: 1, xanchor: "right", traceorder: "normal" },
      hovermode: false,
      modebar: { bgcolor: "rgba(0,0,0,0)", color: quiet, activecolor: text },
      xaxis: {
        ...axis, type: "linear", range: [...this.axis.range], // thousands of corners as dates cost 40 ms
        tickvals: ticks, ticktext: ticks.map((at, n) => (n ? minutes(at) : `${minutes(at)} min`)), showticklabels: lowest, ticks: lowest ? "outside" : "", ticklen: 4,
        showgrid: this.grid,
      },
      shapes: [...this.shapes(viewState), ...over(viewState, this)],
      annotations: [...this.annotations(viewState), ...this.raised.map((raised) => annotation(raised, this))],
      yaxis: { ...axis, fixedrange: true, ...this.yaxis(viewState) },
    };
  }

  /** What stands above the chart when it is the top one: the states, and the instructor's marks. */
  labels(viewState) {
    const states = viewState.phases.slice(1).map(([at, state]) => ({ at, text: spaced(state), colour: this.colours.quiet }));
    return [...states, ...this.noted(viewState)];
  }

  /** The instructor's marks, and what a grey band is. */
  noted({ gaps, marks }) {
    const bands = gaps.map(([at]) => ({ at, text: SHARED.phases.gap, colour: this.colours.quiet }));
    return [...bands, ...[...marks, ...this.view.pending].map(([at, text]) => ({ at, text, colour: this.colours.accent }))];
  }

  /** Whether the times are drawn through the chart as thin lines. */
  get grid() {
    return true;
  }

  shapes() {
    return [];
  }

  annotations() {
    return [];
  }

  drawPlain() {
    return false;
  }

  // ---- the pointer and the keyboard ----------------------------------------------

  /** The moment at a place of the page, or null beside the plot. */
  at(clientX) {
    if (!this.size) return null;
    const { left, width } = this.size;
    const px = clientX - this.el.getBoundingClientRect().left - left;
    const [from, to] = this.axis.range;
    return px < 0 || px > width ? null : from + (px / width) * (to - from);
  }

  /** Where a moment is, in px from the left of the plot. */
  px(at) {
    const [from, to] = this.axis.range;
    return ((at - from) / (to - from)) * this.size.width;
  }

  /** Lets the line under the pointer stand at a moment, or nowhere; the lowest chart says when. */
  point(at) {
    const beside = at === null || !this.plot || !this.size || this.hidden;
    this.line.hidden = beside;
    if (beside) return;
    const px = this.px(at);
    this.line.style.transform = `translateX(${Math.round(this.size.left + px)}px)`;
    write(this.time, this.axis.lowest === this ? minutes(at) : "");
    this.time.dataset.side = px > this.size.width - 40 ? "right" : "left";
  }

  moved(event) {
    this.pointer = event;
    this.axis.point(this.at(event.clientX));
    const found = this.pressed ? null : this.look(event);
    this.el.classList.toggle("labkit-found", Boolean(found));
    if (found) this.card.show(found, event.clientX, event.clientY);
    else this.card.hide();
  }

  left() {
    this.pointer = null;
    this.axis.point(null);
    this.card.hide();
  }

  /** The lines of the card about what is at a place of the page, or null. */
  look() {
    return null;
  }

  /** After a press in the chart: a click, a double click, or the end of a zoom. */
  released(event) {
    const before = this.pressed;
    if (!before) return;
    this.pressed = null;
    if (Math.hypot(event.clientX - before.clientX, event.clientY - before.clientY) > A_CLICK) return this.view.draw();
    const again = event.timeStamp - (this.clickedAt ?? -Infinity) < AGAIN;
    this.clickedAt = again ? null : event.timeStamp;
    if (again) {
      this.view.marks.cancel();
      this.axis.all();
    } else if (!before.target.closest(".modebar")) this.clicked(before);
  }

  /** A click on the time axis puts a mark. */
  clicked(event) {
    const { top } = this.el.getBoundingClientRect();
    const below = this.size && event.clientY - top > this.size.top + this.size.height;
    if (below && this.axis.lowest === this) this.view.marks.ask(this.at(event.clientX));
  }

  typed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !this.plot || event.target !== this.el) return;
    const act = this.keys()[event.key];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    this.pointer = null; // the card is the keyboard's now
    act();
  }

  /** What keys do in a chart. */
  keys() {
    return {
      "+": () => this.axis.step(0.5),
      "-": () => this.axis.step(2),
      0: () => this.axis.all(),
      s: () => this.save(),
      ArrowLeft: () => this.axis.step(1, -0.25),
      ArrowRight: () => this.axis.step(1, 0.25),
    };
  }

  // ---- the rest ------------------------------------------------------------------

  /** Offers the chart as a PNG, with the legend and the times that the page shows elsewhere. */
  save() {
    const { data, layout } = this.plot;
    const { font, unit, top, height } = this.size;
    const heading = { text: label(`${this.viewState.service}: ${this.title}`), x: 0.02, y: 1, yref: "container", yanchor: "top", pad: { t: 10 }, font: { size: font * 1.2 } };
    const margin = { ...layout.margin, t: top + 38 * unit, b: 30 * unit };
    const whole = {
      ...layout, margin, showlegend: true, title: heading, paper_bgcolor: this.colours.back, width: undefined,
      xaxis: { ...layout.xaxis, showticklabels: true, ticks: "outside" },
    };
    const filename = this.viewState.service.replace(/[^\w.-]+/g, "_");
    this.view.library.downloadImage({ data, layout: whole }, { filename, width: 1000, height: height + margin.t + margin.b, scale: 2 });
  }

  remove() {
    window.removeEventListener("mouseup", this.release, true);
    if (this.plot) this.view.library.purge(this.plot);
  }
}

const isArea = ({ fill }) => fill === "toself";

/** All of a figure but where its areas are, and the names of rows that Plotly writes as they are. */
function whatStays({ yaxis: { ticktext = [], ...yaxis }, ...layout }, traces) {
  const names = ticktext.some((name) => name.includes("&")) ? ticktext : ticktext.length;
  const looks = traces.map((trace) => (isArea(trace) ? { ...trace, x: null, y: null } : trace));
  return JSON.stringify([layout, yaxis, names, looks]);
}

export const spaced = (state) => state.replaceAll("_", " ");

const config = (chart, { Icons }) => ({
  displaylogo: false,
  responsive: false,
  showTips: false,
  doubleClick: false, // it is the axis that forgets a zoom, and so all charts
  modeBarButtons: [[
    { name: "save", title: "Download as PNG", icon: Icons.camera, click: () => chart.save() },
    "zoom2d", "pan2d", "zoomIn2d", "zoomOut2d",
    { name: "all", title: "Show the whole time", icon: Icons.home, click: () => chart.axis.all() },
  ]],
});

/** What lies over every chart: no answers as grey bands, states and marks as lines. */
function over(viewState, chart) {
  const { view, colours: { quiet, accent } } = chart;
  const across = (at, line) => ({ type: "line", x0: at, x1: at, yref: "paper", y0: 0, y1: 1, line });
  return [
    ...viewState.gaps.map(([from, to]) => ({
      type: "rect", x0: from, x1: to ?? view.at, yref: "paper", y0: 0, y1: 1, fillcolor: quiet, opacity: 0.3, line: { width: 0 },
    })),
    ...viewState.phases.slice(1).map(([at]) => across(at, { color: quiet, width: 1 })),
    ...viewState.marks.map(([at]) => across(at, { color: accent, width: 1.5 })),
    ...view.pending.map(([at]) => across(at, { color: accent, width: 1.5, dash: "dash" })),
  ];
}

const overKey = (viewState, view) => [viewState.gaps, viewState.gaps.at(-1)?.[1] === null && view.at, viewState.phases.map(([at, state]) => [at, state]), viewState.marks, view.pending];

/** Puts labels on as few levels as keep them apart; what finds no place is left out. */
function levels(labels, chart) {
  const { unit, width } = chart.size;
  const taken = Array.from({ length: MOST_LEVELS }, () => []);
  return labels
    .map((wanted) => ({ ...wanted, px: chart.px(wanted.at) }))
    .filter(({ px, text }) => text && px >= 0 && px <= width)
    .sort((a, b) => a.px - b.px)
    .flatMap((wanted) => {
      const room = letters(wanted.text, chart) + 10 * unit;
      const side = wanted.px + room > width ? "right" : "left";
      const [from, to] = side === "left" ? [wanted.px, wanted.px + room] : [wanted.px - room, wanted.px];
      const level = taken.findIndex((others) => others.every(([start, end]) => to <= start || from >= end));
      if (level < 0) return [];
      taken[level].push([from, to]);
      return [{ ...wanted, side, level }];
    });
}

const annotation = ({ at, text, colour, side, level }, chart) => ({
  x: at, yref: "paper", y: 1, yanchor: "bottom", yshift: level * SIZES.level * chart.size.unit, showarrow: false, borderpad: 0,
  xanchor: side, text: label(text), font: { size: chart.size.font * 0.85, color: colour },
});

const pen = document.createElement("canvas").getContext("2d");

/** How wide a text is, in px, in the letters of a chart's labels. */
export function letters(text, { size: { font }, family }) {
  pen.font = `${font * 0.85}px ${family}`;
  return pen.measureText(text).width;
}
