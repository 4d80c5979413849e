"""The compilation that `build` and `test` share, with its notes and its one way to fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from an1498.cli.console import console

if TYPE_CHECKING:
    from an1498.compiler import Compilation
    from an1498.model import Pack


def compiled(pack: Pack, targets: tuple[str, ...], *, notes: bool) -> Compilation:
    """The pack's searches for the targets. What one language cannot say but another can is a note; a rule that no language of a
    target can say is raised as Unsupported."""
    from an1498.compiler import compile_pack

    compilation = compile_pack(pack, targets)
    said = {(search.target, search.rule) for search in compilation.searches}
    unsaid = [refusal for refusal in compilation.refused if (refusal.target, refusal.rule) not in said]
    for refusal in unsaid[1:]:
        console.message(f"an1498: {refusal}")
    if unsaid:
        console.message("nothing is written: say these rules otherwise, or list them in an1498.toml [targets.<name>.skip] with a reason")
        raise unsaid[0]
    for refusal in compilation.refused if notes else ():
        console.message(f"note: {refusal}")
    return compilation
