"""The command line: `labkit …` and `python -m labkit …`.

Exit status: 0 done, 1 what was asked failed, 2 wrong usage.
"""

from __future__ import annotations

import click


@click.group()
@click.version_option(package_name="labkit")
def main() -> None:
    """Watch Docker Swarm update a service, on a real engine."""
