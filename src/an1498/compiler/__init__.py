"""Pack × target → searches: per-event conditions by the official pySigma backends, correlations by our emitters.

`compile_pack` compiles everything and collects what a language could not say; `compile_search` compiles one rule in one language
and raises `an1498.errors.Unsupported`. The modules: `resolve` (parameters, filters) → `conditions` (one tree per rule and layout) →
`*_conditions` (its text per language) → `correlation` (stages, keys, offsets) → `spl`, `eql`, `esql`, `lucene` (emitters) → `search`.
"""

from an1498.compiler.search import Compilation, compile_pack, compile_search

__all__ = ["Compilation", "compile_pack", "compile_search"]
