"""Placeholder of the package order; see docs/development.md."""
