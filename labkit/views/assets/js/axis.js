// One time axis for all charts of a view: where it ends, what of it is shown, the pointer's line.

/** A live axis grows in these leaps, in seconds, so that it seldom moves. */
const ENDS = [30, 60, 90, 120, 180, 240, 300, 420, 600, 900, 1200, 1800, 2700, 3600];
/** What is over ends a little before the right edge, so that its last state can be seen. */
const ROOM = 1.02;
const TICKS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600]; // seconds apart
const ROOM_OF_TICK = 64; // px at the usual size of letters
const SHORTEST = 500; // ms that a zoom shows at least

export class TimeAxis {
  /** `moved()` is called whenever a reader has zoomed or panned. */
  constructor(moved) {
    this.moved = moved;
    this.charts = [];
    this.end = 0;
    this.zoomed = null;
    this.left = 0;
  }

  follow(viewState) {
    this.end = endOf(viewState);
    if (this.zoomed) this.zoomed = within(this.zoomed, this.end);
  }

  /** What is shown, in ms since the recording began. */
  get range() {
    return this.zoomed ?? [0, this.end];
  }

  get top() {
    return this.charts.find((chart) => !chart.hidden);
  }

  get lowest() {
    return this.charts.findLast((chart) => !chart.hidden);
  }

  /** The charts stand in one column only if all leave the same room for their labels. */
  need(left) {
    if (left <= this.left) return;
    this.left = left;
    this.moved();
  }

  /** Shows another part of the time in all charts; null shows all of it. */
  zoom(range) {
    this.zoomed = range && within(range, this.end);
    this.moved();
  }

  /** Zooms in (`by` < 1) or out round the middle, and pans by a share of what is shown. */
  step(by, pan = 0) {
    const [from, to] = this.range;
    const [middle, half] = [(from + to) / 2 + pan * (to - from), ((to - from) / 2) * by];
    this.zoom([middle - half, middle + half]);
  }

  /** The times to print, in ms, apart as far as their labels need in a plot so wide. */
  ticks({ width, unit }) {
    const [from, to] = this.range;
    const least = (((ROOM_OF_TICK * unit) / width) * (to - from)) / 1000;
    const apart = 1000 * (TICKS.find((seconds) => seconds >= least) ?? 3600 * Math.ceil(least / 3600));
    const first = Math.ceil(from / apart);
    return Array.from({ length: Math.floor(to / apart) - first + 1 }, (_, n) => (first + n) * apart);
  }

  /** Lets the line under the pointer stand at one moment in all charts, or nowhere. */
  point(at) {
    for (const chart of this.charts) chart.point(at);
  }
}

function endOf(viewState) {
  if (viewState.until) return Math.ceil(viewState.until * ROOM);
  if (viewState.end) return Math.max(Math.ceil(viewState.at * ROOM), 1000);
  const until = Math.max(viewState.at, viewState.settling?.monitor ?? 0) / 1000;
  return 1000 * (ENDS.find((end) => end >= until) ?? Math.ceil(until / 1800) * 1800);
}

/** As much of a range as there is; null if that is all. */
function within([from, to], end) {
  const length = Math.max(to - from, SHORTEST);
  if (length >= end) return null;
  const start = Math.min(Math.max(from, 0), end - length);
  return [start, start + length].map(Math.round); // dates have no less than ms
}
