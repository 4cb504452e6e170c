// What the pointer, or the keyboard, points at in a chart: a small card of text beside it.

import { make, write } from "./dom.js";

const APART = 14; // px between the pointer and the card

export class Card {
  constructor(root) {
    this.el = make("div", "labkit-card", root);
    this.el.setAttribute("role", "status");
    this.el.popover = "manual"; // in the top layer nothing of the notebook cuts it off
  }

  /** Shows lines of text beside a point of the page; a line is `[class, text]`. */
  show(lines, x, y) {
    const key = JSON.stringify(lines);
    if (key !== this.key) {
      this.key = key;
      this.el.replaceChildren();
      for (const [name, text] of lines) write(make("div", name, this.el), text);
    }
    if (!this.el.matches(":popover-open")) this.el.showPopover();
    const { width, height } = this.el.getBoundingClientRect();
    const left = x + APART + width > innerWidth ? x - APART - width : x + APART;
    this.el.style.left = `${Math.max(4, left)}px`;
    this.el.style.top = `${Math.max(4, Math.min(y + APART, innerHeight - height - 4))}px`;
  }

  hide() {
    if (this.el.matches(":popover-open")) this.el.hidePopover();
  }
}
