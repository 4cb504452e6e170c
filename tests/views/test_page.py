"""Claims about what a page is given: one module out of several, one style sheet."""

import re
from collections import Counter
from importlib.resources import files
from pathlib import Path

from labkit import views
from labkit.views.live import page

#: The name of a kind of element, and no address that anybody asks.
SVG = "http://www.w3.org/2000/svg"
ASSETS = files("labkit.views") / "assets"
#: A name that a module declares for all of its code.
DECLARED = re.compile(r"^(?:export )?(?:async )?(?:function|class|const|let) (\w+)", re.MULTILINE)
USED = re.compile(r"^import \{([^}]*)\} from \"[./\w]*/(\w+)\.js\";", re.MULTILINE)


SOURCES = page.sources()


def test_every_style_sheet_is_used():
    code = "".join(path.read_text() for path in Path(views.__file__).parent.rglob("*.py"))
    for each in (ASSETS / "css").iterdir():
        assert f'"{each.name.removesuffix(".css")}"' in code


def test_each_module_is_joined_after_those_that_it_uses():
    joined = page.module()
    first = {
        name: joined.index(DECLARED.search(text)[0].removeprefix("export "))
        for name, text in SOURCES.items()
        if name != "main"
    }
    for name in first:
        assert all(first[origin] < first[name] for _, origin in USED.findall(SOURCES[name])), name


def test_no_two_modules_declare_one_name():
    """Joined, they share one scope."""
    declared = Counter(name for text in SOURCES.values() for name in DECLARED.findall(text))
    assert [name for name, times in declared.items() if times > 1] == []


def test_modules_import_what_there_is():
    for name, text in SOURCES.items():
        for names, origin in USED.findall(text):
            offered = set(DECLARED.findall(SOURCES[origin]))
            assert {each.strip() for each in names.split(",") if each.strip()} <= offered, name


def test_the_module_exports_its_way_in_only():
    """A widget's module may import nothing by a relative address, and nothing from outside."""
    exports = re.findall(r"^export .*$", page.module(), re.MULTILINE)
    assert exports[-1].startswith("export default")
    assert all(line.startswith(("export function", "export default")) for line in exports)
    assert not re.search(r"^\s*import\b", page.module(), re.MULTILINE)
    assert set(re.findall(r"https?://[^\"'` ]+", page.module())) == {SVG}
