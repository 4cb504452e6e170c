// What JupyterLab loads of labkit. The extension itself comes from labkit's server extension: this
// file is copied when labkit is installed, and so would fall behind in a checkout.

(() => {
  let packages; // those that JupyterLab shares with its extensions
  (window._JUPYTERLAB ??= {}).labkit = {
    init: (scope) => void (packages = scope),
    async get() {
      const { baseUrl } = JSON.parse(document.getElementById("jupyter-config-data").textContent);
      const { plugin } = await import(`${baseUrl}labkit/lab.js`);
      const shared = async (name) => (await Object.values(packages[name])[0].get())();
      const made = await plugin(shared);
      return () => ({ __esModule: true, default: made });
    },
  };
})();
