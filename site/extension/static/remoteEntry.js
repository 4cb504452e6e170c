// The extension of JupyterLab that starts the site's engine: one for all of its pages.

{
  const url = new URL("../../../engine/engine.js", document.currentScript.src);
  const speed = new URLSearchParams(location.search).get("speed"); // for tests
  if (speed) url.searchParams.set("speed", speed);
  const plugin = {
    id: "labkit-engine:engine",
    autoStart: true,
    activate: () => void new SharedWorker(url, { name: "labkit", type: "module", extendedLifetime: true }),
  };
  (window._JUPYTERLAB ??= {})["labkit-engine"] = {
    init: () => {},
    get: async () => () => ({ __esModule: true, default: plugin }),
  };
}
