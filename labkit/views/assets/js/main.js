// Where views are used: as a live widget, and in a page that has data and no kernel.

import { compare } from "./compare.js";
import { Place } from "./place.js";
import { ViewState } from "./view_state.js";
import { Replay } from "./replay.js";
import { View } from "./view.js";

/** Draws what has ended into an element: several runs, a recording to replay, or a last state. */
export function show(el, data, plotlyPath) {
  if (data.runs) return compare(el, data, plotlyPath);
  el.replaceChildren();
  if (data.frames) return new Replay(el, data, plotlyPath);
  const { parts, beside, ...full } = data;
  const viewState = new ViewState(full);
  return new Place(el, viewState, beside, drawing(viewState, { plotlyPath, parts }));
}

/** What a place draws. */
const drawing = (viewState, given, views = new Set()) => (el) => {
  const view = new View(el, viewState, given);
  views.add(view);
  return () => {
    views.delete(view);
    view.remove();
  };
};

/** Ms after which a page asks once more: its question may have been lost, and so may the answer. */
const ASK_AGAIN = 15_000;

/** The live widget: one state, which every view of it in the page draws. */
export default () => {
  const views = new Set();
  let viewState;
  let asked = -ASK_AGAIN; // when: a kernel that runs a cell answers only after it
  return {
    initialize({ model }) {
      const draw = () => {
        for (const view of views) view.draw();
      };
      const load = () => {
        asked = -ASK_AGAIN;
        if (viewState) viewState.load(model.get("view_state"));
        else viewState = new ViewState(model.get("view_state"));
        draw();
      };
      model.on("change:view_state", load);
      model.on("msg:custom", (delta) => {
        const known = viewState.seq;
        const up = viewState.follow(delta); // what is sent once more is known already, as a rule
        if (up) asked = -ASK_AGAIN;
        else if (performance.now() - asked > ASK_AGAIN) {
          asked = performance.now();
          model.send({ want: "full" });
        }
        if (viewState.seq !== known) draw();
      });
      load();
    },
    render({ model, el }) {
      const given = { plotlyPath: model.get("plotly"), parts: model.get("parts"), send: (message) => model.send(message) };
      const place = new Place(el, viewState, model.get("beside"), drawing(viewState, given, views));
      return () => place.leave();
    },
  };
};
