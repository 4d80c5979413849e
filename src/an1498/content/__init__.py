"""Content → Pack: rules, filters, correlations, parameters, targets and layouts, loaded and checked; lints; scenarios (`.scenarios`)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from an1498.content.findings import Finding, Severity
from an1498.content.pack import find_root, load_pack

__all__ = ["Finding", "Severity", "check", "find_root", "load_pack"]


def check(root: Path, overlays: Sequence[Path] = (), paths: Sequence[Path] = ()) -> tuple[Finding, ...]:
    """All findings of a content root; see `an1498.content.checking`, which is imported only here: `build` does without it."""
    from an1498.content.checking import check as run

    return run(root, overlays, paths)
