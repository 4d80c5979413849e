"""What the options before a command say, as every command gets it (`@click.pass_obj`)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from an1498.model import Pack


@dataclass(frozen=True, slots=True)
class Settings:
    """`root` is None where the user did not choose the content; `overlays` are merged over an1498.toml in this order."""

    root: Path | None
    overlays: tuple[Path, ...]
    debug: bool

    def find_root(self) -> Path:
        """The content's directory. Raises UsageError or ContentError."""
        from an1498.content import find_root

        return find_root(self.root)

    def load_pack(self) -> Pack:
        """The content, validated. Raises ContentError."""
        from an1498.content import load_pack

        return load_pack(self.find_root(), self.overlays)

    def load_direct_pack(self) -> Pack:
        """The pack for commands that have raw events only: a staged target is read as the direct one that raises the same alerts."""
        from an1498.content.staging import direct

        return direct(self.load_pack())
