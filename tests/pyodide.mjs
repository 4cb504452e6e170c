// Runs Python in the Pyodide of a folder: node pyodide.mjs FOLDER/ PACKAGES
//
// Each line of standard input is one source, in JSON; what it prints ends with a line "\x04".
import { createInterface } from "node:readline";
const [folder, packages] = process.argv.slice(2);
const { loadPyodide } = await import(`${folder}pyodide.mjs`);
const python = await loadPyodide({ indexURL: folder });
await python.loadPackage(packages.split(","), { messageCallback: () => {} });
const sources = createInterface({ input: process.stdin });
sources.on("close", () => process.exit(0)); // whatever still runs
for await (const line of sources) {
  await python.runPythonAsync(JSON.parse(line), { globals: python.globals.get("dict")() });
  console.log("\x04");
}
