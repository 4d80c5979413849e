"""How much a proof run does: the CI budget, and the long one of `make prove`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Budget:
    """`streams_per_type` random streams per correlation type (each through every language that can say it), in batches of `batch`;
    `pack_streams` per target and setting; one mutant in `one_mutant_in`; `oracle_streams` per correlation
    shape and oracle; one ES|QL text in `grammar_one_in` is shown to Elastic's grammar, which takes seconds for each."""

    streams_per_type: int
    batch: int
    pack_streams: int
    one_mutant_in: int
    oracle_streams: int
    grammar_one_in: int
    longest: int = 14


QUICK = Budget(streams_per_type=500, batch=100, pack_streams=60, one_mutant_in=60, oracle_streams=60, grammar_one_in=24)
LONG = Budget(streams_per_type=15_000, batch=500, pack_streams=400, one_mutant_in=1, oracle_streams=600, grammar_one_in=1)
