"""Proof that the emitted searches mean what the Sigma rules say: reference, random streams, oracles, mutants, conformance."""
