// The live view of a service's update: status, chart, table.
//
// `labkit.views.picture` says what a picture is. A page gets a whole one as the widget's
// state, then news as messages, each with a number; whoever misses one asks for a whole
// picture, and a whole one comes by itself every few seconds.
//
// Text from an engine becomes text nodes, never markup. The module is small because a
// widget's module must be there within two seconds; plotly.js comes afterwards, once a
// page, and a plain chart stands in its place until then, or for good.

const QUIET_AFTER = 10_000; // ms without news after which the kernel counts as silent
const DRAW_ALL_BELOW = 200; // rows; above, only those near the visible ones are in the page
const OVERSCAN = 60;
const ROW_HEIGHT = 24;
const WIDEST = 48; // letters of a column; the rest of a longer text is in its tooltip
const COLUMNS = [
  ["ID", 12], ["NAME", 12], ["IMAGE", 16], ["NODE", 8], ["DESIRED STATE", 13],
  ["CURRENT STATE", 24], ["ERROR", 12], ["PORTS", 6],
];

// ---- the picture -------------------------------------------------------------------

class Picture {
  constructor(whole) {
    this.load(whole);
  }

  load({ now, rows, ...rest }) {
    Object.assign(this, rest);
    this.rows = new Map(rows.map((row) => [row[0], row]));
    this.order = null;
    this.fresh = new Set();
    this.heard(now);
  }

  /** Takes news; returns false, and takes nothing, if earlier news are missing. */
  follow({ seq, now, rows = [], gone = [], steps = [], ...rest }) {
    if (seq <= this.seq) return true;
    if (seq !== this.seq + 1) return false;
    this.seq = seq;
    Object.assign(this, rest);
    for (const id of gone) this.rows.delete(id);
    for (const row of rows) this.rows.set(row[0], row);
    if (rows.length || gone.length) this.order = null;
    this.fresh = new Set(rows.map((row) => row[0]));
    for (const step of steps) {
      if (this.steps.at(-1)?.[0] === step[0]) this.steps.pop();
      this.steps.push(step);
    }
    this.heard(now);
    return true;
  }

  heard(now) {
    this.heardAt = Date.now();
    this.skew = now - this.heardAt;
  }

  get silent() {
    return !this.end && Date.now() - this.heardAt > QUIET_AFTER;
  }

  /** The time of what is shown, in ms since 1970 by the kernel's clock. */
  get now() {
    if (this.end) return this.end.died ? this.seen : this.origin + this.end.at;
    return this.silent ? this.seen : Date.now() + this.skew;
  }

  /** The rows as `docker service ps` orders them: by name, then the newest first. */
  get sorted() {
    this.order ??= [...this.rows.values()].sort(
      ([idA, groupA, bornA], [idB, groupB, bornB]) =>
        byGroup(groupA, groupB) || bornB - bornA || (idA < idB ? -1 : 1),
    );
    return this.order;
  }

  get running() {
    const counts = this.steps.at(-1)?.[1] ?? [];
    return this.tags.map((_, number) => counts[number] ?? 0);
  }
}

const byGroup = (a, b) =>
  typeof a === "number" && typeof b === "number"
    ? a - b
    : String(a).localeCompare(String(b), "en", { numeric: true });

/** How long ago, in the words of the docker command line. */
export function ago(ms) {
  const seconds = Math.trunc(ms / 1000);
  if (seconds < 1) return "less than a second";
  if (seconds === 1) return "1 second";
  if (seconds < 60) return `${seconds} seconds`;
  const minutes = Math.trunc(seconds / 60);
  if (minutes === 1) return "about a minute";
  if (minutes < 60) return `${minutes} minutes`;
  const hours = Math.trunc(ms / 3_600_000 + 0.5);
  if (hours === 1) return "about an hour";
  if (hours < 48) return `${hours} hours`;
  if (hours < 24 * 7 * 2) return `${Math.trunc(hours / 24)} days`;
  if (hours < 24 * 30 * 2) return `${Math.trunc(hours / 24 / 7)} weeks`;
  if (hours < 24 * 365 * 2) return `${Math.trunc(hours / 24 / 30)} months`;
  return `${Math.trunc(ms / 3_600_000 / 24 / 365)} years`;
}

// ---- a view ------------------------------------------------------------------------

class View {
  constructor(el, picture, plotlyPath) {
    this.picture = picture;
    this.root = make("section", "labkit-watch mathjax_ignore tex2jax_ignore", el);
    this.root.setAttribute("aria-label", `Update of ${picture.service}`);
    this.head = new Head(this.root, picture);
    this.chart = new Chart(make("div", "labkit-chart", this.root), plotlyPath);
    this.table = new Table(this.root, picture);
    this.themes = new MutationObserver(() => this.chart.draw(this.picture));
    this.themes.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-name"] });
    this.timer = setInterval(() => this.tick(), 1000);
    this.draw();
  }

  draw() {
    this.head.draw(this.picture);
    this.table.draw(this.picture);
    this.chart.draw(this.picture);
  }

  /** Once a second: ages and the chart's right edge move on, unless all has ended. */
  tick() {
    if (this.picture.end || document.hidden) return;
    this.draw();
  }

  remove() {
    clearInterval(this.timer);
    this.themes.disconnect();
    this.chart.remove();
    this.root.remove();
  }
}

class Head {
  constructor(root, picture) {
    const head = make("div", "labkit-head", root);
    write(make("span", "labkit-name", head), picture.service);
    this.badge = make("span", "labkit-badge", head);
    this.live = make("span", "labkit-live", head);
    this.sentence = make("div", "labkit-sentence", root);
    this.sentence.setAttribute("aria-live", "polite");
    this.message = make("div", "labkit-message", root);
    this.says = make("span", "", this.message);
    this.quote = make("q", "", this.message);
    this.end = make("div", "labkit-end", root);
    this.tags = make("div", "labkit-tags", root);
    this.tags.setAttribute("role", "list");
    this.tags.setAttribute("aria-label", "Replicas running now, by tag");
  }

  draw(picture) {
    const { state, sentence, message } = picture.status;
    write(this.badge, state.replaceAll("_", " "));
    this.badge.dataset.state = state;
    write(this.sentence, sentence);
    write(this.says, message && "Docker says: ");
    write(this.quote, message);
    this.quote.hidden = !message;
    this.drawLive(picture);
    this.drawTags(picture);
  }

  drawLive(picture) {
    const gap = picture.gaps.at(-1);
    const noAnswer = gap && gap[1] === null;
    if (picture.end) {
      write(this.live, `ended ${clock(picture.now)}`);
      this.live.dataset.live = picture.end.died ? "no" : "ended";
      const last = picture.end.died ? `\nThe last good snapshot is of ${clock(picture.seen)}.` : "";
      write(this.end, picture.end.why + last);
      this.end.dataset.died = picture.end.died ? "yes" : "no";
    } else if (noAnswer) {
      write(this.live, `no answer from the engine since ${clock(picture.origin + gap[0])}`);
      this.live.dataset.live = "no";
      write(this.end, gap[2]);
    } else {
      write(this.live, picture.silent ? `no news since ${clock(picture.seen)}` : "live");
      this.live.dataset.live = picture.silent ? "no" : "yes";
      write(this.end, picture.trouble ?? "");
    }
  }

  drawTags(picture) {
    while (this.tags.children.length < picture.tags.length) {
      const [tag, colour, pattern] = picture.tags[this.tags.children.length];
      const item = make("span", "", this.tags);
      item.setAttribute("role", "listitem");
      swatch(item, colour, pattern);
      write(make("b", "", item), tag);
      make("span", "", item);
    }
    picture.running.forEach((count, number) => {
      const item = this.tags.children[number];
      item.dataset.count = count;
      write(item.lastChild, ` × ${count} running`);
    });
  }
}

class Table {
  constructor(root, picture) {
    this.scroll = make("div", "labkit-scroll", root);
    this.scroll.tabIndex = 0;
    this.scroll.setAttribute("role", "region");
    this.scroll.setAttribute("aria-label", `Tasks of ${picture.service}`);
    const table = make("table", "labkit-ps", this.scroll);
    this.table = table;
    write(make("caption", "", table), `docker service ps ${picture.service}, without clean history`);
    const widths = make("colgroup", "", table);
    this.columns = COLUMNS.map(() => make("col", "", widths));
    this.widths = COLUMNS.map(() => 0);
    const head = make("tr", "", make("thead", "", table));
    COLUMNS.forEach(([name, width], number) => {
      const cell = make("th", "", head);
      cell.scope = "col";
      write(cell, name);
      this.widen(number, Math.max(width, name.length));
    });
    this.body = make("tbody", "", table);
    this.above = make("tr", "", this.body);
    this.below = make("tr", "", this.body);
    this.shown = new Map();
    this.scroll.addEventListener("scroll", () => this.place(), { passive: true });
  }

  draw(picture) {
    this.picture = picture;
    this.place();
    picture.fresh = new Set();
  }

  /** Puts the rows that can be seen, or soon could, into the page. */
  place() {
    const rows = this.picture.sorted;
    const [first, last] = this.window(rows.length);
    const wanted = new Map(rows.slice(first, last).map((row) => [row[0], row]));
    for (const [id, shown] of this.shown) {
      if (!wanted.has(id)) {
        shown.remove();
        this.shown.delete(id);
      }
    }
    space(this.above, first);
    space(this.below, rows.length - last);
    this.table.setAttribute("aria-rowcount", rows.length + 1);
    let before = this.above;
    let index = first + 2; // counted from 1, and the header is the first
    for (const [id, row] of wanted) {
      const shown = this.shown.get(id) ?? this.add(id);
      if (before.nextSibling !== shown) before.after(shown);
      shown.setAttribute("aria-rowindex", index++);
      this.fill(shown, row);
      before = shown;
    }
  }

  window(count) {
    if (count <= DRAW_ALL_BELOW) return [0, count];
    const first = Math.floor(this.scroll.scrollTop / ROW_HEIGHT) - OVERSCAN;
    const seen = Math.ceil(this.scroll.clientHeight / ROW_HEIGHT) + 2 * OVERSCAN;
    return [Math.max(0, first), Math.min(count, Math.max(0, first) + seen)];
  }

  add(id) {
    const row = make("tr", "");
    COLUMNS.forEach(() => make("td", "", row));
    row.children[5].className = "labkit-state";
    row.children[6].className = "labkit-error";
    row.children[2].append(make("span", "labkit-swatch"), make("span", ""));
    row.addEventListener("animationend", () => row.classList.remove("labkit-fresh"));
    this.shown.set(id, row);
    return row;
  }

  fill(shown, row) {
    const [id, , , name, image, node, desired, state, since, error, ports, tag, whole] = row;
    const [, colour, pattern] = this.picture.tags[tag];
    const age = `${state} ${ago(this.picture.now - since)} ago`;
    const texts = [id.slice(0, 12), name, image, node, desired, age, error, ports];
    texts.forEach((text, number) => {
      const cell = shown.children[number];
      write(number === 2 ? cell.lastChild : cell, text);
      cell.title = text.length > WIDEST ? text : "";
      this.widen(number, text.length + (number === 2 ? 3 : 0));
    });
    shown.children[6].title = whole;
    paint(shown.children[2].firstChild, colour, pattern);
    shown.dataset.mood = mood(state, desired);
    if (this.picture.fresh.has(id)) shown.classList.add("labkit-fresh");
  }

  /** A column grows with its text and never shrinks, so that nothing jumps. */
  widen(number, letters) {
    if (letters <= this.widths[number]) return;
    this.widths[number] = letters;
    this.columns[number].style.width = `calc(${Math.min(letters, WIDEST)}ch + 12px)`;
  }
}

/** A row that keeps the place of those that are not in the page. */
function space(row, rows) {
  row.hidden = !rows;
  row.style.height = `${rows * ROW_HEIGHT}px`;
}

const mood = (state, desired) => {
  if (["Failed", "Rejected", "Orphaned"].includes(state)) return "bad";
  if (["Complete", "Shutdown", "Remove"].includes(state)) return "off";
  return state === "Running" && desired === "Running" ? "on" : "way";
};

// ---- the chart ---------------------------------------------------------------------

/** The chart's right end grows in these leaps, in seconds, so that it seldom moves. */
const ENDS = [30, 60, 90, 120, 180, 240, 300, 420, 600, 900, 1200, 1800, 2700, 3600];
const MARGIN = { l: 34, r: 12, t: 32, b: 24 };

class Chart {
  constructor(el, plotlyPath) {
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

/** A time since the start as Plotly takes it: of a plain number below 10,000 it makes a year. */
const moment = (ms) => new Date(ms).toISOString().slice(0, -1);

/** What both kinds of chart need: every step with all tags, the ends of both axes. */
function shapeOf(picture) {
  const until = Math.max(picture.now - picture.origin, picture.steps.at(-1)?.[0] ?? 0);
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
  picture.marks.map(([at]) => ({ type: "line", x0: moment(at), x1: moment(at), yref: "paper", y0: 0, y1: 1, line: { color, width: 1 } }));

const gaps = (picture, until, color) =>
  picture.gaps.map(([from, to]) => ({
    type: "rect", x0: moment(from), x1: moment(to ?? until), yref: "paper", y0: 0, y1: 1, fillcolor: color, opacity: 0.35, line: { width: 0 },
  }));

/** The names of update states, above their marks; two close ones on two levels. */
function markLabels(picture, end, color) {
  let level = 0;
  let previous = -Infinity;
  return picture.marks.map(([at, state]) => {
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
  const svg = draw("svg", { class: "labkit-plain-chart", viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none" });
  let under = steps.map(() => 0);
  picture.tags.forEach(([tag, colour], number) => {
    const over = steps.map(([, counts], n) => under[n] + counts[number]);
    const d = `M${edge(steps, over, x, y).join("L")}L${edge(steps, under, x, y).reverse().join("L")}Z`;
    if (steps.length) draw("path", { d, fill: colour }, svg).append(named(tag));
    under = over;
  });
  for (const count of [0, most]) draw("text", { x: left - 8, y: y(count) + 4, "text-anchor": "end" }, svg).textContent = count;
  draw("text", { x: left, y: height - 6 }, svg).textContent = "0:00";
  draw("text", { x: width - 12, y: height - 6, "text-anchor": "end" }, svg).textContent = minutes(end);
  return svg;
}

const edge = (steps, counts, x, y) =>
  steps.flatMap(([at], n) => (n ? [`${x(at)},${y(counts[n - 1])}`] : []).concat(`${x(at)},${y(counts[n])}`));

const named = (text) => {
  const title = draw("title", {});
  title.textContent = text;
  return title;
};

// ---- plotly.js ---------------------------------------------------------------------

/** plotly.js, loaded once a page: from the page itself, or from the Jupyter server. */
function plotly(path) {
  globalThis.labkitPlotly ??= path === "" ? Promise.resolve(globalThis.Plotly) : loadScript(path);
  return globalThis.labkitPlotly;
}

function loadScript(path) {
  const base = jupyterBase();
  if (base === null) return Promise.reject(new Error("this page is not JupyterLab's."));
  return new Promise((resolve, reject) => {
    const others = globalThis.Plotly;
    const script = make("script", "");
    script.src = base + path;
    script.onload = () => {
      resolve(globalThis.Plotly);
      if (others) globalThis.Plotly = others; // somebody else's stays theirs
    };
    script.onerror = () => reject(new Error(`the Jupyter server has no ${path} (is labkit installed in its environment?).`));
    document.head.append(script);
  });
}

function jupyterBase() {
  const page = document.getElementById("jupyter-config-data");
  return page ? JSON.parse(page.textContent).baseUrl : null;
}

// ---- small things ------------------------------------------------------------------

function make(tag, name, parent) {
  const element = document.createElement(tag);
  if (name) element.className = name;
  parent?.append(element);
  return element;
}

function draw(tag, attributes, parent) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  parent?.append(element);
  return element;
}

const write = (element, text) => {
  if (element.textContent !== text) element.textContent = text;
};

const swatch = (parent, colour, pattern) => paint(make("span", "labkit-swatch", parent), colour, pattern);

function paint(element, colour, pattern) {
  element.style.setProperty("--colour", colour);
  element.dataset.pattern = pattern;
}

const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);
const clock = (ms) => new Date(ms).toTimeString().slice(0, 8);
const minutes = (ms) => `${Math.floor(ms / 60_000)}:${String(Math.floor(ms / 1000) % 60).padStart(2, "0")}`;

/** Plotly reads some markup, entities, and `$…$`; a label shows its text as it is. */
const label = (text) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll("$", "&#36;");

// ---- where it is used --------------------------------------------------------------

/** Draws a picture that has ended into an element. */
export function show(el, whole, plotlyPath) {
  el.replaceChildren();
  return new View(el, new Picture(whole), plotlyPath);
}

export default () => {
  const views = new Set();
  let picture;
  return {
    initialize({ model }) {
      const load = () => {
        if (picture) picture.load(model.get("picture"));
        else picture = new Picture(model.get("picture"));
        for (const view of views) view.draw();
      };
      model.on("change:picture", load);
      model.on("msg:custom", (news) => {
        if (!picture.follow(news)) model.send({ want: "whole" });
        for (const view of views) view.draw();
      });
      load();
    },
    render({ model, el }) {
      const view = new View(el, picture, model.get("plotly"));
      views.add(view);
      return () => {
        views.delete(view);
        view.remove();
      };
    },
  };
};
