// Where a view is drawn: in its cell, or in JupyterLab beside the notebook, with a line in the cell.

import { make, press, write } from "./dom.js";
import { clock } from "./words.js";

export class Place {
  /** `draw(el)` draws the view into an element, and returns a function that removes it. */
  constructor(cell, { service, origin }, beside, draw) {
    Object.assign(this, { cell, service, origin, beside, draw });
    this.el = make("div", "labkit-place");
    this.begin();
  }

  /** JupyterLab may attach the cell later; a page that is not JupyterLab's has no panels. */
  begin() {
    if (this.gone) return;
    if (!this.cell.isConnected) return void setTimeout(() => this.begin(), 20);
    this.notebook = globalThis.labkitPanels && this.cell.closest(".jp-NotebookPanel")?.id;
    if (!this.notebook) {
      document.addEventListener("labkit-panels", () => this.begin(), { once: true }); // a busy page has them late
      return this.inTheCell();
    }
    globalThis.labkitPanels.save(this);
    const where = this.beside ? globalThis.labkitPanels.where(this) : "cell";
    if (where === "cell") this.inTheCell();
    else if (where === "panel") this.putBeside();
    else this.asALine();
  }

  inTheCell() {
    this.cell.replaceChildren(this.el);
    this.show(this.notebook && ["Show beside the notebook", () => this.putBeside()]);
  }

  putBeside() {
    globalThis.labkitPanels.give(this);
    this.show(["Show in the cell", () => this.putBack().scrollIntoView()]);
    this.line("is open beside the notebook.", ["Show it here", () => this.putBack()]);
  }

  putBack() {
    globalThis.labkitPanels.take(this);
    this.inTheCell();
    return this.cell;
  }

  /** Shows an older view as one line, so that nothing a person is reading moves away. */
  asALine() {
    this.hide();
    this.line(
      `from ${clock(this.origin)}.`,
      ["Show it here", () => this.inTheCell()],
      ["Show it beside the notebook", () => this.putBeside()],
    );
  }

  /** Another view has got the panel; or a person has closed it. */
  lose(closed = false) {
    if (this.gone) this.hide();
    else if (closed) this.inTheCell();
    else this.asALine();
  }

  /** Goes on with what another place has drawn: a snapshot with the view that has just ended. */
  takeOver(other) {
    other.button?.remove();
    [this.el, this.remove, other.el, other.remove] = [other.el, other.remove, make("div"), null];
  }

  /** The cell's output is gone. A view beside the notebook stays until the next one. */
  leave() {
    this.gone = true;
    if (!this.el.closest(".labkit-panel")) this.hide();
  }

  show(button) {
    this.remove ??= this.draw(this.el);
    this.button?.remove();
    if (!button) return;
    const view = this.el.querySelector(".labkit-watch") ?? this.el;
    const head = this.el.querySelector(".labkit-head") ?? make("div", "labkit-head", view);
    this.button = press(head, ...button);
  }

  hide() {
    this.remove?.();
    this.remove = null;
    this.el.replaceChildren();
  }

  line(text, ...buttons) {
    const line = make("div", "labkit-watch labkit-line");
    write(make("span", "", line), `The view of ${this.service} ${text} `);
    for (const button of buttons) press(line, ...button);
    this.cell.replaceChildren(line);
  }
}
