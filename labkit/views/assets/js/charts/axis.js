// One time axis for all charts of a view: what of the time is shown, the pointer's line.
//
// At first that is where something happens (`focus` of the view state): reading takes minutes, an
// update seconds. A reader zooms, or has all of the time shown.

/** A live axis grows in these leaps, in seconds, so that it seldom moves. */
const ENDS = [30, 60, 90, 120, 180, 240, 300, 420, 600, 900, 1200, 1800, 2700, 3600];
/** What is over ends a little before the right edge, so that its last state can be seen. */
const ROOM = 1.02;
const TICKS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600]; // seconds apart
const ROOM_OF_TICK = 64; // px at the usual size of letters
const SHORTEST = 500; // ms that a zoom shows at least
const REST = 30_000; // ms that are shown while nothing has happened yet; they go on in steps
const STEP = 10_000;

export class TimeAxis {
  /** `moved()` is called whenever a reader has zoomed or panned. */
  constructor(moved) {
    this.moved = moved;
    this.charts = [];
    this.fit = this.whole = [0, 0];
    this.zoomed = null; // a range; `whole` itself if all is to be shown
    this.left = 0;
  }

  follow(viewState) {
    const all = this.zoomed === this.whole;
    if (!viewState.until || !this.whole[1]) this.fit = fitOf(viewState); // a replay begins with its end
    this.whole = [0, endOf(viewState, 0, Infinity)];
    if (all) this.zoomed = this.whole;
    else if (this.zoomed) this.zoomed = within(this.zoomed, this.whole);
  }

  /** What is shown, in ms since the recording began. */
  get range() {
    return this.zoomed ?? this.fit;
  }

  /** Where a moment is, as a share of what is shown; what is outside stands at the edge. */
  share(at) {
    const [from, to] = this.range;
    return Math.min(Math.max((at - from) / (to - from), 0), 1);
  }

  shows(at) {
    const [from, to] = this.range;
    return at >= from && at <= to;
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

  /** Shows another part of the time in all charts. */
  zoom(range) {
    this.zoomed = within(range, this.whole);
    this.moved();
  }

  /** Shows all of the time; what was shown at first if that is shown already. */
  all() {
    this.zoomed = this.zoomed === this.whole ? null : this.whole;
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

/** The time of the latest events; while there are none, the last half minute. */
function fitOf(viewState) {
  const { focus, at, until, end } = viewState;
  if (focus) return [focus[0], endOf(viewState, focus[0], focus[1] ?? Infinity)];
  const from = until || end ? 0 : Math.max(0, Math.ceil(at / STEP) * STEP - REST);
  return [from, endOf(viewState, from, Infinity)];
}

/** Where an axis ends that begins at a moment, and shows no more than up to another. */
function endOf({ at, until, end, settling }, from, most) {
  const length = Math.min(until ?? Math.max(at, end ? 0 : (settling?.monitor ?? 0)), most) - from;
  if (until || end) return from + Math.max(Math.ceil(length * ROOM), 1000);
  return from + 1000 * (ENDS.find((seconds) => seconds * 1000 >= length) ?? Math.ceil(length / 1_800_000) * 1800);
}

/** As much of a range as there is; `whole` itself if that is all. */
function within([from, to], whole) {
  const length = Math.max(to - from, SHORTEST);
  if (length >= whole[1]) return whole;
  const start = Math.min(Math.max(from, 0), whole[1] - length);
  return [start, start + length].map(Math.round); // dates have no less than ms
}
