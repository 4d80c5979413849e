"""
pySigma cannot read a pipeline.

**Why.** The same file serves `sigma convert -p`, the compiler and replay.

**Bad**

    transformations:
      - {type: field_name_maping, mapping: *ssl}

**Good**

    transformations:
      - {type: field_name_mapping, mapping: *ssl}
"""

from __future__ import annotations

import copy
from collections.abc import Iterator

from an1498.content.findings import Severity
from an1498.content.lints._lint import Lint, Problem
from an1498.content.subject import Subject


def find(subject: Subject) -> Iterator[Problem]:
    from sigma.exceptions import SigmaError
    from sigma.processing.pipeline import ProcessingPipeline

    for name, document in subject.pipelines.items():
        try:
            ProcessingPipeline.from_dict(copy.deepcopy(document.value))
        except (SigmaError, KeyError, TypeError, ValueError, AttributeError) as error:
            # pySigma hands some mistakes on as Python's own errors.
            said = " ".join(str(error).split()) or type(error).__name__
            yield Problem(document.location(("transformations",)), f"pySigma says of pipeline '{name}': {said}", "correct the pipeline")


LINT = Lint("AN125", "sigma-pipeline", Severity.ERROR, __doc__ or "", find)
