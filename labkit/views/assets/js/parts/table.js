// The rows of `docker service ps`: older tasks folded away, each row explained when asked.

import { make, paint, press, write } from "../dom.js";
import { Explanation } from "../explain.js";
import { SHARED } from "../shared.js";
import { ago, capital } from "../words.js";

const DRAW_ALL_BELOW = 100; // rows; above, only those near the visible ones are in the page
const OVERSCAN = 15;
const USUAL_HEIGHT = 24; // px of a row, until one can be measured
const FRESH = 1500; // ms for which a row is lit that something happened in
const WIDEST = 48; // letters of a column; the rest of a longer text is in its tooltip
const WIDEST_NAME = 96; // a service, a node's id, and the branch before them
const FOLD = [12, 6]; // letters of the button that unfolds a slot: in a wide view, in a narrow one
const ERROR_COLUMNS = 30;
const COLUMNS = [
  ["ID", 12], ["NAME", 12, 4], ["IMAGE", 16, 5], ["NODE", 8], ["DESIRED STATE", 13, 8],
  ["CURRENT STATE", 24, 22], ["ERROR", 12], ["PORTS", 6],
]; // each with the letters that it has room for at least, in a wide view and in a narrow one
const [NAME, IMAGE, DESIRED, ERROR] = [1, 2, 4, 6]; // numbers of columns

export class Table {
  explains = true; // the task that is selected

  constructor(root, view) {
    this.view = view;
    this.chosen = null; // the task that is explained
    this.active = null; // the task whose row has, or had last, the keyboard
    this.folds = new Folds();
    this.shown = new Map();
    this.height = USUAL_HEIGHT;
    this.bar(root);
    this.frame(root, view.viewState.service);
    this.explanation = new Explanation(root, () => this.close());
    this.body.addEventListener("click", (event) => this.clicked(event));
    this.scroll.addEventListener("keydown", (event) => this.typed(event));
    this.scroll.addEventListener("scroll", () => this.place(), { passive: true });
    this.sizes = new ResizeObserver(([{ borderBoxSize }]) => this.measured(borderBoxSize[0].blockSize));
  }

  /** The command line that prints this table, and what folds all of its slots. */
  bar(root) {
    const bar = make("div", "labkit-table-bar", root);
    this.command = make("span", "labkit-code", bar);
    write(make("span", "labkit-narrow", bar), "A wider view also shows ID, NODE and PORTS.");
    this.all = press(bar, "", () => {
      this.folds.turnAll();
      this.place();
    });
    this.all.hidden = true;
  }

  frame(root, service) {
    this.scroll = make("div", "labkit-scroll", root);
    this.scroll.tabIndex = -1;
    this.scroll.dataset.lmSuppressShortcuts = "true"; // JupyterLab would take the arrows for itself
    this.table = make("table", "labkit-ps", this.scroll);
    this.table.setAttribute("role", "grid");
    write(make("caption", "", this.table), `Tasks of ${service}. Arrow keys go from row to row, Enter explains one.`);
    const widths = make("colgroup", "", this.table);
    this.columns = COLUMNS.map(() => make("col", "", widths));
    this.widths = COLUMNS.map(() => ({}));
    const head = make("tr", "", make("thead", "", this.table));
    COLUMNS.forEach(([name, width, narrow = width], number) => {
      const cell = make("th", "", head);
      cell.scope = "col";
      const [word, more] = number === DESIRED ? name.split(/(?= )/) : [name];
      write(cell, word);
      if (more) write(make("span", "labkit-wide", cell), more);
      this.widen(number, Math.max(width, name.length), Math.max(narrow, word.length));
    });
    this.body = make("tbody", "", this.table);
    [this.above, this.below] = [0, 1].map(() => make("tr", "", this.body));
    for (const row of [this.above, this.below]) {
      row.setAttribute("role", "presentation");
      space(row, 0);
    }
  }

  draw(viewState) {
    this.viewState = viewState;
    this.place();
    this.tell();
  }

  // ---- the rows ------------------------------------------------------------------

  /** Puts the rows that can be seen, or soon could, into the page. */
  place() {
    if (!this.viewState) return;
    const rows = this.folds.rows(this.viewState);
    this.rows = rows;
    this.drawBar();
    const [first, last] = this.window(rows.length);
    const wanted = new Map(rows.slice(first, last).map((row) => [row.task.n, row]));
    const held = this.holdFocus(wanted);
    for (const [n, shown] of this.shown) {
      if (wanted.has(n)) continue;
      shown.remove();
      this.shown.delete(n);
    }
    space(this.above, first * this.height);
    space(this.below, (rows.length - last) * this.height);
    this.table.setAttribute("aria-rowcount", rows.length + 1);
    this.table.dataset.many = rows.length > DRAW_ALL_BELOW ? "yes" : "no";
    let before = this.above;
    let index = first + 2; // counted from 1, and the header is the first
    for (const [n, row] of wanted) {
      const shown = this.shown.get(n) ?? this.add(n);
      if (before.nextSibling !== shown) before.after(shown);
      shown.setAttribute("aria-rowindex", index++);
      this.fill(shown, row);
      before = shown;
    }
    this.watchHeight();
    this.rove();
    if (held) (this.shown.get(this.active) ?? this.scroll).focus({ preventScroll: true });
  }

  window(count) {
    if (count <= DRAW_ALL_BELOW) return [0, count];
    const first = Math.max(0, Math.floor(this.scroll.scrollTop / this.height) - OVERSCAN);
    const seen = Math.ceil(this.scroll.clientHeight / this.height) + 2 * OVERSCAN;
    return [Math.min(first, count - seen), Math.min(count, first + seen)].map((row) => Math.max(0, row));
  }

  /** Rows are as high as the letters that JupyterLab is set to make them; to ask would cost a layout. */
  watchHeight() {
    const cell = this.shown.size ? this.below.previousSibling.children[NAME] : null;
    if (cell === this.sized) return;
    this.sizes.disconnect();
    this.sized = cell;
    if (cell) this.sizes.observe(cell);
  }

  measured(height) {
    if (!height || Math.abs(height - this.height) < 0.01) return;
    this.height = height;
    if (this.rows.length > DRAW_ALL_BELOW) this.place();
  }

  remove() {
    this.sizes.disconnect();
  }

  add(n) {
    const row = make("tr", "");
    row.dataset.n = n;
    COLUMNS.forEach(() => make("td", "", row));
    row.children[NAME].append("", make("span", "labkit-wide"), "");
    row.children[IMAGE].append(make("span", "labkit-swatch"), make("span", "labkit-wide"), "");
    row.children[5].className = "labkit-state";
    row.children[ERROR].className = "labkit-error";
    this.shown.set(n, row);
    return row;
  }

  fill(shown, row) {
    const { task } = row;
    const { tags, now, origin, fresh } = this.viewState;
    const { state, desired, since, error, stage } = task.moves.at(-1);
    const [tag, colour, pattern] = tags[task.tag];
    const age = `${capital(state)} ${ago(now - origin - since)} ago`;
    const name = [row.older ? " \\_ " : "", `${this.viewState.service}.`, String(task.group)];
    const image = apart(task.image, tag);
    const texts = [task.id.slice(0, 12), name.join(""), task.image, stage === "lost" ? `${task.node} (down)` : task.node, capital(desired), age, quoted(error), task.ports];
    this.light(shown, fresh.get(task.n));
    const key = JSON.stringify([texts, error, row.folded, row.open, colour, task.n === this.chosen]);
    if (key === shown.key) return; // most rows of most drawings: not even the style is worked out again
    shown.key = key;
    texts.forEach((text, number) => {
      const cell = shown.children[number];
      if (number !== NAME && number !== IMAGE) write(cell, text);
      cell.title = number === ERROR ? error : text.length > WIDEST ? text : "";
      if (number !== NAME && number !== IMAGE) this.widen(number, columnsOf(text));
    });
    this.fillInParts(shown, row, name, image);
    paint(shown.children[IMAGE].firstChild, colour, pattern);
    drawFold(shown.children[NAME], row);
    shown.dataset.mood = SHARED.table.moods[stage] ?? "way";
    shown.setAttribute("aria-selected", task.n === this.chosen);
  }

  /** Name and image: a narrow view leaves out what all rows have in common. */
  fillInParts(shown, { folded }, name, image) {
    name.forEach((text, number) => write(shown.children[NAME].childNodes[number], text));
    image.forEach((text, number) => write(shown.children[IMAGE].childNodes[number + 1], text));
    const [wide, narrow] = folded ? FOLD : [0, 0];
    this.widen(NAME, columnsOf(name.join("")) + wide, columnsOf(name[0] + name[2]) + narrow);
    this.widen(IMAGE, columnsOf(image.join("")) + 3, columnsOf(image[1]) + 3);
  }

  /** A row is lit for a moment, at once and not faded: a fade would paint sixty times a second. */
  light(shown, since = -Infinity) {
    shown.classList.toggle("labkit-fresh", performance.now() < since + FRESH && !this.viewState.end);
  }

  /** A column grows with its text and never shrinks, so that nothing jumps. */
  widen(number, wide, narrow = wide) {
    for (const [name, letters] of Object.entries({ wide, narrow })) {
      if (letters <= (this.widths[number][name] ?? 0)) continue;
      this.widths[number][name] = letters;
      const room = name === "narrow" ? 8 : number ? 12 : 18; // px
      this.columns[number].style.setProperty(`--${name}`, `calc(${Math.min(letters, number === NAME ? WIDEST_NAME : WIDEST)}ch + ${room}px)`);
    }
  }

  drawBar() {
    const { count, all } = this.folds;
    const { service } = this.viewState;
    write(this.command, all ? `docker service ps ${service}` : `docker service ps ${service} | grep -v "Shutdown.*Shutdown"`);
    this.all.hidden = !count;
    this.all.setAttribute("aria-expanded", all);
    write(this.all, all ? "Fold older tasks" : `Unfold ${older(count)}`);
  }

  // ---- pointer and keyboard ------------------------------------------------------

  clicked({ target }) {
    const shown = target.closest("tr[data-n]");
    if (!shown) return;
    const n = Number(shown.dataset.n);
    this.active = n;
    if (target.closest("button")) this.turn(n);
    else if (getSelection().isCollapsed) this.choose(n); // or somebody marks text to copy it
  }

  typed(event) {
    const { key, target } = event;
    if (event.ctrlKey || event.metaKey || event.altKey || target.closest("button")) return;
    const here = Math.max(0, this.rows.findIndex(({ task }) => task.n === this.active));
    const page = Math.max(1, Math.floor(this.scroll.clientHeight / this.height) - 2);
    const to = { ArrowDown: here + 1, ArrowUp: here - 1, PageDown: here + page, PageUp: here - page, Home: 0, End: this.rows.length - 1 }[key];
    if (to !== undefined) this.go(to);
    else if ((key === "Enter" || key === " ") && this.rows[here]) this.choose(this.rows[here].task.n);
    else if (key === "Escape") this.close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** Gives the keyboard to a row, wherever it is. */
  go(number) {
    const row = this.rows[Math.min(Math.max(number, 0), this.rows.length - 1)];
    if (!row) return;
    this.active = row.task.n;
    this.reveal(this.active);
    this.shown.get(this.active)?.focus({ preventScroll: true });
  }

  /** Scrolls a row of the table into sight, under the header that stays. */
  reveal(n) {
    const number = this.rows.findIndex(({ task }) => task.n === n);
    if (number < 0) return;
    const { scrollTop, clientHeight } = this.scroll;
    const head = this.table.tHead.offsetHeight;
    const shown = this.shown.get(n); // in a narrow view its error may have a line more
    const top = shown ? shown.offsetTop - head : number * this.height;
    const room = clientHeight - head - (shown?.offsetHeight ?? this.height);
    if (top < scrollTop) this.scroll.scrollTop = top;
    else if (top > scrollTop + room) this.scroll.scrollTop = top - room;
    this.place();
  }

  /** One row of all can be reached by Tab, and its button after it. */
  rove() {
    if (!this.shown.has(this.active)) this.active = this.shown.keys().next().value ?? null;
    for (const [n, shown] of this.shown) {
      shown.tabIndex = n === this.active ? 0 : -1;
      const button = shown.querySelector("button");
      if (button) button.tabIndex = shown.tabIndex;
    }
  }

  /** Whether the row with the keyboard is about to go, or to lose it by a move. */
  holdFocus(wanted) {
    const row = this.shown.get(this.active);
    if (!row?.contains(document.activeElement)) return false;
    return !wanted.has(this.active);
  }

  turn(n) {
    this.folds.turn(this.viewState.tasks.get(n).group);
    this.place();
  }

  choose(n) {
    this.view.select(n === this.chosen ? null : n);
    if (this.chosen !== null) this.explanation.el.scrollIntoView({ block: "nearest" });
  }

  close() {
    if (this.chosen === null) return;
    const back = this.shown.get(this.chosen);
    this.view.select(null);
    back?.focus({ preventScroll: true });
  }

  /** A task was selected, here or in the slots' chart: its row is shown, and why it is there. */
  selected(n) {
    this.chosen = n;
    const task = this.viewState?.tasks.get(n);
    if (task?.listed) {
      if (isClean(task) && !this.folds.isOpen(task.group)) this.folds.turn(task.group);
      this.active = n;
      this.place();
      this.reveal(n);
    } else this.place();
    this.tell();
    this.explanation.reveal();
  }

  tell() {
    this.explanation.show(this.viewState?.tasks.get(this.chosen) ?? null, this.viewState);
  }
}

/** Which slots show the tasks that were shut down cleanly, and so the rows of the table. */
class Folds {
  constructor() {
    this.all = false;
    this.turned = new Set(); // slots that are not as all are
    this.count = 0; // of tasks that can be folded away
  }

  isOpen(group) {
    return this.all !== this.turned.has(group);
  }

  turn(group) {
    if (!this.turned.delete(group)) this.turned.add(group);
    this.known = null;
  }

  turnAll() {
    this.all = !this.all;
    this.turned.clear();
    this.known = null;
  }

  /** The rows to show: `task`, whether it is `older` than another of its slot, and at a slot's first row what it hides. */
  rows(viewState) {
    if (this.known === viewState && this.revision === viewState.revision) return this.kept;
    [this.known, this.revision, this.count, this.kept] = [viewState, viewState.revision, 0, []];
    const { listed } = viewState;
    for (let from = 0, to = 0; from < listed.length; from = to) {
      const { group } = listed[from];
      while (to < listed.length && listed[to].group === group) to += 1;
      this.slot(listed.slice(from, to), this.isOpen(group));
    }
    return this.kept;
  }

  slot(tasks, open) {
    const clean = tasks.filter(isClean).length;
    this.count += clean;
    const rows = tasks.map((task, number) => ({ task, older: number > 0, folded: 0, open }));
    const shown = open ? rows : rows.filter(({ task }) => !isClean(task));
    if (shown.length) shown[0].folded = clean;
    this.kept.push(...shown);
  }
}

/** Whether `grep -v "Shutdown.*Shutdown"` drops a task: it was to be shut down, and was. */
function isClean({ moves }) {
  const { state, desired } = moves.at(-1);
  return state === "shutdown" && desired === "shutdown";
}

const older = (count) => (count === 1 ? "1 older task" : `${count.toLocaleString("en")} older tasks`);

/** The button that unfolds a slot; its text is the style sheet's, so that the cell's stays docker's. */
function drawFold(cell, { task, folded, open }) {
  let button = cell.querySelector("button");
  if (!folded) return button?.remove();
  if (!button) {
    button = make("button", "labkit-fold", cell);
    button.type = "button";
  }
  button.dataset.count = folded;
  button.title = `${open ? "Fold" : "Unfold"} ${older(folded)}`;
  button.setAttribute("aria-label", `${older(folded)} of ${task.name}`);
  button.setAttribute("aria-expanded", open);
}

/** Letters that take two columns in a terminal, as does what is emoji by itself; flags are two letters. */
const WIDE = /[\u1100-\u115f\u2329\u232a\u2e80-\u303e\u3041-\u3247\u3250-\u4dbf\u4e00-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18d08}\u{1aff0}-\u{1b2ff}\u{1f200}-\u{1f265}\u{20000}-\u{3fffd}]|(?!\p{RI})\p{Emoji_Presentation}/u;

/** How many columns of a terminal a text takes. */
const columnsOf = (text) =>
  /^[ -~]*$/.test(text) ? text.length : [...text].reduce((columns, letter) => columns + (WIDE.test(letter) ? 2 : 1), 0);

/** An image as `[what all tags of it have in common, its tag]`. */
const apart = (image, tag) => (image.endsWith(`:${tag}`) ? [image.slice(0, -tag.length), tag] : ["", image]);

/** An error as docker prints it: cut to 30 columns of a terminal, then in quotes. */
function quoted(error) {
  if (columnsOf(error) <= ERROR_COLUMNS) return error && `"${error}"`;
  const kept = [...error];
  while (columnsOf(kept.join("")) > ERROR_COLUMNS - 1) kept.pop();
  return `"${kept.join("")}…"`;
}

/** A row that keeps the place of those that are not in the page. */
function space(row, height) {
  row.hidden = !height;
  row.style.height = `${height}px`;
}
