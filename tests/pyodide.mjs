// Runs Python, read from standard input, in the Pyodide of a folder: node pyodide.mjs FOLDER/ PACKAGES
import { readFileSync } from "node:fs";
const [folder, packages] = process.argv.slice(2);
const { loadPyodide } = await import(`${folder}pyodide.mjs`);
const python = await loadPyodide({ indexURL: folder });
await python.loadPackage(packages.split(","), { messageCallback: () => {} });
await python.runPythonAsync(readFileSync(0, "utf8"));
process.exit(0); // whatever still runs
