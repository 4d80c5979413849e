"""Compiled searches → files that a SIEM or replay takes."""

from an1498.ship.build import Build, build_files, read_build, write_build
from an1498.ship.macros_conf import macros_conf, read_macros_conf

__all__ = ["Build", "build_files", "macros_conf", "read_build", "read_macros_conf", "write_build"]
