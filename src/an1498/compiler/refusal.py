"""What a language cannot say, raised deep inside a conversion and given its rule, place and target further out."""

from __future__ import annotations

from an1498.errors import Location


class Refusal(Exception):
    """A construct that a language has no exact form for. `field` is the indexed field concerned, if any;
    `location` the place to mend where it is not in the rule."""

    def __init__(self, construct: str, remedy: str, field: str = "", location: Location | None = None) -> None:
        super().__init__(construct)
        self.construct = construct
        self.remedy = remedy
        self.field = field
        self.location = location
