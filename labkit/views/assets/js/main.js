// Where views are used: as a live widget, and in a page that has data and no kernel.

import { compare } from "./compare.js";
import { Picture } from "./picture.js";
import { Replay } from "./replay.js";
import { View } from "./view.js";

/** Draws what has ended into an element: several runs, a recording to replay, or a last picture. */
export function show(el, data, plotlyPath) {
  el.replaceChildren();
  if (data.runs) return compare(el, data, plotlyPath);
  if (data.frames) return new Replay(el, data, plotlyPath);
  const { parts, ...whole } = data;
  return new View(el, new Picture(whole), { plotlyPath, parts });
}

/** The live widget: one picture, which every view of it in the page draws. */
export default () => {
  const views = new Set();
  let picture;
  let asked = false; // a kernel that runs a cell answers only after it
  return {
    initialize({ model }) {
      const draw = () => {
        for (const view of views) view.draw();
      };
      const load = () => {
        asked = false;
        if (picture) picture.load(model.get("picture"));
        else picture = new Picture(model.get("picture"));
        draw();
      };
      model.on("change:picture", load);
      model.on("msg:custom", (news) => {
        const known = picture.seq;
        const whole = picture.follow(news); // what is sent once more is known already, as a rule
        if (!whole && !asked) model.send({ want: "whole" });
        asked = !whole;
        if (picture.seq !== known) draw();
      });
      load();
    },
    render({ model, el }) {
      const view = new View(el, picture, {
        plotlyPath: model.get("plotly"),
        parts: model.get("parts"),
        send: (message) => model.send(message),
      });
      views.add(view);
      return () => {
        views.delete(view);
        view.remove();
      };
    },
  };
};
