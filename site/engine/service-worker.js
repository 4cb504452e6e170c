// The site's service worker: JupyterLite's, which stands below, behind a copy of what is loaded.
//
// What is large comes from the copy, which is that of one version of the site. The network is asked
// first for the rest, so that no old copy hides what is new. (JupyterLite can keep a copy, too, but
// forgets that it should as soon as the browser has ended its idle worker.)

const SITE = new URL(".", self.location);
const COPIES = `labkit ${SITE.pathname} `;
const NAME = `${COPIES}VERSION`; // build.py puts it in, and what JupyterLite has below
const copies = caches.open(NAME);
const IS_LARGE = /^(build|extensions|labkit|static)\//;
/** A copy of the site has 50 MB. Where there is less than twice that, the room is left to the learner's files.
    WebKitGTK does not say how much there is. */
const hasRoom = Promise.resolve(navigator.storage?.estimate?.()).then((it) => !it || it.quota - it.usage > 1e8);

self.addEventListener("activate", (event) => event.waitUntil(forgetOlderVersions()));

self.addEventListener("fetch", (event) => {
  const { method, url } = event.request;
  const asksAKernel = /\/api\/(drive|stdin|service-worker)/.test(url);
  if (method !== "GET" || asksAKernel || !url.startsWith(SITE.href)) return;
  event.stopImmediatePropagation(); // JupyterLite's, below
  event.respondWith(answer(event));
});

self.addEventListener("message", (event) => {
  if (event.data === "labkit: copy the rest") event.waitUntil(copyTheRest().catch(console.warn));
});

async function answer(event) {
  const { request } = event;
  const [key] = request.url.split(/[?#]/); // a file is the same, whatever it is asked for with
  const copy = async () => (await copies).match(key);
  const kept = IS_LARGE.test(key.slice(SITE.href.length)) && (await copy());
  if (kept) return kept;
  try {
    const found = await fetch(request, { cache: "no-cache" });
    if (found.status === 200 && (await hasRoom)) {
      const copied = found.clone();
      event.waitUntil(copies.then((all) => all.put(key, copied)).catch(console.warn));
    }
    return found;
  } catch (problem) {
    const older = await copy();
    if (older) return older;
    throw problem;
  }
}

/** Copies what the lab loads later, or not at each visit. */
async function copyTheRest() {
  if (!(await hasRoom)) return;
  const names = await (await fetch(new URL("engine/offline.json", SITE))).json();
  const all = await copies;
  const copy = async (url) => (await all.match(url)) ?? all.add(new Request(url, { cache: "no-cache" }));
  await Promise.allSettled(names.map((name) => copy(new URL(name, SITE))));
}

async function forgetOlderVersions() {
  const older = (await caches.keys()).filter((name) => name.startsWith(COPIES) && name !== NAME);
  await Promise.all(older.map((name) => caches.delete(name)));
}

