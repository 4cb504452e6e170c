// Compiles Python's own library for the Python that is here: `node compile.mjs FOLDER`.
//
// Pyodide has its source, which would be compiled anew each time that a kernel or the engine starts.

const folder = process.argv[2];
const { loadPyodide } = await import(`${folder}/pyodide.mjs`);
const python = await loadPyodide();
python.mountNodeFS("/here", folder);
python.runPython(`
import zipfile
from importlib._bootstrap_external import _code_to_hash_pyc
from importlib.util import source_hash

def compiled(name, source):
    code = compile(source, f"/lib/python_stdlib.zip/{name}", "exec", dont_inherit=True)
    return _code_to_hash_pyc(code, source_hash(source), checked=False)

library = "/here/python_stdlib.zip"
with zipfile.ZipFile(library) as packed:
    files = {each: packed.read(each) for each in packed.namelist()}
with zipfile.ZipFile(library, "w", zipfile.ZIP_DEFLATED) as packed:
    for name, content in files.items():
        if name.endswith(".py"):
            name, content = f"{name}c", compiled(name, content)
        packed.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
`);
process.exit(0);
