// A view: the parts that a learner asked for, drawn from one picture.

import { make } from "./dom.js";
import { Head } from "./head.js";
import { Replicas } from "./replicas.js";
import { Table } from "./table.js";

/** Every part, in the order in which they stand; each has draw(picture), and may have remove(). */
const PARTS = { head: Head, replicas: Replicas, table: Table };

export class View {
  /** `parts` are names of PARTS; `send` hands a message to the kernel, or is null without one. */
  constructor(el, picture, { plotlyPath, parts = Object.keys(PARTS), send = null }) {
    this.picture = picture;
    this.plotlyPath = plotlyPath;
    this.send = send;
    this.root = make("section", "labkit-watch mathjax_ignore tex2jax_ignore", el);
    this.root.setAttribute("aria-label", `Update of ${picture.service}`);
    this.parts = parts.map((name) => new PARTS[name](this.root, this));
    this.themes = new MutationObserver(() => this.draw());
    this.themes.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-name"] });
    this.timer = setInterval(() => this.tick(), 1000);
    this.draw();
  }

  draw() {
    for (const part of this.parts) part.draw(this.picture);
    this.picture.fresh = new Set();
  }

  /** Once a second: ages and the charts' right edge move on, unless all has ended. */
  tick() {
    if (this.picture.end || document.hidden) return;
    this.draw();
  }

  remove() {
    clearInterval(this.timer);
    this.themes.disconnect();
    for (const part of this.parts) part.remove?.();
    this.root.remove();
  }
}
