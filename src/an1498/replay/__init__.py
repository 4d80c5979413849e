"""Executes the emitted text of searches over events: an embedded evaluator for the subset of SPL, EQL, ES|QL and Lucene that the
compiler emits and a little more. What is outside the subset is refused, never answered wrongly."""

from an1498.replay.text import EqlFields, read_ndjson, replay_text

__all__ = ["EqlFields", "read_ndjson", "replay_text"]
