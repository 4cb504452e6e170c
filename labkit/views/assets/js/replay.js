// A recording, played again: the same view, with a clock that can be stopped, set and hurried.

import { make, press, write } from "./dom.js";
import { ViewState } from "./view_state.js";
import { View } from "./view.js";
import { minutes } from "./words.js";

const SPEEDS = [1, 5, 20];
const DRAW_EVERY = 100; // ms
const LONGEST_STEP = 250; // ms; a page that was not looked at goes on where it was

let replays = 0; // a name for each one's speeds

export class Replay {
  /** `frames` are `[at, delta]`; it begins with all of it shown, as at the end. */
  constructor(el, { first, frames, end, parts }, plotlyPath) {
    Object.assign(this, { first, frames, end: Math.max(end, 1), at: 0, applied: 0, playing: false, speed: SPEEDS[0] });
    this.viewState = new ViewState(first);
    this.viewState.until = this.end;
    this.viewState.still = () => this.at;
    this.set(this.end);
    this.view = new View(el, this.viewState, { plotlyPath, parts });
    this.controls();
    this.show();
  }

  // ---- the clock -----------------------------------------------------------------

  /** Sets the clock. Deltas cannot be undone, so an earlier moment begins at the beginning. */
  set(at) {
    if (at < this.at) {
      this.viewState.load(this.first);
      this.applied = 0;
    }
    for (; this.applied < this.frames.length && this.frames[this.applied][0] <= at; this.applied += 1) {
      this.viewState.apply(this.frames[this.applied][1]);
    }
    this.at = at;
  }

  seek(at) {
    this.set(Math.min(Math.max(at, 0), this.end));
    this.viewState.fresh.clear(); // nothing of it just happened
    this.view.draw();
    this.show();
  }

  play() {
    if (this.at >= this.end || this.at < this.begin) this.seek(this.begin);
    this.playing = true;
    this.last = this.drawn = performance.now();
    this.frame = requestAnimationFrame((now) => this.step(now));
    this.show();
  }

  pause() {
    this.playing = false;
    cancelAnimationFrame(this.frame);
    this.view.draw();
    this.show();
  }

  step(now) {
    const passed = Math.min(Math.max(now - this.last, 0), LONGEST_STEP);
    this.last = now;
    this.set(Math.min(this.at + passed * this.speed, this.end));
    if (this.at >= this.end) return this.pause();
    if (now - this.drawn >= DRAW_EVERY) {
      this.drawn = now;
      this.view.draw();
      this.show();
    }
    this.frame = requestAnimationFrame((next) => this.step(next));
  }

  /** Where the charts begin: a recording may be there long before the update it is about. */
  get begin() {
    return Math.min(this.view.axis.range[0], this.end);
  }

  // ---- what a reader sees of it --------------------------------------------------

  controls() {
    this.bar = make("div", "labkit-replay");
    this.bar.setAttribute("role", "group");
    this.bar.setAttribute("aria-label", "Replay");
    this.bar.dataset.lmSuppressShortcuts = "true"; // JupyterLab would take the keys for itself
    this.button = press(this.bar, "", () => this.toggle(), "labkit-button labkit-play");
    this.slider = make("input", "", this.bar);
    Object.assign(this.slider, { type: "range", min: 0, max: this.end, step: "any" });
    this.slider.setAttribute("aria-label", "Time");
    this.slider.addEventListener("input", () => this.seek(Number(this.slider.value)));
    this.slider.addEventListener("keydown", (event) => {
      if (event.key !== " ") return;
      event.preventDefault();
      this.toggle();
    });
    this.time = make("span", "labkit-replay-time", this.bar);
    this.speeds();
    this.view.root.prepend(this.bar);
  }

  speeds() {
    const choice = make("fieldset", "labkit-speeds", this.bar);
    write(make("legend", "", choice), "Speed");
    replays += 1;
    for (const speed of SPEEDS) {
      const option = make("label", "", choice);
      const input = make("input", "", option);
      Object.assign(input, { type: "radio", name: `labkit-speed-${replays}`, value: speed, checked: speed === this.speed });
      input.addEventListener("change", () => (this.speed = speed));
      write(make("span", "", option), `${speed}×`);
    }
  }

  toggle() {
    if (this.playing) this.pause();
    else this.play();
  }

  show() {
    const said = `${minutes(this.at)} of ${minutes(this.end)}`;
    this.button.dataset.playing = this.playing ? "yes" : "no";
    write(this.button, this.playing ? "Pause" : "Play");
    this.slider.min = this.begin;
    this.slider.value = this.at;
    this.slider.setAttribute("aria-valuetext", said);
    write(this.time, said);
  }

  remove() {
    cancelAnimationFrame(this.frame);
    this.view.remove();
  }
}
