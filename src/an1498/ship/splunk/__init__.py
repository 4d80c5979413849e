"""Searches of a Splunk target → the Splunk app `an1498` (Splunk, "Create Splunk apps"; AppInspect checks it in `make test`)."""

from an1498.ship.splunk.app import app_files

__all__ = ["app_files"]
