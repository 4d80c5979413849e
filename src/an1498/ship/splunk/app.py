"""The app's files, all derived from the pack and its searches."""

from __future__ import annotations

from collections.abc import Sequence

from an1498.compiler.conditions import Context
from an1498.compiler.correlation import Plan
from an1498.compiler.staged import plan
from an1498.errors import ContentError
from an1498.model import Language, Pack, Search, Target
from an1498.ship.splunk import identity
from an1498.ship.splunk.archive import tar_gz
from an1498.ship.splunk.conf import Stanza, Unwritable, conf
from an1498.ship.splunk.dashboard import VIEW, navigation, overview
from an1498.ship.splunk.lookups import collections_example, lookup_files, transforms
from an1498.ship.splunk.macros import macro_stanzas
from an1498.ship.splunk.names import APP, macro, ordered, sources
from an1498.ship.splunk.props import props
from an1498.ship.splunk.saved_searches import correlation_stanza, event_stanza

_COMMENT = "Written by an1498 build. Do not edit: put your settings into local/, which updates leave alone."


def app_files(pack: Pack, target_name: str, searches: Sequence[Search]) -> dict[str, bytes]:
    """The app by path inside the target's directory: `an1498/…`, and the same packed as `an1498-<version>.tar.gz`. `searches` are all
    of that target. Raises ContentError where a text of a rule, parameter or layout cannot be said in a Splunk app."""
    target = pack.targets[target_name]
    own = ordered(tuple(search for search in searches if search.language is Language.SPL))
    try:
        files = {f"{APP}/{path}": content for path, content in _files(pack, target, own).items()}
    except Unwritable as error:
        raise ContentError(target.location, f"target '{target.name}' cannot become a Splunk app: {error.problem}", error.remedy) from None
    return {**files, f"{APP}-{identity.version(pack)}.tar.gz": tar_gz(files)}


def _files(pack: Pack, target: Target, searches: Sequence[Search]) -> dict[str, bytes]:
    legal = identity.legal_files(pack)
    layout = target.macros
    plans = _plans(pack, target, searches)
    correlations = [search for search in searches if search.kind == "correlation"]
    events = {macro(rule, "events"): text for search in correlations for rule, text in search.stages}
    groups = dict.fromkeys(name for search in correlations for name in search.group_by)
    return {
        "default/app.conf": _conf(identity.app_conf(pack)),
        "default/savedsearches.conf": _conf(_saved_searches(pack, target, searches, plans)),
        "default/macros.conf": _conf(macro_stanzas(layout, searches, events)),
        "default/transforms.conf": _conf(transforms()),
        "default/props.conf": _conf(props(sources(target))),
        "default/data/ui/nav/default.xml": navigation(),
        f"default/data/ui/views/{VIEW}.xml": overview(sources(target), groups),
        **lookup_files(pack),
        "metadata/default.meta": identity.default_meta(),
        "README/collections.conf.example": collections_example(),
        "README.md": identity.readme(pack, target, layout, len(correlations), len(searches) - len(correlations)),
        "app.manifest": identity.manifest(pack, legal),
        **legal,
    }


def _conf(stanzas: Sequence[Stanza]) -> bytes:
    return conf(stanzas, comment=_COMMENT)


def _plans(pack: Pack, target: Target, searches: Sequence[Search]) -> dict[str, Plan]:
    context = Context(pack, target)
    return {search.rule: plan(context, pack.correlations[search.rule]) for search in searches if search.kind == "correlation"}


def _saved_searches(pack: Pack, target: Target, searches: Sequence[Search], plans: dict[str, Plan]) -> list[Stanza]:
    stanzas: dict[str, Stanza] = {}
    for search in searches:
        if search.rule in plans:
            stanza = correlation_stanza(search, plans[search.rule], target)
        else:
            stanza = event_stanza(search, pack.rules[search.rule], target)
        if stanza.name.lower() in stanzas:
            place = (pack.rules.get(search.rule) or pack.correlations[search.rule]).location
            raise ContentError(
                place,
                f"rule '{search.rule}' cannot go into the Splunk app: another rule's saved search has the name '{stanza.name}'",
                "give the rules names that differ in more than case, '_' and the prefix an1498_",
            )
        stanzas[stanza.name.lower()] = stanza
    return list(stanzas.values())
