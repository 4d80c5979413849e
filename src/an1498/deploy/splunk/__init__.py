"""Splunk's management port: saved searches, macros and dashboards of the installed app."""

from an1498.deploy.splunk.siem import Splunk
from an1498.deploy.splunk.wanted import wanted_objects

__all__ = ["Splunk", "wanted_objects"]
