// Several updates side by side: their replicas and speeds on one time axis, below their table of facts.
//
// Times are in ms since each update began, so that they lie over one another.

import { make, write } from "./dom.js";
import { goToNextButton, oneTabStop, plotly } from "./charts/plotly.js";
import { label, moment } from "./words.js";

const SYMBOLS = ["circle", "square", "diamond", "triangle-up", "star", "pentagon", "cross", "hexagon"];
const TALL = { top: 24, replicas: 190, between: 46, speed: 150, bottom: 24 }; // px at the usual font size
const LABEL = 15; // px of a label at a line's end
const LETTER = 6.4; // px

/** Returns what can be removed again. */
export function compare(el, data, plotlyPath) {
  return new Comparison(el, data, plotlyPath);
}

class Comparison {
  constructor(el, data, plotlyPath) {
    this.runs = data.runs;
    this.root = el.querySelector(".labkit-watch"); // what is there: the table is the same
    this.root.querySelector(".labkit-facts-scroll + *").remove();
    this.el = make("div", "labkit-compared", this.root);
    this.el.setAttribute("role", "group");
    this.el.dataset.lmSuppressShortcuts = "true"; // JupyterLab would take the arrows for itself
    this.el.addEventListener("keydown", goToNextButton);
    this.el.setAttribute("aria-label", "Running replicas and hashes a second over time, a line for each update. The table above has the facts.");
    this.note = make("div", "labkit-note", this.root);
    this.themes = new MutationObserver(() => this.draw());
    this.themes.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-name"] });
    this.sizes = new ResizeObserver(() => this.draw());
    this.sizes.observe(this.el);
    plotly(plotlyPath).then(
      (library) => {
        this.library = library;
        this.draw();
      },
      (problem) => write(this.note, `The charts cannot be drawn: ${problem.message}`),
    );
  }

  draw() {
    const width = this.el.clientWidth;
    if (!this.library || !width) return;
    const style = getComputedStyle(this.root);
    const colour = (name) => style.getPropertyValue(`--labkit-${name}`).trim();
    const look = { width, family: style.fontFamily, font: parseFloat(style.fontSize), text: colour("text"), quiet: colour("quiet"), line: colour("line"), back: colour("back") };
    const buttons = [["toImage", "zoom2d", "pan2d", "zoomIn2d", "zoomOut2d", "resetScale2d"]];
    this.library.react(this.el, linesOf(this.runs, look), comparedLayout(this.runs, look), { displaylogo: false, responsive: false, modeBarButtons: buttons }).then(oneTabStop);
  }

  remove() {
    this.themes.disconnect();
    this.sizes.disconnect();
    this.library?.purge(this.el);
    this.root.remove();
  }
}

// ---- the lines ---------------------------------------------------------------------

const hasSpeed = (runs) => runs.some(({ speed }) => speed.length);

/** When a run's lines end, in ms since its update began. */
const endOfRun = ({ total, steps, speed }) => Math.max(total ?? 0, steps.at(-1)?.[0] ?? 0, speed.at(-1)?.[0] ?? 0);

function linesOf(runs, look) {
  return runs.flatMap((run, number) => {
    const line = { color: run.colour, dash: run.dash, width: 2.5 };
    const common = { type: "scatter", mode: "lines", name: label(run.name), legendgroup: String(number) };
    const end = endOfRun(run);
    const steps = run.steps.length ? [...run.steps, [end, run.steps.at(-1)[1]]] : [];
    return [
      { ...common, x: steps.map(([at]) => moment(at)), y: steps.map(([, count]) => count), line: { ...line, shape: "hv" }, hovertemplate: "%{y} running" },
      { ...common, yaxis: "y2", x: run.speed.map(([at]) => moment(at)), y: run.speed.map(([, rate]) => rate), line, connectgaps: false, hovertemplate: "%{y:.1f} a second" },
      ...endMark(run, number, steps, look),
    ];
  });
}

/** A mark on the line where the update ended; each run's has a form of its own. */
function endMark(run, number, steps, { text }) {
  const before = steps.filter(([at]) => at <= run.total).at(-1);
  if (run.total === null || !before) return [];
  const marker = { symbol: SYMBOLS[number % SYMBOLS.length], size: 11, color: run.colour, line: { color: text, width: 1.2 } };
  return [{ type: "scatter", mode: "markers", name: label(run.name), x: [moment(run.total)], y: [before[1]], marker, showlegend: false, hoverinfo: "skip", cliponaxis: false }];
}

function comparedLayout(runs, look) {
  const unit = look.font / 13;
  const { top, replicas, between, speed, bottom } = TALL;
  const inner = hasSpeed(runs) ? replicas + between + speed : replicas;
  const height = inner * unit;
  const below = hasSpeed(runs) ? speed / inner : 0;
  const axis = { color: look.quiet, gridcolor: "rgba(128,128,128,0.22)", linecolor: look.line, tickcolor: look.line, zeroline: false, tickfont: { size: look.font * 0.85 } };
  const [left, right] = [44 * unit, 14];
  const width = look.width - left - right;
  const end = Math.max(1000, ...runs.map(endOfRun)) * 1.02;
  const most = Math.max(1, ...runs.map((run) => Math.max(run.most, ...run.steps.map(([, count]) => count))));
  const fastest = Math.max(1, ...runs.flatMap(({ speed: points }) => points.map(([, rate]) => rate ?? 0)));
  const px = (at) => (at / end) * width;
  const above = endLabels(runs.filter(({ steps }) => steps.length), px, width, unit);
  const onTop = 1 / (1 - ((above.levels + 0.8) * LABEL) / replicas);
  return {
    width: look.width,
    height: height + (top + bottom) * unit,
    margin: { l: left, r: right, t: top * unit, b: bottom * unit },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: look.family, color: look.text, size: look.font * 0.92 },
    showlegend: false,
    hovermode: "x unified",
    hoverlabel: { bgcolor: look.back, bordercolor: look.line, font: { color: look.text }, namelength: -1 },
    modebar: { bgcolor: "rgba(0,0,0,0)", color: look.quiet, activecolor: look.text },
    xaxis: { ...axis, type: "date", range: [moment(0), moment(end)], anchor: hasSpeed(runs) ? "y2" : "y", ticks: "outside", ticklen: 4, dtick: end < 8000 ? 1000 : undefined, tickformat: "%-M:%S", hoverformat: "%-M:%S after the update began" },
    yaxis: { ...axis, domain: [hasSpeed(runs) ? (speed + between) / inner : 0, 1], range: [0, most * onTop], tickformat: "d", nticks: 6, fixedrange: true },
    yaxis2: { ...axis, domain: [0, below], range: [0, fastest * 1.25], nticks: 5, fixedrange: true, visible: hasSpeed(runs) },
    annotations: [
      chartTitle("Running replicas, with each end marked", 1, look),
      ...(hasSpeed(runs) ? [chartTitle("Hashes a second", below, look)] : []),
      ...above.annotations.map((one) => ({ ...one, yref: "y", font: { size: look.font * 0.85, color: look.text } })),
    ],
  };
}

const chartTitle = (text, y, { font, text: color }) => ({
  text, x: 0, xref: "paper", xanchor: "left", y, yref: "paper", yanchor: "bottom", showarrow: false, borderpad: 3, font: { size: font * 0.92, color, weight: 600 },
});

/** The runs' names above their lines' ends, on as many levels as keep them apart. */
function endLabels(runs, px, width, unit) {
  const taken = [];
  const longest = Math.floor((0.6 * width) / (LETTER * unit)); // letters
  const annotations = runs
    .map((run) => ({ x: endOfRun(run), y: run.steps.at(-1)[1], text: run.name.length > longest ? `${run.name.slice(0, longest - 1)}…` : run.name }))
    .sort((a, b) => a.x - b.x)
    .map(({ x, y, text }) => {
      const right = Math.max(px(x), text.length * LETTER * unit);
      const left = right - text.length * LETTER * unit - 8;
      let level = taken.findIndex((end) => end <= left);
      if (level < 0) level = taken.push(0) - 1;
      taken[level] = right;
      return { x: moment(x), y, text: label(text), xanchor: "right", xshift: right - px(x), yanchor: "bottom", yshift: 4 + level * LABEL * unit, showarrow: false, borderpad: 0 };
    });
  return { annotations, levels: taken.length };
}
