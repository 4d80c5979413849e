"""Content → Pack: rules, filters, correlations, parameters, targets and layouts, loaded and checked; lints; scenarios."""

from an1498.content.pack import find_root, load_pack

__all__ = ["find_root", "load_pack"]
