// The site's service worker: JupyterLite's, which stands below, behind a copy of what is loaded.
//
// What is large comes from the copy, where it is named with the digest that `offline.json` gives of it. That
// list comes from the network with each page of the lab. So a page gets no older file, even from an older
// worker: that one stays until all that it was asked is answered, and what a kernel asked of a page that is gone
// never is. The network is asked first for the rest. (JupyterLite can keep a copy, too, but forgets that it
// should as soon as the browser has ended its idle worker.)

const SITE = new URL(".", self.location);
const LIST = new URL("engine/offline.json", SITE).href;
const COPIES = `labkit ${SITE.pathname} `;
const NAME = `${COPIES}files`;
const copies = caches.open(NAME);
const IS_LARGE = /^(build|extensions|labkit|static)\//;
/** A copy of the site has 50 MB. Where there is less than twice that, the room is left to the learner's files.
    WebKitGTK does not say how much there is. */
const hasRoom = Promise.resolve(navigator.storage?.estimate?.()).then((it) => !it || it.quota - it.usage > 1e8);

const copied = async (key, options) => (await copies).match(key, options);
const listed = async () => (await copied(LIST))?.json() ?? (await renewed());
/** The digests of the site's files: of the list that came with the last page. */
let digests = listed();

self.addEventListener("activate", (event) => {
  digests = listed(); // an older worker may have got a newer one
  event.waitUntil(forgetOtherCopies());
});

self.addEventListener("fetch", (event) => {
  const { method, url } = event.request;
  const asksAKernel = /\/api\/(drive|stdin|service-worker)/.test(url);
  if (asksAKernel) letGo(event);
  if (method !== "GET" || asksAKernel || !url.startsWith(SITE.href)) return;
  event.stopImmediatePropagation(); // JupyterLite's, below
  event.respondWith(answer(event));
});

self.addEventListener("message", (event) => {
  if (event.data === "labkit: copy the rest") event.waitUntil(copyTheRest().catch(console.warn));
});

/** Ends what a kernel no longer waits for, as JupyterLite does not; in WebKit the kernel would wait for it for ever. */
function letGo(event) {
  const seconds = new URL(event.request.url).searchParams.get("seconds"); // `labkit.base.browser`
  if (!seconds) return; // JupyterLite's own
  const respondWith = event.respondWith.bind(event);
  const late = new Promise((resolve) => setTimeout(resolve, seconds * 1000, Response.error()));
  event.respondWith = (answered) => respondWith(Promise.race([answered, late]));
}

async function answer(event) {
  const { request } = event;
  const [url] = request.url.split(/[?#]/); // a file is the same, whatever it is asked for with
  const digest = await digestOf(url);
  const kept = digest && (await copied(keyOf(url, digest)));
  if (kept) return kept;
  const older = () => copied(url, { ignoreSearch: true });
  try {
    const isPage = /\/lab\/(index\.html)?$/.test(url); // WebKit does not say "navigate"
    const [found] = await Promise.all([fetch(request, { cache: "no-cache" }), isPage && renew()]);
    if (await hasRoom) event.waitUntil(keep(url, digest, found.clone()).catch(console.warn));
    return (found.status === 404 && isLarge(url) && (await older())) || found; // an older page may still need it
  } catch (problem) {
    const found = await older();
    if (found) return found;
    throw problem;
  }
}

/** Gets the list from the network, as long as there is one. */
async function renew() {
  digests = Promise.resolve(await renewed().catch(() => digests));
}

async function renewed() {
  const found = await fetch(LIST, { cache: "no-cache" });
  const list = await found.clone().json();
  const isKept = (await hasRoom) && (await keep(LIST, undefined, found).then(() => true, console.warn));
  if (!isKept) await (await copies).delete(LIST); // an older one
  return list;
}

const isLarge = (url) => IS_LARGE.test(url.slice(SITE.href.length));
const digestOf = async (url) => isLarge(url) && (await digests.catch(() => ({})))[url.slice(SITE.href.length)];
const keyOf = (url, digest) => (digest ? `${url}?${digest}` : url);

/** Keeps a copy, unless the site has just got another file of that name, or lost it. */
async function keep(url, digest, found) {
  if (found.status !== 200 || (digest && !(await digested(found.clone())).startsWith(digest))) return;
  await (await copies).put(keyOf(url, digest), found);
}

async function digested(found) {
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", await found.arrayBuffer()));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Copies what the lab loads later, or not at each visit, and forgets what newer files have replaced. */
async function copyTheRest() {
  if (!(await hasRoom)) return;
  const all = await copies;
  const urls = Object.keys(await digests).map((name) => new URL(name, SITE).href);
  const keys = await Promise.all(urls.map(async (url) => keyOf(url, await digestOf(url))));
  const there = new Set((await all.keys()).map(({ url }) => url));
  const copy = async (url) => keep(url, await digestOf(url), await fetch(url, { cache: "no-cache" }));
  await Promise.allSettled(urls.filter((_, at) => !there.has(keys[at])).map(copy));
  const needed = new Set([LIST, ...keys]);
  await Promise.all([...there].filter((url) => url.includes("?") && !needed.has(url)).map((url) => all.delete(url)));
}

async function forgetOtherCopies() {
  const others = (await caches.keys()).filter((name) => name.startsWith(COPIES) && name !== NAME);
  await Promise.all(others.map((name) => caches.delete(name)));
}

