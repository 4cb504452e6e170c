"""What the docker command line printed, without what differs from run to run."""

import re

from tests.conformance.engines import Ran

_AGE = re.compile(r"\b(less than a second|an? \w+|about an? \w+|\d+ \w+) ago", re.IGNORECASE)
_COUNTDOWN = re.compile(r"Waiting \d+ seconds to verify")
_PROGRESS = re.compile(r"(overall progress:.* )(\d+) out of (\d+) tasks")
_SHORT_ID = re.compile(r"\b[a-z0-9]{12}\b(?=[@ ]|$)")


def table(text: str) -> list[dict[str, str]]:
    """Return a table's rows, each cell by the title of its column; ids and ages are evened out.

    The titles say where the columns begin, so a row that does not keep to them is noticed.
    """
    head, *lines = text.splitlines()
    columns = [(match.start(), match[0].strip()) for match in re.finditer(r"\S+(?: \S+)*", head)]
    rows = []
    for line in lines:
        ends = [start for start, _ in columns[1:]] + [len(line)]
        assert ends[-1] >= columns[-1][0], (head, line)
        row = {
            title: line[start:end].rstrip()
            for (start, title), end in zip(columns, ends, strict=True)
        }
        assert all(line[end - 1] == " " for end in ends[:-1]), line
        rows.append({title: _evened(title, cell) for title, cell in row.items()})
    return rows


def _evened(title: str, cell: str) -> str:
    if title == "ID":
        return re.sub(r"[a-z0-9]+", "<id>", cell)
    if title in ("NODE", "HOSTNAME", "ENGINE VERSION"):
        return f"<{title.lower()}>" if cell else ""
    return ages(cell)


def ages(text: str) -> str:
    """Return a text in which every age is the same."""
    return _AGE.sub("<age> ago", text)


def progress(ran: Ran) -> list[str]:
    """Return what a command said of an update's progress to a script, line by line.

    It says everything again several times a second. How far the count got at each look,
    short of all, and how often the countdown was seen, is chance.
    """
    lines: list[str] = []
    for line in ran.out.splitlines():
        match = _PROGRESS.search(line)
        if match and match[2] != match[3]:
            line = _PROGRESS.sub(r"\1some out of \3 tasks", line)
        line = _COUNTDOWN.sub("Waiting <n> seconds to verify", line)
        if line not in lines[-1:]:
            lines.append(line)
    return lines


def logs(text: str) -> list[str]:
    """Return the lines of logs, sorted: those of several tasks come as they come."""
    return sorted(
        re.sub(r"@\S+", "@<node>", _SHORT_ID.sub("<id>", line)) for line in text.splitlines()
    )
