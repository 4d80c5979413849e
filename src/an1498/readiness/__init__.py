"""The analyst's questions of AN1498 answered from the logs themselves: what is there, what is missing, what to switch on.

`assess` reads an archive; `queries` writes searches that ask a live Splunk or Elastic the same.
"""

from __future__ import annotations

from an1498.readiness.assess import assess
from an1498.readiness.levels import LEVELS, level_named
from an1498.readiness.queries import Query, queries
from an1498.readiness.report import Assessment, Question, RuleState

__all__ = ["LEVELS", "Assessment", "Query", "Question", "RuleState", "assess", "level_named", "queries"]
