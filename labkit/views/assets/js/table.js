// The rows of `docker service ps`.

import { make, paint, write } from "./dom.js";
import { ago } from "./words.js";

const DRAW_ALL_BELOW = 200; // rows; above, only those near the visible ones are in the page
const OVERSCAN = 60;
const ROW_HEIGHT = 24;
const WIDEST = 48; // letters of a column; the rest of a longer text is in its tooltip
const COLUMNS = [
  ["ID", 12], ["NAME", 12], ["IMAGE", 16], ["NODE", 8], ["DESIRED STATE", 13],
  ["CURRENT STATE", 24], ["ERROR", 12], ["PORTS", 6],
];

export class Table {
  constructor(root, { picture }) {
    this.scroll = make("div", "labkit-scroll", root);
    this.scroll.tabIndex = 0;
    this.scroll.setAttribute("role", "region");
    this.scroll.setAttribute("aria-label", `Tasks of ${picture.service}`);
    const table = make("table", "labkit-ps", this.scroll);
    this.table = table;
    write(make("caption", "", table), `docker service ps ${picture.service}, without clean history`);
    const widths = make("colgroup", "", table);
    this.columns = COLUMNS.map(() => make("col", "", widths));
    this.widths = COLUMNS.map(() => 0);
    const head = make("tr", "", make("thead", "", table));
    COLUMNS.forEach(([name, width], number) => {
      const cell = make("th", "", head);
      cell.scope = "col";
      write(cell, name);
      this.widen(number, Math.max(width, name.length));
    });
    this.body = make("tbody", "", table);
    this.above = make("tr", "", this.body);
    this.below = make("tr", "", this.body);
    this.shown = new Map();
    this.scroll.addEventListener("scroll", () => this.place(), { passive: true });
  }

  draw(picture) {
    this.picture = picture;
    this.place();
  }

  /** Puts the rows that can be seen, or soon could, into the page. */
  place() {
    const rows = rowsOf(this.picture);
    const [first, last] = this.window(rows.length);
    const wanted = new Map(rows.slice(first, last).map((task) => [task.n, task]));
    for (const [id, shown] of this.shown) {
      if (!wanted.has(id)) {
        shown.remove();
        this.shown.delete(id);
      }
    }
    space(this.above, first);
    space(this.below, rows.length - last);
    this.table.setAttribute("aria-rowcount", rows.length + 1);
    let before = this.above;
    let index = first + 2; // counted from 1, and the header is the first
    for (const [id, row] of wanted) {
      const shown = this.shown.get(id) ?? this.add(id);
      if (before.nextSibling !== shown) before.after(shown);
      shown.setAttribute("aria-rowindex", index++);
      this.fill(shown, row);
      before = shown;
    }
  }

  window(count) {
    if (count <= DRAW_ALL_BELOW) return [0, count];
    const first = Math.floor(this.scroll.scrollTop / ROW_HEIGHT) - OVERSCAN;
    const seen = Math.ceil(this.scroll.clientHeight / ROW_HEIGHT) + 2 * OVERSCAN;
    return [Math.max(0, first), Math.min(count, Math.max(0, first) + seen)];
  }

  add(id) {
    const row = make("tr", "");
    COLUMNS.forEach(() => make("td", "", row));
    row.children[5].className = "labkit-state";
    row.children[6].className = "labkit-error";
    row.children[2].append(make("span", "labkit-swatch"), make("span", ""));
    row.addEventListener("animationend", () => row.classList.remove("labkit-fresh"));
    this.shown.set(id, row);
    return row;
  }

  fill(shown, task) {
    const { tags, now, origin, fresh } = this.picture;
    const { state, desired, since, error } = task.moves.at(-1);
    const [, colour, pattern] = tags[task.tag];
    const age = `${capital(state)} ${ago(now - origin - since)} ago`;
    const texts = [task.id.slice(0, 12), task.label, task.image, task.node, capital(desired), age, quoted(error), task.ports];
    texts.forEach((text, number) => {
      const cell = shown.children[number];
      write(number === 2 ? cell.lastChild : cell, text);
      cell.title = text.length > WIDEST ? text : "";
      this.widen(number, text.length + (number === 2 ? 3 : 0));
    });
    shown.children[6].title = error;
    paint(shown.children[2].firstChild, colour, pattern);
    shown.dataset.mood = mood(state, desired);
    if (fresh.has(task.n)) shown.classList.add("labkit-fresh");
  }

  /** A column grows with its text and never shrinks, so that nothing jumps. */
  widen(number, letters) {
    if (letters <= this.widths[number]) return;
    this.widths[number] = letters;
    this.columns[number].style.width = `calc(${Math.min(letters, WIDEST)}ch + 12px)`;
  }
}

/** The rows that `docker service ps` prints, without those that were shut down cleanly. */
function rowsOf(picture) {
  let before = null;
  const shown = [];
  for (const task of picture.listed) {
    const { state, desired } = task.moves.at(-1);
    task.label = task.group === before ? ` \\_ ${task.name}` : task.name;
    before = task.group;
    if (!(state === "shutdown" && desired === "shutdown")) shown.push(task);
  }
  return shown;
}

const capital = (word) => word.charAt(0).toUpperCase() + word.slice(1);

/** An error as docker prints it: cut to 30 columns, then in quotes. */
const quoted = (error) => {
  const letters = [...error];
  return letters.length ? `"${letters.length > 30 ? letters.slice(0, 29).join("") + "…" : error}"` : "";
};

/** A row that keeps the place of those that are not in the page. */
function space(row, rows) {
  row.hidden = !rows;
  row.style.height = `${rows * ROW_HEIGHT}px`;
}

const mood = (state, desired) => {
  if (["failed", "rejected", "orphaned"].includes(state)) return "bad";
  if (["complete", "shutdown", "remove"].includes(state)) return "off";
  return state === "running" && desired === "running" ? "on" : "way";
};
