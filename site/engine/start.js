// What happens before JupyterLite is loaded: can this browser run the lab? If not, the page says
// in words what is missing and what to do, at once, and loads nothing.

const SITE = new URL("..", import.meta.url);
/** Megabytes that the site and a learner's files need. */
const NEEDS = 60;

const ENGINE = `labkit engine ${SITE.pathname}`; // its name, in what the browser has stored
const RELOADED = `labkit reloaded ${SITE.pathname}`;
const AFRESH = `labkit afresh ${SITE.pathname}`;
const TAB = `labkit tab ${SITE.pathname}`; // a lock
const ORDINARY = "Open this address in an ordinary window, and allow the site to store data.";
const CURRENT = "Use a current Chrome, Edge, Firefox or Safari.";
const SAYS = {
  insecure: "The address has to begin with https:// (or with http://localhost): elsewhere browsers allow no service worker.",
  serviceWorker: `The browser allows no service worker here, through which notebooks reach their swarm. Private windows often have none. ${ORDINARY}`,
  sharedWorker: `The browser has no shared workers (SharedWorker), in which the swarm runs. ${CURRENT}`,
  webAssembly: `The browser runs no WebAssembly, of which its Python is made. Switch it on, if it is switched off (a lockdown mode does that). ${CURRENT}`,
  storage: `The browser does not let this site store anything, so your files would be lost. ${ORDINARY}`,
  room: "The browser has no room left to store your files. Make room on the disk, or delete what other sites have stored.",
};
const NOTES = {
  programs:
    "This browser can't run the code of your images: it lacks JSPI, a part of WebAssembly. The swarm is all there, and its tasks do " +
    "what is known of their images. Chrome, Edge and Firefox run the code.",
  another:
    "The lab is open in another tab, too. Both tabs have the same swarm and the same files: what you update or edit in one changes in " +
    "the other. Keep a notebook open in one tab only, or both will save it.",
  blocked: "Close the other tabs of this site: they hold on to what is to be deleted. Then it goes on by itself.",
  full: (left) =>
    `This browser has ${left} MB left to store for this site, and the lab needs up to ${NEEDS}. What doesn't fit is lost when you close ` +
    "the page: make room on the disk, or delete what other sites have stored.",
};

/** Resolves to whether JupyterLite, in its `version`, may be loaded now. */
export async function mayStart(version) {
  const missing = await whatIsMissing(version);
  if (missing) {
    refuse(SAYS[missing]);
    return false;
  }
  if (sessionStorage.getItem(AFRESH)) await forgetEverything(); // the menu asks, and sets it; no link can
  await takeAlong().catch(console.warn);
  startEngine();
  void noteWhatIsLess();
  noteAnotherTab();
  return true;
}

/** Starts the engine while JupyterLite loads, one for all of the site's pages; or lets another one take its
    place: all pages know its name. */
export function startEngine(name) {
  if (name) localStorage.setItem(ENGINE, name);
  const url = new URL("engine.js", import.meta.url);
  const speed = new URLSearchParams(location.search).get("speed"); // for tests
  if (speed) url.searchParams.set("speed", speed);
  name = localStorage.getItem(ENGINE) ?? "labkit";
  new SharedWorker(url, { name, type: "module", extendedLifetime: true });
}

/** Has JupyterLite keep files for this path alone: its origin may have other copies of the site. */
export function nameFiles() {
  const settings = document.getElementById("jupyter-config-data");
  const config = JSON.parse(settings.textContent);
  settings.textContent = JSON.stringify({ ...config, contentsStorageName: filesOf(config) });
}

const filesOf = ({ contentsStorageName }) => `${contentsStorageName} ${SITE.pathname}`;

/** Forgets what a learner has in this browser, and the swarm; waits for other tabs to let go of it. */
async function forgetEverything() {
  new BroadcastChannel("/sw-api.v1").postMessage({ browsingContextId: `new engine ${SITE.pathname}`, data: "" });
  const ours = (name) => name.endsWith(` ${SITE.pathname}`); // JupyterLite's as well
  for (const { name } of (await indexedDB.databases()).filter(({ name }) => ours(name))) {
    const deleted = indexedDB.deleteDatabase(name);
    deleted.onblocked = () => note(NOTES.blocked);
    await done(deleted);
  }
  for (const key of Object.keys(localStorage).filter(ours)) localStorage.removeItem(key);
  localStorage.setItem(ENGINE, `labkit ${Date.now()}`); // the one before may still be ending
  sessionStorage.removeItem(AFRESH);
}

/** Takes what was stored with earlier notebooks along to those that the site has now.
    A notebook that was saved goes into the folder `earlier`: it would hide the new one. */
async function takeAlong() {
  const settings = await (await fetch(new URL("jupyter-lite.json", SITE))).json();
  const name = filesOf(settings["jupyter-config-data"]);
  const key = `labkit files ${SITE.pathname}`;
  const before = localStorage.getItem(key);
  if (before && before !== name) {
    const [from, to] = await Promise.all([before, name].map(openFiles));
    const files = await done(from.transaction(STORE).objectStore(STORE).getAll());
    const store = to.transaction(STORE, "readwrite").objectStore(STORE);
    const [first] = files.filter(isNotebook);
    if (first) store.put({ ...first, name: EARLIER, path: EARLIER, type: "directory", format: "json", mimetype: "", content: null, size: 0 }, EARLIER);
    for (const file of files) {
      const path = isNotebook(file) ? `${EARLIER}/${file.path}` : file.path;
      store.put({ ...file, path }, path);
    }
    await stored(store);
    from.close();
    to.close();
  }
  localStorage.setItem(key, name);
}

const STORE = "files"; // of JupyterLite
const EARLIER = "earlier";
const isNotebook = ({ path, type }) => type === "notebook" && !path.includes("/");

function openFiles(name) {
  const opened = indexedDB.open(name);
  opened.onupgradeneeded = () => opened.result.createObjectStore(STORE);
  return done(opened);
}

const done = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

const stored = ({ transaction }) =>
  new Promise((resolve, reject) => Object.assign(transaction, { oncomplete: resolve, onabort: () => reject(transaction.error) }));

async function whatIsMissing(version) {
  if (!isSecureContext) return "insecure";
  if (!navigator.serviceWorker) return "serviceWorker";
  if (!globalThis.SharedWorker) return "sharedWorker";
  if (!globalThis.WebAssembly) return "webAssembly";
  const problem = await whatStopsStoring();
  if (problem) return problem;
  if (!(await hasServiceWorker(version))) return "serviceWorker";
}

async function whatStopsStoring() {
  try {
    localStorage.setItem("labkit", "stored");
    const tried = await openFiles(`labkit tried ${SITE.pathname}`);
    const store = tried.transaction(STORE, "readwrite").objectStore(STORE);
    store.put("", "");
    await stored(store);
    tried.close();
  } catch (problem) {
    return problem?.name === "QuotaExceededError" ? "room" : "storage";
  }
}

/** Starts the service worker, or has the one that is there take the page. */
async function hasServiceWorker(version) {
  const { serviceWorker } = navigator;
  const url = new URL("service-worker.js?enableCache=false", SITE).href; // as JupyterLite names it
  // it would take one for an old one that it has not started itself, and end it while a kernel starts
  localStorage.setItem(`${url}-version`, version);
  try {
    const registration = await serviceWorker.register(url);
    if (registration && !serviceWorker.controller) await takesThePage(registration);
  } catch (problem) {
    console.warn(problem); // offline, the version that is here will do
  }
  if (serviceWorker.controller) sessionStorage.removeItem(RELOADED);
  return Boolean(serviceWorker.controller);
}

/** Waits until a service worker has taken this page, or has failed. It never takes one that was forced to
    reload: that is reloaded once more. */
async function takesThePage({ active, waiting, installing }) {
  const worker = active ?? waiting ?? installing;
  await new Promise((resolve) => {
    const look = () => ["activated", "redundant"].includes(worker.state) && resolve();
    worker.addEventListener("statechange", look);
    navigator.serviceWorker.addEventListener("controllerchange", resolve);
    look();
  });
  if (navigator.serviceWorker.controller || worker.state === "redundant" || sessionStorage.getItem(RELOADED)) return;
  sessionStorage.setItem(RELOADED, "true");
  location.reload();
  await new Promise(() => {}); // this page ends
}

async function noteWhatIsLess() {
  if (!WebAssembly.Suspending) note(NOTES.programs);
  const { quota, usage } = (await navigator.storage?.estimate?.()) ?? {};
  const left = Math.floor((quota - usage) / 1e6);
  if (left + usage / 1e6 < NEEDS) note(NOTES.full(left));
}

/** Says so if another tab has the lab open. A page holds the lock until it is closed. */
function noteAnotherTab() {
  const held = setTimeout(() => note(NOTES.another), 2000); // by then a page that was reloaded has let go of it
  void navigator.locks.request(TAB, () => {
    clearTimeout(held);
    return new Promise(() => {});
  });
}

function refuse(says) {
  const style = "font: 18px/1.5 sans-serif; max-width: 36em; margin: 4em auto; padding: 0 1em";
  const elsewhere = [
    ["docs/on-your-machine.html", "Run the lab on your machine"],
    ["index.html", "See recordings of it"],
  ];
  document.body.replaceChildren(
    element("main", { style, role: "alert" }, [
      element("h1", {}, ["The lab can't run in this window"]),
      element("p", {}, [says]),
      element("ul", {}, elsewhere.map(([to, words]) => element("li", {}, [element("a", { href: new URL(to, SITE) }, [words])]))),
    ]),
  );
}

/** Says something beside JupyterLab, until it is closed. */
function note(says) {
  const placed =
    "position: fixed; bottom: 32px; left: 50%; transform: translateX(-50%); width: max-content; max-width: min(46em, 96vw); z-index: 20000; " +
    "display: grid; gap: 8px";
  const style =
    "display: flex; gap: 1em; align-items: start; padding: 12px 16px; border: 1px solid #8a6d00; border-radius: 4px; " +
    "background: #fff8dc; color: #222; font: 14px/1.5 sans-serif";
  const close = element("button", { type: "button" }, ["Close"]);
  const shown = element("div", { style, role: "status", class: "labkit-note" }, [element("span", {}, [says]), close]);
  close.addEventListener("click", () => shown.remove());
  const notes = document.querySelector(".labkit-notes") ?? element("div", { style: placed, class: "labkit-notes" }, []);
  notes.append(shown);
  document.body.append(notes);
}

function element(name, attributes, children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}
