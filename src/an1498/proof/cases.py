"""The correlations of every Sigma 2.1 type that random streams are run through: their stages, sensors and conditions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from an1498.model import CorrelationType
from an1498.proof.synthetic import MAC, ZEEK, Case, case

ConditionSpec = Mapping[str, Any] | str | None


@dataclass(frozen=True, slots=True)
class Shape:
    """A correlation without its window and skew."""

    type: CorrelationType
    sensors: tuple[str, ...]
    condition: ConditionSpec = None

    def case(self, window_s: int, skew_s: int) -> Case:
        """The case; with three stages and more few machines, or hardly any stream would complete a sequence."""
        drawn = case(self.type, self.sensors, window_s=window_s, skew_s=skew_s, condition=self.condition)
        if len(self.sensors) < 3:
            return drawn
        few = [*drawn.population.groups[:2], drawn.population.groups[-1]]
        return replace(drawn, population=replace(drawn.population, groups=few))

    @property
    def crosses_sensors(self) -> bool:
        return len(set(self.sensors)) > 1

    def __str__(self) -> str:
        condition = "" if self.condition is None else f" {self.condition}"
        return f"{self.type} on {', '.join(self.sensors)}{condition}"


_NUMBERS: Sequence[Mapping[str, Any]] = ({"gte": 444}, {"gt": 10}, {"lt": 500}, {"gte": 400, "lt": 9000})


def _numeric(kind: CorrelationType, **extra: Any) -> tuple[Shape, ...]:
    return tuple(Shape(kind, (sensor,), {**bounds, **extra, "field": "number"}) for sensor in (MAC, ZEEK) for bounds in _NUMBERS)


SHAPES: Mapping[CorrelationType, tuple[Shape, ...]] = {
    CorrelationType.TEMPORAL_ORDERED: tuple(
        Shape(CorrelationType.TEMPORAL_ORDERED, sensors)
        for sensors in ((MAC, ZEEK), (ZEEK, MAC), (MAC, MAC), (MAC, MAC, ZEEK), (MAC, ZEEK, MAC), (MAC, MAC, MAC), (MAC, ZEEK, ZEEK, MAC))
    ),
    CorrelationType.TEMPORAL: tuple(
        Shape(CorrelationType.TEMPORAL, sensors, condition)
        for sensors, condition in (
            ((MAC, ZEEK), None),
            ((MAC, MAC), None),
            ((MAC, MAC, ZEEK), None),
            ((MAC, ZEEK), "alpha and not bravo"),
            ((MAC, MAC, ZEEK), "alpha and (bravo or charlie)"),
            ((MAC, ZEEK, MAC), "(alpha or bravo) and not charlie"),
        )
    ),
    CorrelationType.EVENT_COUNT: tuple(
        Shape(CorrelationType.EVENT_COUNT, sensors, condition)
        for sensors in ((MAC,), (ZEEK,), (MAC, ZEEK))
        for condition in ({"gte": 3}, {"gte": 1}, {"gt": 2}, {"lt": 3}, {"lte": 2}, {"eq": 2}, {"gte": 2, "lt": 4})
    ),
    CorrelationType.VALUE_COUNT: tuple(
        Shape(CorrelationType.VALUE_COUNT, (sensor,), {**bounds, "field": field})
        for sensor in (MAC, ZEEK)
        for bounds in ({"gte": 2}, {"gt": 2}, {"eq": 2}, {"lt": 2}, {"gte": 2, "lte": 3})
        for field in ("text", "number", ["text", "second"])
    ),
    CorrelationType.VALUE_SUM: _numeric(CorrelationType.VALUE_SUM),
    CorrelationType.VALUE_AVG: _numeric(CorrelationType.VALUE_AVG),
    CorrelationType.VALUE_MEDIAN: _numeric(CorrelationType.VALUE_MEDIAN),
    CorrelationType.VALUE_PERCENTILE: (
        *_numeric(CorrelationType.VALUE_PERCENTILE, percentile=90),
        *_numeric(CorrelationType.VALUE_PERCENTILE, percentile=50),
    ),
}
WINDOWS_S = (60, 300, 600)
SKEWS_S = (0, 0, 2)
