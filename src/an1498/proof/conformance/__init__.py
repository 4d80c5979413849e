"""The conformance suite: correlation cases as data, and who passes them.

`cases` loads them, `reference` says what they mean, `ours`, `official` and `sqlite` ask backends, `judge` compares under one written
rule (conformance/README.md), `suite` runs everything and `page` prints it.
"""

from an1498.proof.conformance.cases import ConformanceCase, load_cases
from an1498.proof.conformance.reference import reference_firings

__all__ = ["ConformanceCase", "load_cases", "reference_firings"]
