// plotly.js, loaded once a page: from the page itself, or from the Jupyter server.

import { make } from "../dom.js";

/** plotly.js, loaded once a page: from the page itself, or from the Jupyter server. */
export function plotly(path) {
  globalThis.labkitPlotly ??= (path === "" ? Promise.resolve(globalThis.Plotly) : loadScript(path)).then(warmed);
  return globalThis.labkitPlotly;
}

/** The first figure of a page costs twice a later one; an empty one takes half of that upon itself. */
async function warmed(library) {
  const el = make("div", "labkit-first-figure", document.body);
  const axis = { visible: false };
  library.newPlot(el, [], { width: 20, height: 20, xaxis: axis, yaxis: axis }, { staticPlot: true, displayModeBar: false });
  await new Promise((resolve) => setTimeout(resolve));
  library.purge(el);
  el.remove();
  return library;
}

/** A chart is one tab stop, and has keys: the buttons that Plotly puts over it are for the pointer. */
export function noTabStops(plot) {
  for (const button of plot.querySelectorAll(".modebar-btn")) button.tabIndex = -1;
}

/** Where there are no such keys, the buttons are one tab stop together, and arrow keys go from one to the next. */
export function oneTabStop(plot) {
  noTabStops(plot);
  plot.querySelector(".modebar-btn").tabIndex = 0;
}

export function goToNextButton(event) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  const buttons = [...event.currentTarget.querySelectorAll(".modebar-btn")];
  const here = buttons.indexOf(event.target);
  if (!step || here < 0) return;
  event.preventDefault();
  buttons[(here + step + buttons.length) % buttons.length].focus();
}

function loadScript(path) {
  const base = jupyterBase();
  if (base === null) return Promise.reject(new Error("this page is not JupyterLab's."));
  return new Promise((resolve, reject) => {
    const others = globalThis.Plotly;
    const script = make("script", "");
    script.src = base + path;
    script.onload = () => {
      resolve(globalThis.Plotly);
      if (others) globalThis.Plotly = others; // somebody else's stays theirs
    };
    script.onerror = () => reject(new Error(`the Jupyter server has no ${path} (is labkit installed in its environment?).`));
    document.head.append(script);
  });
}

function jupyterBase() {
  const page = document.getElementById("jupyter-config-data");
  return page ? JSON.parse(page.textContent).baseUrl : null;
}
