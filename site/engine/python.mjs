// A Python of the site, with its packages: JupyterLite's, for a kernel (`pyodideUrl`), and the engine's.

import { loadPyodide as load } from "../static/pyodide/pyodide.mjs";

const FOLDER = new URL("../static/pyodide/", import.meta.url);
// JupyterLite changes to its drive next. The current folder is first in Pyodide's sys.path, so Python
// would look there for each module, by a request that blocks until the busy page answers.
const BEGIN = `
import sys
sys.path.append(sys.path.pop(0))
import piplite.piplite, pyodide_kernel
`;

export async function loadPyodide(options) {
  const python = await start(options);
  python.runPython(BEGIN, { globals: python.toPy({}) });
  return python;
}

/** Starts Python with all packages, or with one folder of them: Python itself would take a second to unpack all. */
export async function start(options, folder = "") {
  const [python, bytes] = await Promise.all([load({ ...options, packages: [], indexURL: FOLDER.href }), unpacked("packages.bin")]);
  const { FS } = python;
  let at = bytes.indexOf(10) + 1; // a line says how long each file is (`site/prepare.py`)
  let made;
  for (const [path, size] of JSON.parse(new TextDecoder().decode(bytes.subarray(0, at)))) {
    const content = bytes.subarray(at, (at += size));
    if (!path.includes(`/site-packages/${folder}`)) continue;
    const above = path.slice(0, path.lastIndexOf("/"));
    if (above !== made) FS.mkdirTree((made = above));
    FS.writeFile(path, content);
  }
  python.pyimport("importlib").invalidate_caches();
  return python;
}

async function unpacked(name) {
  const { body } = await fetch(new URL(name, FOLDER));
  return new Uint8Array(await new Response(body.pipeThrough(new DecompressionStream("gzip"))).arrayBuffer());
}
