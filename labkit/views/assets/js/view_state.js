// What is shown of an update, as the page has it: a full state, then deltas, each with a number.
//
// `labkit.views.state.viewState` says what is in it. A page that misses a number asks for the full
// state. A replay has no numbers: it applies the deltas of a recording in their order.

const QUIET_AFTER = 10_000; // ms without a message after which the kernel counts as silent
const SET_BACK = 60_000; // ms; when the kernel's clock is so far behind, it was set back
const MOST_POINTS = 5000; // of a line; the oldest go first, as in the kernel

export class ViewState {
  constructor(full) {
    this.revision = 0; // rises with whatever may change the table's rows
    this.load(full);
  }

  /** Takes a full state, in place of all that was known. */
  load({ now = 0, tasks, moves, gone, steps, windows, speed, ...rest }) {
    Object.assign(this, rest);
    this.steps = [...steps];
    this.windows = [...windows];
    this.speed = [...speed];
    this.tasks = new Map();
    this.order = null;
    this.fresh = new Map(); // when something last happened to a task, by its number
    this.put(tasks, moves, gone);
    this.skew = now - performance.now(); // of the kernel's clock against one that nobody sets
    this.floor = now; // no clock runs backwards
    this.received(now);
  }

  /** Applies the next delta by its number; returns false, and applies nothing, if an earlier one is missing. */
  follow(delta) {
    if (delta.seq <= this.seq) return true;
    if (delta.seq !== this.seq + 1) return false;
    this.apply(delta);
    this.received(delta.now);
    return true;
  }

  /** Applies a delta, whatever its number. */
  apply({ now, tasks = [], moves = [], gone = [], dropped = [], steps = [], windows = [], speed = [], ...rest }) {
    Object.assign(this, rest);
    this.put(tasks, moves, gone);
    const came = performance.now();
    for (const [n] of [...tasks, ...moves]) this.fresh.set(n, came);
    for (const n of dropped) {
      this.tasks.delete(n);
      this.fresh.delete(n);
    }
    for (const step of steps) {
      if (this.steps.at(-1)?.[0] === step[0]) this.steps.pop();
      this.steps.push(step);
    }
    this.windows.push(...windows);
    this.speed.push(...speed);
    for (const points of [this.steps, this.windows, this.speed]) points.splice(0, points.length - MOST_POINTS);
  }

  put(tasks, moves, gone) {
    for (const [n, id, group, created, imageAt, nodeAt, ports, cause, before] of tasks) {
      const [image, tag] = this.images[imageAt];
      const node = this.nodes[nodeAt];
      const name = `${this.service}.${group}`;
      const known = this.tasks.get(n)?.moves ?? [];
      this.tasks.set(n, { n, id, group, created, name, image, node, tag, ports, cause, before, moves: known, listed: true });
    }
    for (const [n, at, kind, since, error = "", exit = null, message = ""] of moves) {
      const [state, desired, stage] = this.kinds[kind];
      this.tasks.get(n)?.moves.push({ at, state, desired, since, stage, error, exit, message });
    }
    for (const [n, at] of gone) {
      const task = this.tasks.get(n);
      if (task) Object.assign(task, { listed: false, gone: at });
    }
    if (tasks.length || gone.length) this.order = null;
    if (tasks.length || gone.length || moves.length) this.revision += 1;
  }

  received(now) {
    const shown = performance.now() + this.skew;
    this.floor = shown - now < SET_BACK ? Math.max(this.floor, shown) : now;
    this.receivedAt = performance.now();
    this.skew = now - this.receivedAt;
  }

  /** Whether a message is overdue. */
  get silent() {
    return !this.end && !this.still && performance.now() - this.receivedAt > QUIET_AFTER;
  }

  /** The time of what is shown, in ms since 1970 by the kernel's clock. */
  get now() {
    if (this.still) return this.origin + this.still();
    if (this.end) return this.end.died ? this.seen : this.origin + this.end.at;
    return this.silent ? this.seen : Math.max(this.floor, performance.now() + this.skew);
  }

  /** The time of what is shown, in ms since the recording began. */
  get at() {
    return Math.max(this.now - this.origin, this.steps.at(-1)?.[0] ?? 0);
  }

  /** The tasks that the manager lists, as `docker service ps` orders them: by slot, newest first. */
  get listed() {
    this.order ??= [...this.tasks.values()]
      .filter((task) => task.listed)
      .sort((a, b) => byGroup(a.group, b.group) || b.created - a.created || (a.id < b.id ? -1 : 1));
    return this.order;
  }

  /** How many replicas run now, of each tag. */
  get running() {
    const counts = this.steps.at(-1)?.[1] ?? [];
    return this.tags.map((_, number) => counts[number] ?? 0);
  }
}

const natural = new Intl.Collator("en", { numeric: true });

/** Orders slots by number, and the nodes of global tasks by name. */
export const byGroup = (a, b) => (typeof a === "number" && typeof b === "number" ? a - b : natural.compare(a, b));
