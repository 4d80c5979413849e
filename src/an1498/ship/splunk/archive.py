"""The app as .tar.gz, byte for byte the same for the same content: order, times, owners and modes are fixed."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Mapping


def tar_gz(files: Mapping[str, bytes]) -> bytes:
    """`files` by path inside the archive; their directories are entries of their own, before what they hold."""
    directories = {path.rsplit("/", depth)[0] for path in files for depth in range(1, path.count("/") + 1)}
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path in sorted(directories | set(files)):
            entry = tarfile.TarInfo(path)
            if path in directories:
                entry.type, entry.mode = tarfile.DIRTYPE, 0o755
                archive.addfile(entry)
            else:
                entry.mode, entry.size = 0o644, len(files[path])
                archive.addfile(entry, io.BytesIO(files[path]))
    return gzip.compress(plain.getvalue(), compresslevel=9, mtime=0)
