"""`python -m labkit`, which is `labkit`."""

from labkit.cli import main

main()
