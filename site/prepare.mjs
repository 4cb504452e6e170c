// Runs `prepare.py` in a site's own Pyodide: `node prepare.mjs SITE`.

import { readFileSync } from "node:fs";

const [site] = process.argv.slice(2);
const { loadPyodide } = await import(`${site}/static/pyodide/pyodide.mjs`);
const python = await loadPyodide({ env: { LABKIT_HOME: "/lab" } });
python.mountNodeFS("/site", site);
await python.runPythonAsync(readFileSync(new URL("prepare.py", import.meta.url), "utf8"));
process.exit(0); // whatever still runs
