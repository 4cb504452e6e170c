// The engine of the site: a SharedWorker with a Python of its own, in which swarmsim runs.
//
// A kernel asks it by a request that blocks, which JupyterLite's service worker passes on over
// its BroadcastChannel, as it does those for files; this worker answers what is addressed to it.

import { start } from "./python.mjs";

const SITE = new URL("..", import.meta.url); // one engine a site, whatever else is on its origin
const channel = new BroadcastChannel("/sw-api.v1");
const BEGIN = `
from pathlib import Path
from swarmsim.doors import in_browser
in_browser.begin(Path("/engine"), SPEED).answer
`;

const answer = (async () => {
  const images = fetch(new URL("static/pyodide/images.zip", SITE));
  const python = await start({}, "swarmsim/"); // which needs nothing else
  python.unpackArchive(await (await images).arrayBuffer(), "zip", { extractDir: "/engine" }); // those of dockercoins, built (`prepare.py`)
  const speed = Number(new URL(import.meta.url).searchParams.get("speed")) || 1;
  return python.runPythonAsync(BEGIN.replace("SPEED", String(speed)));
})();

channel.addEventListener("message", async ({ data: { browsingContextId, requestId, data } }) => {
  if (data === undefined) return; // an answer
  if (browsingContextId === `new engine ${SITE.pathname}` && data !== self.name) self.close();
  if (browsingContextId !== `labkit ${SITE.pathname}`) return;
  const response = await answer.then((post) => post(data)).catch((problem) => JSON.stringify({ problem: String(problem) }));
  channel.postMessage({ browsingContextId, requestId, response });
});
