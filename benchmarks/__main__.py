"""`make bench`: labkit beside `watch` and `docker`, in one run on the real engine; its model.

Most figures are pairs measured side by side, and printed with their ratio: absolute times
differ from machine to machine and from hour to hour.
"""

import argparse
import sys

from benchmarks import (
    deploying,
    exploring,
    growing,
    hosting,
    modelling,
    starting,
    viewing,
    visiting,
    watching,
)


def main() -> int:
    """Run the benchmarks that are named, or all."""
    known = {
        "watching": watching.run,
        "deploying": deploying.run,
        "starting": starting.run,
        "viewing": viewing.run,
        "modelling": modelling.run,
        "exploring": exploring.run,
        "growing": growing.run,
        "hosting": hosting.run,
        "visiting": visiting.run,
    }
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("which", nargs="*", help=f"some of {', '.join(known)}; all by default")
    for name in parser.parse_args().which or known:
        if name not in known:
            parser.error(f"there is no benchmark {name!r}; there are {', '.join(known)}")
        known[name]()
    return 0


if __name__ == "__main__":
    sys.exit(main())
