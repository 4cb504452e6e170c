// A view: the parts that a learner asked for, drawn from one viewState, under one time axis.
//
// A part is a class: constructor(root, view), draw(viewState), and, where it makes sense,
// selected(n), wanted(viewState) (whether there is anything to show), remove(). One that is slow
// is drawn less often, and a `lazy` one (a chart) that nobody can see waits until it is seen.
// Charts are drawn in rounds, one right after the other, so that none gets far ahead of the others.

import { TimeAxis } from "./charts/axis.js";
import { make, stamp, write } from "./dom.js";
import { Why } from "./explain.js";
import { Marks } from "./charts/marks.js";
import { PARTS } from "./parts.js";
import { plotly } from "./charts/plotly.js";

const APART_LEAST = 250; // ms between two drawings of a part
const APART_SHARE = 8; // and at least so many times as long as the last one took
const LONG = 16; // ms; what is left after so long waits for another task, and the page answers in between
const SOON = "150px"; // what is so near to be seen is drawn
const LOW = 790; // px of a panel above a terminal: charts are lower, so that the table begins in sight

export class View {
  /** `parts` are names of parts; `send` hands a message to the kernel, or is null without one. */
  constructor(el, viewState, { plotlyPath, parts = null, send = null }) {
    this.viewState = viewState;
    this.send = send;
    this.selection = null;
    this.theme = 0;
    this.axis = new TimeAxis(() => this.draw(true));
    this.root = make("section", "labkit-watch mathjax_ignore tex2jax_ignore", el);
    this.root.setAttribute("aria-label", `Update of ${viewState.service}`);
    const names = parts?.length ? parts : Object.keys(PARTS);
    if (viewState.badge && !names.includes("head")) stamp(viewState.badge, make("div", "labkit-head", this.root));
    this.round = { left: new Set(), places: [], took: 0 };
    this.places = names.map((name) => this.place(name, PARTS[name]));
    if (names.includes("slots") && !names.includes("table")) this.places.push(this.place("why", Why));
    this.marks = new Marks(this, this.axis.charts[0]?.head);
    this.observe();
    this.timer = setInterval(() => this.tick(), 1000);
    if (this.axis.charts.length) this.load(plotlyPath);
    this.draw();
  }

  place(name, Part) {
    const el = make("div", "labkit-part", this.root);
    el.dataset.part = name;
    return { el, part: new Part(el, this), dirty: true, seen: true, drawn: false, due: 0 };
  }

  load(path) {
    plotly(path).then(
      (library) => {
        this.library = library;
        if (!this.removed) this.draw(true);
      },
      (problem) => write(make("div", "labkit-note", this.axis.charts.at(-1).root), `These are plain charts: ${problem.message}`),
    );
  }

  observe() {
    this.repaint = () => {
      this.theme += 1;
      this.draw(true);
    };
    this.themes = new MutationObserver(this.repaint);
    this.themes.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-name"] });
    this.dark = matchMedia("(prefers-color-scheme: dark)"); // a page without JupyterLab's themes goes by it
    this.dark.addEventListener("change", this.repaint);
    this.sizes = new ResizeObserver(() => this.draw(true));
    this.sizes.observe(this.root);
    this.panel = this.root.closest(".labkit-panel");
    if (this.panel) this.sizes.observe(this.panel);
    this.seeing = new IntersectionObserver((entries) => this.sees(entries), { rootMargin: SOON });
    for (const { el } of this.places) this.seeing.observe(el);
    this.shown = () => this.plan();
    document.addEventListener("visibilitychange", this.shown);
  }

  /** What comes into sight is drawn; what never was is drawn once, for whoever prints the page. */
  sees(entries) {
    for (const { target, isIntersecting } of entries) {
      const place = this.places.find(({ el }) => el === target);
      place.seen = isIntersecting || !place.drawn || !place.part.lazy;
      place.dirty ||= isIntersecting;
    }
    this.plan();
  }

  /** Marks that the kernel does not have yet. */
  get pending() {
    return this.marks.pending(this.viewState);
  }

  /** Whether a task that is chosen gets explained: the table does that. */
  get explains() {
    return this.places.some(({ part }) => part.explains);
  }

  /** Tells every part which task the reader chose; null for none. */
  select(n) {
    this.selection = n;
    for (const { part } of this.places) part.selected?.(n);
  }

  /** Has the parts drawn, each when its turn comes; `now` waits for nothing. */
  draw(now = false) {
    this.at = this.viewState.at; // one now for all parts
    this.low = this.panel?.clientHeight < LOW;
    this.root.classList.toggle("labkit-low", this.low);
    this.axis.follow(this.viewState);
    this.marks.follow(this.viewState);
    for (const place of this.places) {
      place.el.hidden = !(place.part.wanted?.(this.viewState) ?? true);
      place.dirty = true;
      if (now) place.due = 0;
    }
    this.plan();
  }

  get waiting() {
    return this.places.filter(({ el, dirty, seen }) => dirty && seen && !el.hidden);
  }

  plan() {
    clearTimeout(this.turn);
    const { waiting, round } = this;
    const begun = waiting.find((place) => round.left.has(place));
    if (!begun) for (const { part } of round.places) part.reveal?.();
    if (document.hidden || !waiting.length) return;
    const next = begun ?? waiting.reduce((first, place) => (place.due < first.due ? place : first));
    const rest = begun ? 0 : next.due - performance.now();
    this.turn = setTimeout(() => this.take(next), Math.max(0, rest));
  }

  /** Draws one part, the next of its round or the first of a new one, and those of its round for which
      there is time. While the axis moves, charts look as before until all are drawn: no two are ever
      seen with different times. */
  take(place) {
    const range = String(this.axis.range);
    const moved = place.part.lazy && range !== this.range;
    if (moved || !this.round.left.has(place)) {
      const places = place.part.lazy ? this.waiting.filter(({ part }) => part.lazy) : [place];
      this.round = { left: new Set(places), places, took: 0 };
    }
    if (moved) {
      this.range = range;
      for (const { part } of this.round.places) part.hold();
    }
    const began = performance.now();
    try {
      for (const each of [...this.round.left]) if (performance.now() - began < LONG) this.drawOne(each);
    } finally {
      this.plan();
    }
  }

  /** Draws a part of the round; one that returns true wants another turn. */
  drawOne(place) {
    const { round } = this;
    const began = performance.now();
    round.left.delete(place);
    place.dirty = false;
    const again = place.part.draw(this.viewState) === true;
    place.drawn ||= place.el.clientWidth > 0;
    place.dirty ||= again;
    if (again) round.left.add(place);
    round.took += performance.now() - began;
    const due = began + Math.max(APART_LEAST, APART_SHARE * round.took);
    for (const each of round.places) each.due = due;
  }

  /** Once a second: ages and the charts' right edge move on, unless all has ended. */
  tick() {
    if (!this.viewState.end && !document.hidden) this.draw();
  }

  remove() {
    this.removed = true;
    clearInterval(this.timer);
    clearTimeout(this.turn);
    document.removeEventListener("visibilitychange", this.shown);
    this.dark.removeEventListener("change", this.repaint);
    for (const observer of [this.themes, this.sizes, this.seeing]) observer.disconnect();
    for (const { part } of this.places) part.remove?.();
    this.root.remove();
  }
}
