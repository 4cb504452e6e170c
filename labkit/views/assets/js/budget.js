// How many of the new tasks may fail, and how many have: the failure budget, as boxes and in words.

import { make, write } from "./dom.js";

const MOST_BOXES = 24; // above, one bar stands for all

export class Budget {
  constructor(root) {
    this.root = root;
    this.lines = [];
  }

  wanted({ budget }) {
    return budget !== null;
  }

  draw(picture) {
    const budgets = [picture.budget, picture.rollback_budget].filter(Boolean);
    const key = JSON.stringify([budgets, picture.status.state]);
    if (key === this.key) return;
    this.key = key;
    while (this.lines.length > budgets.length) this.lines.pop().remove();
    while (this.lines.length < budgets.length) this.lines.push(make("div", "labkit-budget", this.root));
    budgets.forEach((budget, number) => drawBudget(this.lines[number], budget, picture.status.state));
  }
}

function drawBudget(line, budget, state) {
  line.replaceChildren();
  const words = budgetWords(budget, state);
  write(make("span", "labkit-budget-of", line), budget.of === "rollback" ? "Failures of the rollback" : "Failures");
  if (budget.watched) drawMeter(line, budget, words[0]);
  const text = make("span", "labkit-budget-words", line);
  for (const sentence of words) write(make("span", "", text), `${sentence} `);
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

/** The budget in sentences; the first says how it stands. */
export function budgetWords(budget, state) {
  if (!budget.watched) return ["Failures are not watched: failure_action is continue."];
  return [standing(budget, state), ...missedWords(budget)];
}

function standing({ of, failures, tolerated, slots, action }, state) {
  const over = ["completed", "rollback_completed"].includes(state) || (of === "update" && state.startsWith("rollback"));
  const known = `${failures ? failuresOf(failures) : "No failure"} of ${tolerated} tolerated (of ${slotsOf(slots)} ${over ? "that were" : "being"} updated)`;
  if (failures > tolerated) return `${failuresOf(failures)}, ${tolerated || "none"} tolerated: Swarm ${did(action, of)}.`;
  if (over) return tolerated ? `${known}.` : "No failure was tolerated, and none was counted.";
  if (!tolerated) return `No failure is tolerated: the first one ${will(action, of)}.`;
  const left = tolerated + 1 - failures;
  return `${known}; ${left === 1 ? "one more" : `${left} more`} and Swarm ${will(action, of)}.`;
}

function missedWords({ missed, of }) {
  if (!missed) return [];
  const died = missed === 1 ? "1 task died" : `${missed} tasks died`;
  return [`${died} without being counted: after the monitor window, or when the ${of} looked it was over.`];
}

const failuresOf = (count) => (count === 1 ? "1 failure" : `${count} failures`);
const slotsOf = (count) => (count === 1 ? "1 slot" : `${count.toLocaleString("en")} slots`);
const will = (action, of) => (action === "rollback" && of === "update" ? "rolls the update back" : `pauses the ${of}`);
const did = (action, of) => (action === "rollback" && of === "update" ? "rolled the update back" : `paused the ${of}`);
