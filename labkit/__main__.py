"""`labkit …` and `python -m labkit …`."""

import atexit
import gc

#: Python looks for garbage at each 700th object that is made, which finds none while modules are
#: imported, and three times when it ends: that was a fifth of a command's processor time.
_OBJECTS = 50_000


def main() -> None:
    """Run the command that this process was started for."""
    gc.set_threshold(_OBJECTS)
    atexit.register(gc.freeze)
    from labkit.cli import main as command

    command()


if __name__ == "__main__":
    main()
