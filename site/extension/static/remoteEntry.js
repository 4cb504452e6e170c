// The extension of JupyterLab for the site: it lets another engine take the place of one that ended,
// and answers kernels, which ask by requests that block, as they do the engine (`labkit/base/browser/kept.py`).
// JupyterLite's drive keeps their files, and what is clicked while a cell runs they get here.

(() => {
  const { src } = document.currentScript;
  const SITE = new URL("../../..", src);
  const KEPT = [".labkit", "dockercoins"];
  /** Milliseconds after which the site is copied for a visit without a network: first of all the lab begins. */
  const COPIED_AFTER = 15_000;
  let packages; // those that JupyterLab shares with its extensions

  /** Adds "Start Afresh…" to the menu. What a kernel still keeps ends with its page (`start.js`). */
  function addStartAfresh(app, { showDialog, Dialog }, { helpMenu }) {
    const label = "Start Afresh…";
    app.commands.addCommand("labkit:start-afresh", {
      label,
      async execute() {
        const body =
          "This deletes your notebooks, files, progress and recordings in this browser, and the swarm. Close the other tabs of this site first.";
        const buttons = [Dialog.cancelButton(), Dialog.warnButton({ label: "Delete everything" })];
        const { button } = await showDialog({ title: label, body, buttons });
        if (!button.accept) return;
        addEventListener("beforeunload", (event) => event.stopImmediatePropagation(), { capture: true }); // asks once more
        sessionStorage.setItem(`labkit afresh ${SITE.pathname}`, "true");
        location.assign(new URL("lab/index.html?path=00-start-here.ipynb", SITE));
      },
    });
    helpMenu.addGroup([{ command: "labkit:start-afresh" }], 9);
  }

  /** Answers the kernels of this page's notebooks, each known by its connection. */
  function answerKernels(contents, notebooks) {
    const channel = new BroadcastChannel("/sw-api.v1"); // JupyterLite's
    const pages = new BroadcastChannel(`labkit ${SITE.pathname}`);
    const news = new Map(); // for each kernel: the files that others have changed, and the clicks
    const saving = new Map(); // which kernel's a file is that is being saved

    const changed = (path) => {
      if (!KEPT.some((each) => `${path}/`.startsWith(`${each}/`))) return;
      for (const [kernel, { paths }] of news) if (saving.get(path) !== kernel) paths.add(path);
    };
    pages.addEventListener("message", ({ data }) => changed(data));
    contents.fileChanged.connect((_, { oldValue, newValue }) => {
      for (const path of [oldValue?.path, newValue?.path].filter(Boolean)) {
        changed(path);
        pages.postMessage(path);
      }
    });

    const listen = (kernel) => {
      if (!kernel) return;
      const clicks = [];
      news.set(kernel.clientId, { paths: new Set(), clicks });
      kernel.anyMessage.connect((_, { msg, direction }) => {
        const waits = direction === "send" && msg.header.msg_type === "comm_msg" && kernel.status === "busy";
        if (waits && !msg.buffers?.length) clicks.push(msg);
      });
      kernel.statusChanged.connect((_, status) => status === "idle" && clicks.splice(0)); // they arrive by themselves
      kernel.disposed.connect(() => news.delete(kernel.clientId));
      const copy = () => navigator.serviceWorker.controller?.postMessage("labkit: copy the rest");
      void kernel.info.then(() => setTimeout(copy, COPIED_AFTER));
    };
    notebooks.widgetAdded.connect((_, { sessionContext }) => {
      listen(sessionContext.session?.kernel);
      sessionContext.kernelChanged.connect((_, { newValue }) => listen(newValue));
    });

    async function exchange(kernel, { everything, put }) {
      const { paths, clicks } = news.get(kernel);
      if (everything) for (const path of (await Promise.all(KEPT.map(below))).flat()) paths.add(path);
      for (const [path, content] of Object.entries(put)) {
        if (paths.has(path)) continue; // what others have changed, it has to see first
        saving.set(path, kernel);
        if (content === null) await contents.delete(path);
        else {
          await makeFolder(path.slice(0, path.lastIndexOf("/")));
          await contents.save(path, { type: "file", format: "text", content });
        }
        saving.delete(path);
      }
      const files = await Promise.all([...paths].map(async (path) => [path, await read(path)]));
      paths.clear();
      if (clicks.length) document.dispatchEvent(new Event("labkit-heard")); // `lab.js` says that they wait
      return { files: Object.fromEntries(files.filter(([, file]) => file !== undefined)), messages: clicks.splice(0) };
    }

    const makeFolder = async (path) => {
      if (await contents.get(path).catch(() => null)) return;
      const above = path.slice(0, Math.max(0, path.lastIndexOf("/")));
      if (above) await makeFolder(above);
      const made = await contents.newUntitled({ type: "directory", path: above });
      await contents.rename(made.path, path);
    };
    const below = async (folder) => {
      const { content } = await contents.get(folder, { content: true }).catch(() => ({ content: [] }));
      return (await Promise.all(content.map(({ path, type }) => (type === "directory" ? below(path) : [path])))).flat();
    };
    /** Returns a file; null if there is none, and nothing for a folder. */
    const read = async (path) => {
      const found = await contents.get(path, { content: true, format: "text" }).catch(() => null);
      if (found?.type === "directory") return undefined;
      return found && { content: found.content, at: Date.parse(found.last_modified) };
    };

    channel.addEventListener("message", async ({ data: { browsingContextId, requestId, data } }) => {
      if (browsingContextId === `new engine ${SITE.pathname}` && data !== undefined) {
        (await import(new URL("engine/start.js", SITE))).startEngine(data);
        channel.postMessage({ browsingContextId, requestId, response: "" });
      }
      const [, kernel, path] = browsingContextId?.match(/^page (\S+) (.*)$/) ?? [];
      if (path !== SITE.pathname || data === undefined || !news.has(kernel)) return;
      const answer = await exchange(kernel, JSON.parse(data)).catch((problem) => ({ problem: String(problem) }));
      channel.postMessage({ browsingContextId, requestId, response: JSON.stringify(answer) });
    });
  }

  (window._JUPYTERLAB ??= {})["labkit-engine"] = {
    init: (scope) => void (packages = scope),
    async get() {
      const shared = async (name) => (await Object.values(packages[`@jupyterlab/${name}`])[0].get())();
      const [{ INotebookTracker }, { IMainMenu }, dialogs] = await Promise.all(["notebook", "mainmenu", "apputils"].map(shared));
      const plugin = {
        id: "labkit-engine:engine",
        autoStart: true,
        requires: [INotebookTracker, IMainMenu],
        activate(app, notebooks, menu) {
          addStartAfresh(app, dialogs, menu);
          answerKernels(app.serviceManager.contents, notebooks);
        },
      };
      return () => ({ __esModule: true, default: plugin });
    },
  };
})();
