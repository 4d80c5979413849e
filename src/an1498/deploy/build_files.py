"""The files of a build, checked against its manifest: what is deployed is what was built, byte for byte."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from an1498.errors import UsageError
from an1498.ship.build import MANIFEST


def read_files(directory: Path, target: str) -> Mapping[str, bytes]:
    """Every file that `an1498 build` wrote for a target, by its path below the target's directory. Raises UsageError where the build is
    missing, of another target, or was edited since."""
    again = f"run: an1498 build --target {target} --out {directory}"
    manifest = directory / target / MANIFEST
    try:
        data = json.loads(manifest.read_bytes())
        hashes = {str(path): str(value) for path, value in data["files"].items()}
        if data["target"] != target:
            raise UsageError(f"{manifest}: is the build of target '{data['target']}'; {again}")
    except OSError as error:
        raise UsageError(f"{manifest}: cannot read the build: {error.strerror}; {again}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{manifest}: is not as an1498 writes it; {again}") from error
    files = {}
    for path, wanted in hashes.items():
        file = directory / target / path
        try:
            content = file.read_bytes()
        except OSError as error:
            raise UsageError(f"{file}: cannot read the build: {error.strerror}; {again}") from error
        if hashlib.sha256(content).hexdigest() != wanted:
            raise UsageError(f"{file}: was changed after the build; {again}")
        files[path] = content
    return files
