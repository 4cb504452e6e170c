// The instructor's marks: a button, or a click on the time axis, and a few words.

import { make, press } from "../dom.js";
import { minutes } from "../words.js";

const LONGEST = 60; // letters of a label

export class Marks {
  /** Stands in the title of the first chart; without a kernel to send it to there is none. */
  constructor(view, place) {
    this.view = view;
    this.sent = [];
    this.asked = null;
    if (!view.send || !place) return;
    this.el = make("form", "labkit-marks", place);
    this.button = press(this.el, "Mark", () => this.ask(view.viewState.at), "labkit-mark");
    this.button.title = "Put a labelled mark on the time axis; it is kept in the recording";
    this.input = make("input", "labkit-mark-label", this.el);
    this.input.maxLength = LONGEST;
    this.input.hidden = true;
    this.el.dataset.lmSuppressShortcuts = "true";
    this.input.addEventListener("keydown", (event) => this.typed(event));
    this.el.addEventListener("submit", (event) => event.preventDefault());
  }

  /** The marks that the kernel does not have yet, the one being written among them. */
  pending({ marks }) {
    const had = new Set(marks.map(([at]) => at));
    this.sent = this.sent.filter(([at]) => !had.has(at));
    return this.asked === null ? this.sent : [...this.sent, [this.asked, ""]];
  }

  /** Hides the button when a mark would be lost: the recording has ended, or the kernel is silent. */
  follow({ end, silent }) {
    if (this.el) this.el.hidden = Boolean(end || silent);
  }

  /** Asks for the words of a mark at a moment. */
  ask(at) {
    if (!this.el || this.el.hidden || at === null) return;
    this.asked = Math.round(Math.min(Math.max(0, at), this.view.viewState.at)); // what is to come may never come
    this.button.hidden = true;
    this.input.hidden = false;
    this.input.value = "";
    this.input.placeholder = `what happened at ${minutes(this.asked)}?`;
    this.input.setAttribute("aria-label", `Label of the mark at ${minutes(this.asked)}; Enter saves it, Escape cancels`);
    this.input.focus();
    this.view.draw();
  }

  typed(event) {
    event.stopPropagation();
    if (event.key !== "Escape" && event.key !== "Enter") return;
    event.preventDefault(); // or the key would press the button that gets the focus
    if (event.key === "Enter") this.keep();
    else this.cancel();
  }

  keep() {
    const text = this.input.value.trim();
    if (text) {
      this.sent.push([this.asked, text]);
      this.view.send({ mark: text, at: this.asked });
    }
    this.cancel();
  }

  cancel() {
    if (this.asked === null) return;
    this.asked = null;
    this.input.hidden = true;
    this.button.hidden = false;
    this.button.focus();
    this.view.draw();
  }
}
