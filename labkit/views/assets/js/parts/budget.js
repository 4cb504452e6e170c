// How many of the new tasks may fail, and how many have: the failure budget, as boxes and in words.

import { make, write } from "../dom.js";

const MOST_BOXES = 24; // above, one bar stands for all

export class Budget {
  constructor(root) {
    this.root = root;
    this.lines = [];
  }

  wanted({ budget }) {
    return budget !== null;
  }

  draw(viewState) {
    const budgets = [viewState.budget, viewState.rollback_budget].filter(Boolean);
    const key = JSON.stringify(budgets);
    if (key === this.key) return;
    this.key = key;
    while (this.lines.length > budgets.length) this.lines.pop().remove();
    while (this.lines.length < budgets.length) this.lines.push(make("div", "labkit-budget", this.root));
    budgets.forEach((budget, number) => drawBudget(this.lines[number], budget));
  }
}

function drawBudget(line, budget) {
  line.replaceChildren();
  write(make("span", "labkit-budget-of", line), budget.title);
  if (budget.watched) drawMeter(line, budget, budget.words[0]);
  const text = make("span", "labkit-budget-words", line);
  for (const sentence of budget.words) write(make("span", "", text), `${sentence} `);
}

/** One box for each tolerated failure, and one more for that which triggers the action. */
function drawMeter(line, { failures, tolerated, action }, words) {
  const most = tolerated + 1;
  const used = Math.min(failures, most);
  const meter = make("span", "labkit-meter", line);
  const said = { role: "meter", "aria-label": "Failure budget", "aria-valuemin": 0, "aria-valuemax": most, "aria-valuenow": used, "aria-valuetext": words };
  for (const [name, value] of Object.entries(said)) meter.setAttribute(name, value);
  if (most > MOST_BOXES) {
    make("i", "labkit-budget-bar", meter).style.setProperty("--used", `${(100 * used) / most}%`);
    return;
  }
  for (let box = 0; box < most; box += 1) {
    const { dataset } = make("i", "labkit-budget-box", meter);
    dataset.used = box < used ? "yes" : "no";
    if (box === tolerated) dataset.then = action;
  }
}
