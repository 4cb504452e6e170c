// The JupyterLab extension: the panels beside a notebook in which views are drawn, one a service.
//
// It is loaded as it is written (`labextension/static/remoteEntry.js`), and shares nothing with the
// module of the views but `globalThis.labkitPanels`: a view's `Place` asks it for a panel. What is
// in a panel after a reload comes from the notebook's outputs; JupyterLab restores where it was.

const OPEN = "labkit:open-panel";
const isNarrow = () => matchMedia("(max-width: 600px)").matches; // a phone has no room for a second column
const BLOCKED = 700; // ms without an answer after which a kernel is taken to be running a cell
const IN_THE_CELL = "labkit-in-the-cell"; // recordings whose view a person has put back, in this tab

export async function plugin(shared) {
  const { Widget } = await shared("@lumino/widgets");
  const { WidgetTracker } = await shared("@jupyterlab/apputils");
  const { ILabShell, ILayoutRestorer } = await shared("@jupyterlab/application");
  const { INotebookTracker } = await shared("@jupyterlab/notebook");
  const { KernelMessage } = await shared("@jupyterlab/services");
  return {
    id: "labkit:panels",
    description: "Shows live views beside the notebook.",
    autoStart: true,
    optional: [ILabShell, ILayoutRestorer, INotebookTracker],
    activate(app, shell, restorer, notebooks) {
      if (!shell) return; // Notebook 7 has no place beside a notebook
      const tracker = new WidgetTracker({ namespace: "labkit" });
      const panels = new Panels(shell, tracker, () => new Widget());
      app.commands.addCommand(OPEN, {
        // what is older of the notebook's outputs goes to no panel meanwhile
        execute: ({ service, origin }) => void (panels.open(service).origin = origin),
      });
      restorer?.restore(tracker, {
        command: OPEN,
        args: ({ service, origin }) => ({ service, origin }),
        name: ({ service }) => service,
      });
      const style = document.createElement("link"); // of an output would go with the output
      Object.assign(style, { rel: "stylesheet", href: new URL("views.css", import.meta.url).href });
      document.head.append(style);
      globalThis.labkitPanels = panels;
      document.dispatchEvent(new Event("labkit-panels"));
      notebooks?.widgetAdded.connect((_, notebook) => {
        void notebook.revealed.then(() => isNarrow() && shell.collapseLeft());
        keepOutputs(notebook);
        ofEachKernel(notebook, (kernel) => passCells(kernel, KernelMessage.createMessage));
        keepAnswers(notebook, () => panels.save({ notebook: notebook.id }));
      });
      if (notebooks) serveControls(notebooks);
    },
  };
}

/** Gives the controls of a card their keys, which JupyterLab takes for its own, and says below them
    that a click waits: a kernel without subshells answers after its cell. */
function serveControls(notebooks) {
  const of = (target) => target.closest("button, input")?.closest(".labkit-tools, .labkit-asked, .labkit-explorer");
  document.addEventListener("focusin", ({ target }) => of(target)?.setAttribute("data-lm-suppress-shortcuts", "true"));
  const pressed = ({ target }) => {
    const controls = of(target);
    const kernel = notebooks.find(({ node }) => node.contains(target))?.sessionContext.session?.kernel;
    if (!controls || kernel?.status !== "busy" || controls.querySelector(".labkit-waits")) return;
    const line = document.createElement("div");
    Object.assign(line, { className: "labkit-waits", role: "status" });
    controls.append(line);
    const words = "Pressed. The kernel is running a cell, and answers when that has ended.";
    void rest(BLOCKED).then(() => (line.textContent = words)); // a subshell has answered by then
    const free = (_, message) => {
      if (message && message.content.execution_state !== "idle") return;
      kernel.iopubMessage.disconnect(free);
      line.remove();
    };
    kernel.iopubMessage.connect(free);
    document.addEventListener("labkit-heard", free, { once: true }); // in the site, where a cell that waits answers
  };
  document.addEventListener("click", pressed, true);
}

const RAN = "labkit-ran-"; // and the number of a request: which cell it was of
const OUTPUTS = new Set(["stream", "display_data", "execute_result", "error"]);

/** Gives a cell that ran during a reload what it still puts out, and an output what takes its place:
    JupyterLab forgets whose it is. */
function keepOutputs({ context, content, sessionContext }) {
  const known = new Set(); // displays that JupyterLab has received since
  const receive = (kernel, { msg, direction }) => {
    const { header, parent_header: parent, metadata, channel } = msg;
    const display = channel === "iopub" && msg.content.transient?.display_id;
    if (display && header.msg_type === "display_data") known.add(display);
    else if (display && !known.has(display)) replace(content, display, msg.content);
    if (direction === "send" && header.msg_type === "execute_request" && metadata.cellId)
      sessionStorage.setItem(RAN + header.msg_id, metadata.cellId);
    const id = channel === "iopub" && sessionStorage.getItem(RAN + parent.msg_id);
    if (!id) return;
    const others = parent.session !== kernel.clientId; // of the page before the reload
    const outputs = content.widgets.find(({ model }) => model.id === id)?.model.outputs;
    if (others && OUTPUTS.has(header.msg_type)) outputs?.add({ ...msg.content, output_type: header.msg_type });
    if (header.msg_type !== "status" || msg.content.execution_state !== "idle") return;
    sessionStorage.removeItem(RAN + parent.msg_id);
    if (others && outputs) void context.save();
  };
  ofEachKernel({ sessionContext }, (kernel) => kernel.anyMessage.connect(receive)); // once, however often it is said
}

function ofEachKernel({ sessionContext }, take) {
  if (sessionContext.session?.kernel) take(sessionContext.session.kernel);
  sessionContext.kernelChanged.connect((_, { newValue }) => newValue && take(newValue));
}

/** Brings widgets back while a cell runs. JupyterLab first asks a kernel what it can do; the answer
    comes after the cell, and messages for widgets wait in line behind it. The control channel does
    not wait, and neither does a subshell that is made through it (ipykernel 7). */
function passCells(kernel, createMessage) {
  const send = kernel._sendMessage?.bind(kernel); // nothing public lets a message wait
  if (!send) return;
  const ask = (msgType) => new Promise((resolve) => {
    const asked = createMessage({ msgType, channel: "control", session: kernel.clientId, content: {} });
    kernel.sendControlMessage(asked, true).onReply = ({ content }) => resolve(content);
  });
  const known = kernel.info.then(() => null);
  showBusy(kernel, known);
  const subshell = async () => {
    do if ((await Promise.race([known, rest(BLOCKED)])) === null) return null;
    while (kernel.connectionStatus === "connecting");
    const { supported_features: features } = await ask("kernel_info_request");
    return features?.includes("kernel subshells") ? (await ask("create_subshell_request")).subshell_id : known;
  };
  const way = Promise.race([known, subshell()]).catch(() => null);
  kernel._sendMessage = (message, ...how) => {
    const { header } = message;
    if (header.subshell_id || !header.msg_type.startsWith("comm_")) return send(message, ...how);
    void way.then((found) => {
      header.subshell_id = found;
      send(message, ...how);
    });
  };
  void known.then(() => way).then(() => delete kernel._sendMessage);
}

/** Shows a kernel as busy until it answers: what it says on other channels makes it look idle. */
function showBusy(kernel, known) {
  const show = kernel._updateStatus.bind(kernel);
  let last = kernel.status;
  kernel._updateStatus = (status) => show((last = status) === "idle" ? "busy" : status);
  const answered = () => {
    delete kernel._updateStatus;
    show(last);
  };
  void known.then(answered, answered);
}

const rest = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Saves a notebook as soon as a card has an answer, or a view its last picture: a reload shows
    what was saved. A kernel's `iopubMessage` comes when an output has it. */
function keepAnswers({ sessionContext }, save) {
  sessionContext.iopubMessage.connect((_, { header, content }) => {
    if (header.msg_type === "update_display_data" && content.metadata.labkit) save();
  });
}

function replace({ widgets }, display, { data, metadata }) {
  for (const { outputs } of widgets.map(({ model }) => model)) {
    for (let number = 0; number < (outputs?.length ?? 0); number++) {
      if (outputs.get(number).metadata.labkit?.display !== display) continue;
      outputs.set(number, { output_type: "display_data", data, metadata });
    }
  }
}

/** JupyterLab takes what a save finds of another one, still under way, for somebody else's change,
    and asks whose to keep: so each waits for the one before. Nobody waits for that of a notebook
    that is closed meanwhile. */
function saveInTurn(context) {
  const save = context.save.bind(context);
  const unlessClosed = (problem) => {
    if (!context.isDisposed) throw problem;
  };
  let last = Promise.resolve();
  context.save = (...how) => (last = last.catch(() => {}).then(() => save(...how)).catch(unlessClosed));
}

class Panels {
  constructor(shell, tracker, widget) {
    Object.assign(this, { shell, tracker, widget });
    this.all = new Map(); // a panel of each service
    this.inTurn = new WeakSet(); // the notebooks that are saved in turn
    this.inTheCell = new Set(JSON.parse(sessionStorage.getItem(IN_THE_CELL) ?? "[]"));
  }

  /** Where a view goes by itself: beside its notebook, unless a newer one of the service is there. */
  where({ service, origin }) {
    if (isNarrow() || this.inTheCell.has(origin)) return "cell";
    return this.all.get(service)?.origin > origin ? "line" : "panel";
  }

  /** Gives a view the panel of its service; the view that had it goes back to its cell. */
  give(place) {
    const panel = this.open(place.service, place.notebook);
    const before = panel.place;
    panel.place = place;
    panel.origin = place.origin;
    void this.tracker.save(panel);
    if (before?.gone && before.origin === place.origin) place.takeOver(before);
    else panel.node.replaceChildren(place.el);
    this.follow(place);
    this.choose(place, false);
    if (before !== place) before?.lose();
  }

  /** Takes a view out of its panel, as a person has asked; an empty panel goes. */
  take(place) {
    const panel = this.all.get(place.service);
    if (panel?.place !== place) return;
    this.choose(place, true);
    panel.place = null;
    panel.dispose();
  }

  /** Saves a notebook that has just got what a reload is to show, one save after the other. */
  save({ notebook }) {
    const { context } = this.find(notebook) ?? {};
    if (!context?.isReady || context.model.readOnly) return;
    if (!this.inTurn.has(context)) saveInTurn(context);
    this.inTurn.add(context);
    if (context.model.dirty) void context.save();
  }

  /** Keeps over a reload whether a person wants a view in its cell. */
  choose({ origin }, inTheCell) {
    this.inTheCell[inTheCell ? "add" : "delete"](origin);
    sessionStorage.setItem(IN_THE_CELL, JSON.stringify([...this.inTheCell]));
  }

  /** Returns the panel of a service; a new one is right of a notebook, above a terminal there. */
  open(service, notebook) {
    if (this.all.has(service)) return this.all.get(service);
    const panel = this.widget();
    panel.id = `labkit-panel-${service}`;
    panel.service = service;
    panel.addClass("labkit-panel");
    panel.title.label = service;
    panel.title.caption = `The update of ${service}, live`;
    panel.title.closable = true;
    panel.node.textContent = `The view of ${service} opens here when you call labkit.watch.`;
    panel.disposed.connect(() => this.closed(panel));
    this.all.set(service, panel);
    const terminal = this.terminalBeside(notebook);
    const where = terminal ? { mode: "split-top", ref: terminal } : { mode: "split-right", ref: notebook };
    this.shell.add(panel, "main", { ...where, activate: false });
    void this.tracker.add(panel);
    return panel;
  }

  /** The terminal right of a notebook, if one is seen there: a third column would be too narrow. */
  terminalBeside(notebook) {
    const edge = this.find(notebook)?.node.getBoundingClientRect().right ?? Infinity;
    const beside = ({ node, isVisible }) => isVisible && node.getBoundingClientRect().left >= edge;
    return [...this.shell.widgets("main")].find((each) => each.node.querySelector(".jp-Terminal") && beside(each))?.id;
  }

  /** A person who closes a panel wants its view back in the cell. */
  closed(panel) {
    this.all.delete(panel.service);
    if (!panel.place) return;
    this.choose(panel.place, true);
    panel.place.lose(true);
  }

  /** A panel goes with the notebook of its view. */
  follow(place) {
    this.find(place.notebook)?.disposed.connect(() => {
      const panel = this.all.get(place.service);
      if (panel?.place === place) panel.dispose();
    });
  }

  find(notebook) {
    return [...this.shell.widgets("main")].find(({ id }) => id === notebook);
  }
}
