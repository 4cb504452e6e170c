// The extension of JupyterLab that starts the site's engine: one for all of its pages.

(window._JUPYTERLAB ??= {})["labkit-engine"] = {
  init: () => {},
  async get() {
    const site = document.currentScript ?? document.querySelector('script[src*="labkit-engine/static"]');
    const url = new URL("../../../engine/engine.js", site.src);
    url.search = new URLSearchParams(location.search).get("speed") ? `?speed=${new URLSearchParams(location.search).get("speed")}` : "";
    const plugin = {
      id: "labkit-engine:engine",
      autoStart: true,
      activate: () => void new SharedWorker(url, { name: "labkit", type: "module", extendedLifetime: true }),
    };
    return () => ({ __esModule: true, default: plugin });
  },
};
