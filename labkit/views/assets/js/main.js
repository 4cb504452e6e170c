// Where views are used: as a live widget, and in a page that has a picture and no kernel.

import { Picture } from "./picture.js";
import { View } from "./view.js";

/** Draws a picture that has ended into an element. */
export function show(el, whole, plotlyPath) {
  el.replaceChildren();
  return new View(el, new Picture(whole), { plotlyPath });
}

export default () => {
  const views = new Set();
  let picture;
  return {
    initialize({ model }) {
      const load = () => {
        if (picture) picture.load(model.get("picture"));
        else picture = new Picture(model.get("picture"));
        for (const view of views) view.draw();
      };
      model.on("change:picture", load);
      model.on("msg:custom", (news) => {
        if (!picture.follow(news)) model.send({ want: "whole" });
        for (const view of views) view.draw();
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
