"""Claims about what a page is given: one module out of several, one style sheet."""

from __future__ import annotations

import re
from collections import Counter
from importlib.resources import files

from labkit.views.live import page

#: The name of a kind of element, and no address that anybody asks.
SVG = "http://www.w3.org/2000/svg"
ASSETS = files("labkit.views") / "assets"
#: A name that a module declares for all of its code.
DECLARED = re.compile(r"^(?:export )?(?:async )?(?:function|class|const|let) (\w+)", re.MULTILINE)
USED = re.compile(r"^import \{([^}]*)\} from \"\./(\w+)\.js\";", re.MULTILINE)


def source(name: str) -> str:
    return (ASSETS / "js" / f"{name}.js").read_text()


def test_every_module_and_style_sheet_is_joined():
    scripts = {each.name.removesuffix(".js") for each in (ASSETS / "js").iterdir()}
    styles = {each.name.removesuffix(".css") for each in (ASSETS / "css").iterdir()}

    assert scripts == set(page.MODULES)
    assert styles == {*page.STYLES, *page.SHEETS}


def test_no_two_modules_declare_one_name():
    """Joined, they share one scope."""
    declared = Counter(name for module in page.MODULES for name in DECLARED.findall(source(module)))

    assert [name for name, times in declared.items() if times > 1] == []


def test_modules_import_what_there_is_from_those_before_them():
    """So that their order is one in which everything is there when it is used."""
    for place, module in enumerate(page.MODULES):
        for names, origin in USED.findall(source(module)):
            assert origin in page.MODULES[:place], f"{module} uses {origin}"
            offered = set(DECLARED.findall(source(origin)))
            assert {name.strip() for name in names.split(",") if name.strip()} <= offered


def test_the_module_exports_its_way_in_only():
    """A widget's module may import nothing by a relative address, and nothing from outside."""
    exports = re.findall(r"^export .*$", page.module(), re.MULTILINE)

    assert exports[-1].startswith("export default")
    assert all(line.startswith(("export function", "export default")) for line in exports)
    assert not re.search(r"^\s*import\b", page.module(), re.MULTILINE)
    assert set(re.findall(r"https?://[^\"'` ]+", page.module())) == {SVG}
