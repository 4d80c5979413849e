"""Runs the pack's searches over archives of raw logs, streaming from disk through DuckDB with bounded memory."""
