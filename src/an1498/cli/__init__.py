"""The command line. Commands are thin: one module each, `an1498.cli.<name>` with a click command of the same name, heavy imports
inside the function. `main` is the only place in the program that turns exceptions into exit codes (formats.md)."""

from an1498.cli.program import main

__all__ = ["main"]
