// Why a task is where it is: what made it, what it waits for, what counts, which setting and command.
//
// The rules are those of swarmkit: manager/orchestrator/update/updater.go for what an update
// does and counts, manager/orchestrator/restart/restart.go for what takes a dead task's
// place, agent/exec/controller.go for the states.

import { make, paint, press, write } from "./dom.js";
import { capital, minutes } from "./words.js";

/** What Swarm does with a task that may start, until it runs. */
const STARTING = {
  new: "Swarm has only just created it.",
  pending: "Swarm is looking for a node that can run it.",
  assigned: "Swarm has given it to a node.",
  accepted: "Its node has accepted it.",
  preparing: "Its node is getting the image.",
  ready: "Its node has the image; it is about to start.",
  starting: "Its container is starting. With a health check it stays in this state until it is healthy.",
};

const REPLACED = "If it ends, Swarm replaces it as the restart policy says.";

/** Returns sentences about a task, `[setting, value and meaning]`, and commands that show more. */
export function explain(task, viewState) {
  const known = knownOf(task, viewState);
  const { what, settings } = STAGES[known.last.stage](known);
  const gone = task.listed ? [] : ["The manager no longer lists it: Swarm keeps only a few tasks per slot."];
  return {
    what: [madeBy(known), ...what, ...gone],
    settings: [...settings, ...(task.listed ? [] : [HISTORY])],
    commands: commandsFor(known),
  };
}

/** What the sentences need to know about a task. */
function knownOf(task, viewState) {
  const { cause } = task;
  const of = cause === "update" || cause === "rollback" ? cause : null;
  const window = viewState.windows.findLast(([n]) => n === task.n);
  const ran = task.moves.find(({ state }) => state === "running");
  const older = viewState.tasks.get(task.before) ?? null;
  const heir = [...viewState.tasks.values()].findLast(({ before }) => before === task.n) ?? null;
  return { task, viewState, of, window, ran, older, heir, last: task.moves.at(-1), run: of && runOf(task, viewState) };
}

/** The update or rollback that made a task: when it was over, its budget, its config if it is known. */
function runOf({ cause, moves }, { phases, status, budget, rollback_budget: other }) {
  const begins = cause === "rollback" ? "rollback_started" : "updating";
  const number = phases.findLastIndex(([at, state]) => state === begins && at <= moves[0].at);
  const last = number >= 0 && number === phases.findLastIndex(([, state]) => state === begins);
  const back = status.state.startsWith("rollback");
  return {
    over: phases[number + 1] ?? null,
    budget: (last && [budget, other].find((one) => one?.of === cause)) || null,
    config: (last && back === (cause === "rollback") && status.config) || null,
  };
}

// ---- what made it ------------------------------------------------------------------

function madeBy({ task, older, viewState }) {
  const place = older ? `, to replace task ${short(older)} (${viewState.tags[older.tag][0]})` : "";
  switch (task.cause) {
    case "there":
      return "It was there before the recording began.";
    case "create":
      return "Swarm created it when the service was created or scaled up. An update does not watch such a task.";
    case "restart":
    case "moved":
      return older
        ? `Swarm's restart supervisor created it, because task ${short(older)} in the same slot ${wentOf(older, task.cause)}.`
        : "Swarm's restart supervisor created it, because the task before it in the same slot had ended.";
    default:
      return `The ${task.cause} created it${place}.`;
  }
}

/** How a task made way for the restart supervisor's. */
export function wentOf({ moves, node }, cause) {
  if (moves.some(({ stage }) => stage === "lost")) return `was on node ${node}, which went down`;
  if (moves.at(-1).state === "orphaned") return `was on node ${node}, which was removed from the swarm`;
  if (cause === "moved") return `was on node ${node}, which was drained`;
  return moves.at(-1).stage === "failed" ? "had failed" : "had ended";
}

// ---- where it is, by stage ---------------------------------------------------------

const STAGES = {
  waiting(known) {
    const { task, of, older, last } = known;
    const drained = task.cause === "moved" && !older?.moves.some(({ stage, state }) => stage === "lost" || state === "orphaned");
    const meanwhile = last.state === "ready" ? ["Its image is ready."] : ["Meanwhile its node gets the image."];
    if (drained) return { what: ["It may not start until the old task has stopped; no restart delay holds it up.", ...meanwhile], settings: [] };
    if (["restart", "moved"].includes(task.cause)) {
      return { what: ["It may not start until the restart delay is over.", ...meanwhile], settings: [RESTART_DELAY] };
    }
    if (!of) return { what: ["It may not start yet.", ...meanwhile], settings: [] };
    const stopped = older && ["failed", "ended"].includes(older.moves.at(-1).stage);
    const waits = stopped
      ? "The old task has stopped, so it may start now."
      : "It waits until the old task has stopped (order stop-first), for a minute at most.";
    return { what: [waits, ...meanwhile], settings: [orderOf(known)] };
  },

  starting(known) {
    const { last, of } = known;
    const what = [STARTING[last.state] ?? "It is on its way."];
    if (last.error) what.push(saysDocker(last));
    if (of) what.push(`The ${of} waits for it, however long that takes.`);
    return { what, settings: of ? [parallelismOf(known)] : [] };
  },

  running(known) {
    const { ran, of, viewState } = known;
    const since = ran.since < 0 ? [] : [`It has been running since ${minutes(ran.since)}.`];
    if (of) return { what: [...since, ...watchedWords(known), REPLACED], settings: [...watching(known), RESTART_CONDITION] };
    const next = awaitsUpdate(known) ? [`The ${viewState.status.state === "updating" ? "update" : "rollback"} has not come to its slot yet.`] : [];
    return { what: [...since, ...next, REPLACED], settings: [RESTART_CONDITION, RESTART_DELAY] };
  },

  stopping(known) {
    const { heir, last } = known;
    const because = last.desired === "remove" ? ": the service was scaled down or removed" : heir ? `: ${takenBy(heir)}` : "";
    const container = neverStarted(known)
      ? "It was never started, so there is no process to stop."
      : "When its node hears of that, it sends the process SIGTERM, and kills it when the stop grace period is over.";
    return {
      what: [`Swarm has told it to stop${because}.`, container],
      settings: [GRACE, ...(heir && isMade(heir) ? [orderOf(knownOf(heir, known.viewState))] : [])],
    };
  },

  lost(known) {
    const { task, last, of, ran, heir } = known;
    const gone = ["shutdown", "remove"].includes(last.desired);
    return {
      what: [
        `Its node, ${task.node}, is down. The last state that Swarm heard of is “${last.state}”; whether the task still runs is not known, so it is not counted.`,
        ...(heir ? [`${capital(takenBy(heir))}.`] : []),
        ...(gone ? ["It learns that it has to stop when its node is back."] : []),
        ...(of && !ran && !known.run.over ? [`The ${of} waits for it, however long that takes. Start the node again, or remove it from the swarm.`] : []),
      ],
      settings: [],
    };
  },

  failed(known) {
    return { what: [deathOf(known), ...countedWords(known), ...replaced(known)], settings: [...watching(known), RESTART_CONDITION, RESTART_DELAY] };
  },

  ended(known) {
    const { last } = known;
    if (last.state === "complete") {
      const ended = `Its process ended by itself${ranFor(known)}, with exit code 0. Swarm expects a service to keep running, so it ended early.`;
      return { what: [ended, ...countedWords(known), ...replaced(known)], settings: [...watching(known), RESTART_CONDITION, RESTART_DELAY] };
    }
    const killed = last.exit === 137 ? ", but not within the stop grace period: it was killed (exit code 137)" : "";
    const stopped = neverStarted(known) ? "It was told to stop before it was started." : `It was told to stop, and stopped${killed}.`;
    return { what: [stopped, ...replaced(known), "Swarm keeps it as history."], settings: [GRACE, HISTORY] };
  },
};

/** Whether a task was told to stop before its node started a process. */
function neverStarted({ task: { moves } }) {
  const told = moves.some(({ stage, state }) => stage === "stopping" && state in STARTING && state !== "starting");
  return told && !moves.some(({ state }) => state === "starting" || state === "running");
}

/** Whether an update is under way to another tag, and has not put a task in this one's place. */
function awaitsUpdate({ task, heir, viewState: { status, tasks } }) {
  const of = { updating: "update", rollback_started: "rollback" }[status.state];
  const made = [...tasks.values()].findLast(({ cause }) => cause === of);
  return Boolean(of && made && !heir && made.tag !== task.tag);
}

function watchedWords({ window, of, run, viewState: { at } }) {
  if (run.budget?.watched === false) return [`If it ends, the ${of} goes on: failure_action is continue.`];
  if (!window) return [];
  const [, from, delay, monitor] = window;
  if (run.over && at >= run.over[0]) return [`The ${of} is ${run.over[1].endsWith("paused") ? "paused" : "over"}: if it ends now, that does not count as a failure.`];
  const sleeps = delay > from && at < delay ? [`The ${of} sleeps until ${minutes(delay)} before the next slot (its delay).`] : [];
  const inside = `It is inside its monitor window: if it ends before ${minutes(monitor)}, that counts as a failure.`;
  const outside = `Its monitor window was over at ${minutes(monitor)}: if it ends now, that does not count as a failure.`;
  return [at < monitor ? inside : outside, ...sleeps];
}

function deathOf(known) {
  const { last, task } = known;
  const says = last.error ? ` ${saysDocker(last)}` : "";
  if (last.state === "rejected") return `Node ${task.node || "unknown"} could not prepare it, so it never started.${says}`;
  if (last.state === "orphaned") return `${last.message.includes("deleted") ? "Its node was removed from the swarm" : "Its node has been down for a day"}, so Swarm gave up on it.${says}`;
  if (last.exit === 0) return `Its process had ended with exit code 0, and yet it failed${ranFor(known)}.${says}`;
  const code = last.exit === null ? "It failed" : `Its process ended with exit code ${last.exit}`;
  return `${code}${ranFor(known)}.${says}`;
}

function ranFor({ ran, last }) {
  if (!ran) return ", before it was seen running";
  const ms = last.since - ran.since;
  return ms < 1000 ? ", within a second of starting" : `, after ${Math.round(ms / 1000)} s`;
}

/** Whether Swarm counted the end of a task as a failure of an update, and why. */
function countedWords({ task, of, run, window, ran, last, viewState }) {
  if (!of) return viewState.budget ? ["It does not count as a failure: only tasks made by the update or the rollback itself count."] : [];
  const { budget, over } = run;
  if (budget?.watched === false) return ["It is not counted: failure_action is continue."];
  if (over?.[2].includes(task.id)) return [`It counts as a failure of the ${of}, the one too many: Docker's message names it.`];
  const death = task.moves.find(({ stage }) => stage === last.stage);
  if (over && death.at > over[0]) return [`It is not counted: the ${of} was ${over[1].endsWith("paused") ? "paused" : "over"} by then.`];
  if (!window) return [`It counts as a failure of the ${of}: it ended before it was seen running.`];
  const monitor = minutes(window[3]);
  const late = last.since - ran.since > window[3] - window[1]; // both by the engine's clock, which need not be ours
  const told = budget && budget.missed === budget.uncounted.length; // of very many the page knows some only
  const counts = told ? !budget.uncounted.includes(task.n) : !late;
  if (late && counts) return [`It counts as a failure of the ${of}: when the delay is as long as the monitor window, Swarm watches for one second longer than the delay.`];
  if (late) return [`It does not count as a failure of the ${of}: its monitor window was over at ${monitor}.`];
  if (counts) return [`It counts as a failure of the ${of}: it ended inside its monitor window, before ${monitor}.`];
  return ["It was not counted: Swarm does not check failures while the last slots are being replaced, and when it checked, the monitor window was over."];
}

function replaced({ heir, task }) {
  if (heir) return [`${capital(takenBy(heir))}.`];
  return task.listed && task.moves.at(-1).stage === "failed" ? ["Nothing has replaced it yet; the restart policy says whether and when."] : [];
}

function takenBy(heir) {
  const by = { update: "the update", rollback: "the rollback", restart: "the restart supervisor", moved: "the restart supervisor" }[heir.cause];
  return by ? `${by} replaced it with task ${short(heir)}` : `task ${short(heir)} took its place`;
}

// ---- which setting -----------------------------------------------------------------

const RESTART_DELAY = ["restart_policy.delay", "how long a new task waits before it replaces one that ended; 5s by default"];
const RESTART_CONDITION = ["restart_policy.condition", "whether a task that ended is replaced; any by default"];
const GRACE = ["stop_grace_period", "how long a container may take to stop before it is killed; 10s by default"];
const HISTORY = ["task-history-limit", "how many tasks Swarm keeps per slot, the current one included; 5 by default (docker swarm update)"];

const isMade = ({ cause }) => cause === "update" || cause === "rollback";
const setting = ({ of }, name, value, meaning) => [`${of}_config.${name}`, value === undefined ? meaning : `${value}: ${meaning}`];
const duration = (ms) => (ms === undefined ? undefined : `${ms / 1000}s`);

const orderOf = (known) => setting(known, "order", known.run.config?.order, "which comes first, stopping the old task or starting the new one");
const parallelismOf = (known) => setting(known, "parallelism", known.run.config?.parallelism, "how many slots are updated at a time; 0 means all");

/** The settings by which an update watches the tasks that it made. */
function watching(known) {
  const { of, window, run } = known;
  if (!of) return [];
  const { budget, config } = run;
  const monitor = window ? window[3] - window[1] : config?.monitor_ms;
  const delay = window ? window[2] - window[1] : config?.delay_ms;
  return [
    setting(known, "monitor", duration(monitor), "how long after a new task started its end counts as a failure"),
    ...(delay ? [setting(known, "delay", duration(delay), "the pause of an updater after each slot")] : []),
    setting(known, "max_failure_ratio", budget?.ratio ?? config?.max_failure_ratio, "the share of the slots that may fail; a larger share triggers the action"),
    setting(known, "failure_action", budget?.action ?? config?.failure_action, "what Swarm does then"),
  ];
}

// ---- which command -----------------------------------------------------------------

function commandsFor({ task, ran, viewState: { service } }) {
  const about = [`docker inspect ${short(task)}`, ...(ran ? [`docker service logs ${short(task)}`] : [])];
  const nodes = task.moves.at(-1).stage === "lost" ? ["docker node ls"] : [];
  return [`docker service ps --no-trunc ${service}`, ...nodes, ...(task.listed ? about : []), `docker service inspect --pretty ${service}`];
}

const short = ({ id }) => id.slice(0, 12);
const saysDocker = ({ error }) => `Docker says: “${error}”.`;

// ---- the panel ---------------------------------------------------------------------

/** Shows the explanation of one task below the table. */
export class Explanation {
  constructor(root, close) {
    this.el = make("section", "labkit-why", root);
    this.el.hidden = true;
    const head = make("div", "labkit-why-head", this.el);
    this.swatch = make("span", "labkit-swatch", head);
    this.name = make("b", "", head);
    this.id = make("span", "labkit-code", head);
    press(head, "Close", close);
    this.what = make("div", "labkit-why-what", this.el);
    this.what.setAttribute("aria-live", "polite");
    this.more = make("div", "labkit-why-more", this.el);
    this.el.addEventListener("keydown", (event) => event.key === "Escape" && close());
  }

  /** Shows a task, or nothing for null. */
  show(task, viewState) {
    this.el.hidden = !task;
    if (!task) return;
    const told = explain(task, viewState);
    const key = JSON.stringify([task.n, told]);
    if (key === this.key) return;
    this.key = key;
    const [tag, colour, pattern] = viewState.tags[task.tag];
    this.el.setAttribute("aria-label", `Why ${task.name} is where it is`);
    paint(this.swatch, colour, pattern);
    write(this.name, `${task.name}, ${tag}`);
    write(this.id, short(task));
    this.what.replaceChildren(...told.what.map((sentence) => worded("p", sentence)));
    this.more.replaceChildren();
    if (told.settings.length) this.list("Which setting decides", "dl", told.settings.flatMap(([name, text]) => [worded("dt", name), worded("dd", text)]));
    this.list("Which command shows it", "ul", told.commands.map(commandItem));
  }

  /** Brings it into sight: it may stand below what was clicked. */
  reveal() {
    if (!this.el.hidden) this.el.scrollIntoView({ block: "nearest" });
  }

  list(title, kind, items) {
    const part = make("div", "", this.more);
    write(make("div", "labkit-why-title", part), title);
    make(kind, "", part).append(...items);
  }
}

function worded(kind, text) {
  const element = make(kind, "");
  write(element, text);
  return element;
}

function commandItem(command) {
  const item = make("li", "");
  write(make("code", "", item), command);
  return item;
}

/** The explanation in a view that has no table. */
export class Why {
  constructor(root, view) {
    this.view = view;
    this.explanation = new Explanation(root, () => view.select(null));
  }

  draw(viewState) {
    this.explanation.show(viewState.tasks.get(this.view.selection) ?? null, viewState);
  }

  selected() {
    this.draw(this.view.viewState);
    this.explanation.reveal();
  }
}
