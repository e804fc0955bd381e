"""`python -m engine.cli` is `dougong`."""

from engine.cli import main

main()
