"""Replay of EQL as Elasticsearch executes it (event queries, sequences, samples)."""

from an1498.replay.eql.prepared import Prepared, prepare

__all__ = ["Prepared", "prepare"]
