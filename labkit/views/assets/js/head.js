// Which service, how its update stands, and how many replicas run each tag.

import { make, swatch, write } from "./dom.js";
import { clock } from "./words.js";

export class Head {
  constructor(root, { picture }) {
    const head = make("div", "labkit-head", root);
    write(make("span", "labkit-name", head), picture.service);
    this.badge = make("span", "labkit-badge", head);
    this.live = make("span", "labkit-live", head);
    this.sentence = make("div", "labkit-sentence", root);
    this.sentence.setAttribute("aria-live", "polite");
    this.message = make("div", "labkit-message", root);
    this.says = make("span", "", this.message);
    this.quote = make("q", "", this.message);
    this.end = make("div", "labkit-end", root);
    this.tags = make("div", "labkit-tags", root);
    this.tags.setAttribute("role", "list");
    this.tags.setAttribute("aria-label", "Replicas running now, by tag");
  }

  draw(picture) {
    const { state, sentence, message } = picture.status;
    write(this.badge, state.replaceAll("_", " "));
    this.badge.dataset.state = state;
    write(this.sentence, sentence);
    write(this.says, message && "Docker says: ");
    write(this.quote, message);
    this.quote.hidden = !message;
    this.drawLive(picture);
    this.drawTags(picture);
  }

  drawLive(picture) {
    const gap = picture.gaps.at(-1);
    const noAnswer = gap && gap[1] === null;
    if (picture.end) {
      write(this.live, `ended ${clock(picture.now)}`);
      this.live.dataset.live = picture.end.died ? "no" : "ended";
      const last = picture.end.died ? `\nThe last good snapshot is of ${clock(picture.seen)}.` : "";
      write(this.end, picture.end.why + last);
      this.end.dataset.died = picture.end.died ? "yes" : "no";
    } else if (noAnswer) {
      write(this.live, `no answer from the engine since ${clock(picture.origin + gap[0])}`);
      this.live.dataset.live = "no";
      write(this.end, gap[2]);
    } else {
      write(this.live, picture.silent ? `no news since ${clock(picture.seen)}` : "live");
      this.live.dataset.live = picture.silent ? "no" : "yes";
      write(this.end, picture.trouble ?? "");
    }
  }

  drawTags(picture) {
    while (this.tags.children.length < picture.tags.length) {
      const [tag, colour, pattern] = picture.tags[this.tags.children.length];
      const item = make("span", "", this.tags);
      item.setAttribute("role", "listitem");
      swatch(item, colour, pattern);
      write(make("b", "", item), tag);
      make("span", "", item);
    }
    picture.running.forEach((count, number) => {
      const item = this.tags.children[number];
      item.dataset.count = count;
      write(item.lastChild, ` × ${count} running`);
    });
  }
}
