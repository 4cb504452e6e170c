// Which service, how its update stands, what it still waits for, and how many replicas run each tag.

import { make, stamp, swatch, write } from "../dom.js";
import { clock } from "../words.js";

const ANOTHER = "This view shows nothing new: labkit.watch opens another.";

export class Head {
  constructor(root, { viewState, send }) {
    this.next = send ? ` ${ANOTHER}` : "";
    const head = make("div", "labkit-head", root);
    write(make("span", "labkit-name", head), viewState.service);
    stamp(viewState.badge, head);
    this.badge = make("span", "labkit-badge", head);
    this.tags = make("div", "labkit-tags", head);
    this.tags.setAttribute("role", "list");
    this.tags.setAttribute("aria-label", "Replicas running now, by tag");
    this.live = make("span", "labkit-live", head);
    const line = make("div", "labkit-sentence", root);
    this.sentence = make("span", "", line);
    this.sentence.setAttribute("aria-live", "polite");
    this.countdown = make("b", "labkit-countdown", line); // outside: nobody wants to be told every second
    this.countdown.setAttribute("role", "timer");
    this.message = make("span", "labkit-message", line);
    this.says = make("span", "", this.message);
    this.quote = make("q", "", this.message);
    this.end = make("div", "labkit-end", root);
  }

  draw(viewState) {
    const { state, sentence, message } = viewState.status;
    write(this.badge, state.replaceAll("_", " "));
    this.badge.dataset.state = state;
    write(this.sentence, sentence);
    write(this.countdown, waitsFor(viewState));
    write(this.says, message && "Docker says: ");
    write(this.quote, message);
    this.quote.hidden = !message;
    this.drawLive(viewState);
    this.drawTags(viewState);
  }

  drawLive(viewState) {
    const { lamp, text, more, died } = lifeOf(viewState);
    this.live.dataset.live = lamp;
    write(this.live, text);
    this.end.dataset.died = died ? "yes" : "no";
    write(this.end, viewState.end && !died ? more + this.next : more);
  }

  drawTags(viewState) {
    while (this.tags.children.length > viewState.tags.length) this.tags.lastChild.remove(); // a replay went back
    while (this.tags.children.length < viewState.tags.length) {
      const [tag, colour, pattern] = viewState.tags[this.tags.children.length];
      const item = make("span", "", this.tags);
      item.setAttribute("role", "listitem");
      swatch(item, colour, pattern);
      write(make("b", "", item), tag);
      make("span", "", item);
    }
    viewState.running.forEach((count, number) => {
      const item = this.tags.children[number];
      item.hidden = viewState.past?.includes(number) ?? false; // of older snapshots nothing is known
      item.dataset.count = count;
      write(item.lastChild, ` × ${count} running`);
    });
  }
}

/** Whether what is shown is live, and what there is to say if it is not. */
function lifeOf(viewState) {
  const { end, gaps, still, trouble = "" } = viewState;
  if (end) {
    const last = end.died ? `\nThe last good snapshot was taken at ${clock(viewState.now)}.` : "";
    const more = [end.why + last, trouble].filter(Boolean).join("\n");
    return { lamp: end.died ? "no" : "ended", text: `ended ${clock(viewState.origin + end.at)}`, more, died: end.died };
  }
  const gap = gaps.at(-1);
  if (gap && gap[1] === null) {
    return { lamp: "no", text: `no answer from the engine since ${clock(viewState.origin + gap[0])}`, more: gap[2] };
  }
  if (still) return { lamp: "ended", text: `recorded at ${clock(viewState.now)}`, more: trouble };
  if (viewState.silent) {
    const more = [trouble, "If the kernel has restarted, run “import labkit; labkit.resume()” to go on."].filter(Boolean).join("\n");
    return { lamp: "no", text: `no news since ${clock(viewState.seen)}`, more };
  }
  return { lamp: "yes", text: "live", more: trouble };
}

/** What the update still waits for once every slot has its new task, counted down in seconds. */
export function waitsFor({ settling, end, gaps, silent, at }) {
  if (!settling || end || silent || gaps.at(-1)?.[1] === null) return "";
  const left = (until) => `${Math.ceil((until - at) / 1000)} s`;
  if (at < settling.delay) return `The last delay ends in ${left(settling.delay)}, then the monitor window begins.`;
  if (at < settling.monitor) return `The monitor window ends in ${left(settling.monitor)}.`;
  return "The monitor window is over: Swarm will say so any moment.";
}
