"""What goes wrong between us and a SIEM: nothing is lost, nothing is half-applied, nothing secret is said."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
from tests.deploy.conftest import INDEX, Bench, Files, items_of, ndjson
from tests.deploy.kills import killed_at_every_request
from tests.deploy.published import Request
from tests.deploy.siem import Reply, reply, writes
from tests.deploy.test_elastic import BURST, edited, model, without

from an1498.deploy.connection import connection
from an1498.deploy.http import Unreachable
from an1498.errors import ExternalError

IMPORT = "/s/soc/api/detection_engine/rules/_import"


def once(path: str, answer: Reply | Exception, times: int = 1) -> Callable[[Request], Reply | None]:
    """A fault that the first requests to a path meet."""
    left = [times]

    def fault(request: Request) -> Reply | None:
        if request.path.startswith(path) and left[0]:
            left[0] -= 1
            if isinstance(answer, Exception):
                raise answer
            return answer
        return None

    return fault


HTML: Reply = (200, {"content-type": "text/html"}, b"<html>Log in</html>")
BROKEN: Reply = (200, {"content-type": "application/json"}, b'{"success": tr')


@pytest.mark.parametrize(
    ("path", "answer", "message"),
    [
        ("/s/soc", reply(401, {"message": "no"}), "401: the credentials are not accepted; no"),
        ("/s/soc", reply(403, {"message": "no"}), "403: the credentials lack a privilege"),
        (
            "/_component",
            reply(403, {"error": {"reason": "no [manage]"}}),
            r"lack a privilege \(docs/deploy.md lists those needed\); no \[manage\]",
        ),
        ("/s/soc/api/detection_engine/rules/_find", reply(404, {"message": "no space"}), "404: no space"),
        ("/s/soc", (302, {"location": "/login"}, b""), "the URL redirects"),
        ("/s/soc", HTML, "a web page, not with JSON"),
        ("/s/soc", BROKEN, "what is no JSON"),
        ("/s/soc", reply(200, [1]), "answers otherwise than its API is described"),
        ("/s/soc/api/saved_objects/_export", reply(400, {"message": "bad"}), "answers 400: bad"),
    ],
)
def test_a_plan_fails_in_one_line(elastic: Bench, path: str, answer: Reply, message: str) -> None:
    elastic.model.fault = once(path, answer, 99)
    with pytest.raises(ExternalError, match=message) as caught:
        elastic.plan()
    assert caught.value.exit_code == 3 and "\n" not in str(caught.value)


def test_reading_is_repeated(elastic: Bench) -> None:
    answers: list[Reply | Exception]
    late = reply(503, {"message": "later"}, **{"retry-after": "7"})
    date = reply(429, {}, **{"retry-after": "Fri, 15 Jan 2027 08:00:30 GMT"})
    answers = [late, date, reply(429, {}), httpx.ReadTimeout("slow")]
    for answer in answers:
        elastic.model.fault = once("/s/soc/api/exception_lists", answer)
        assert len(elastic.plan().changes) == 12
    assert elastic.waits == [7, 30 - 7, 1, 1]
    elastic.model.fault = once("/_ingest", httpx.ConnectError("refused"), 99)
    with pytest.raises(Unreachable, match="Elasticsearch: cannot connect: refused"):
        elastic.plan()
    elastic.model.fault = once("/_ingest", reply(503, {}), 99)
    with pytest.raises(Unreachable, match="answers 503"):
        elastic.plan()


@pytest.mark.parametrize("after", [False, True], ids=["before it is done", "after it is done"])
@pytest.mark.parametrize(
    "path", ["/_component", "/_ingest", "/an1498-assets", "/s/soc/api/exception_lists", IMPORT, "/s/soc/api/saved_objects/_import"]
)
@pytest.mark.parametrize(
    "answer",
    [
        reply(500, {"message": "half"}),
        reply(503, {"message": "busy"}, **{"retry-after": "3"}),
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("reset"),
        BROKEN,
        HTML,
        reply(429, {}, **{"retry-after": "2"}),
    ],
    ids=["500", "503", "time-out", "reset", "broken", "html", "429"],
)
def test_a_write_whose_outcome_is_not_known_is_read_back(elastic: Bench, answer: Reply | Exception, path: str, after: bool) -> None:
    if after and isinstance(answer, tuple) and answer[0] == 429:
        answer = reply(504, {})  # 429 says that nothing was done; a gateway cannot know
    fault = once(path, answer)

    def only_writes(request: Request) -> Reply | None:
        return fault(request) if writes(request) else None

    if after:
        elastic.model.after = only_writes
    else:
        elastic.model.fault = only_writes
    result = elastic.apply()
    assert result.refused == {} and elastic.statuses() == {} and elastic.waits
    sent = [request for request in elastic.model.log if request.path.startswith(path) and writes(request)]
    if after and isinstance(answer, Exception):
        assert len({request.body for request in sent}) == len(sent), "nothing that was done is sent again"
    assert elastic.model.violations == []


def test_500_in_the_middle_of_a_batch(elastic: Bench) -> None:
    """Kibana imported one rule of three, then fell over: the others follow, the one is not imported again."""
    fake = model(elastic)
    first = [True]

    def half(request: Request) -> Reply | None:
        if request.path == IMPORT and first[0]:
            first[0] = False
            kept = sorted(fake.rules)[0]
            for name in sorted(fake.rules)[1:]:
                del fake.rules[name]
            assert kept == BURST
            return reply(500, {"message": "out of memory"})
        return None

    fake.after = half
    assert elastic.apply().refused == {}
    assert len(fake.rules) == 3 and fake.rules[BURST]["revision"] == 0


def test_errors_inside_a_200_are_reported_per_rule_and_not_recorded(elastic: Bench) -> None:
    fake = model(elastic)
    fake.refuse_rules = {BURST: "EQL \x1b[2J is not\nallowed here c2VjcmV0OmtleQ=="}
    result = elastic.apply()
    assert {str(key): text for key, text in result.refused.items()} == {f"rule/{BURST}": "EQL [2J is not allowed here <redacted>"}
    assert f"rule/{BURST}" not in elastic.lock()["objects"] and len(elastic.lock()["objects"]) == 11
    assert elastic.lock()["history"][-1]["complete"] is False
    fake.refuse_rules = {}
    assert elastic.statuses() == {f"rule/{BURST}": "create"}
    assert elastic.apply().written == 1


def test_success_that_shows_no_change_is_no_success(elastic: Bench) -> None:
    elastic.model.fault = once(IMPORT, reply(200, {"success": True, "errors": []}), 99)
    refused = elastic.apply().refused
    assert len(refused) == 3 and set(refused.values()) == {"the SIEM says that it is done, but shows no change"}


def test_a_missing_exception_list_keeps_the_rule_back(elastic: Bench, small_elastic: Files) -> None:
    """Kibana would import the rule without its list."""
    elastic.build({**small_elastic, "bundle/exceptions.ndjson": b""})
    refused = elastic.apply().refused
    assert len(refused) == 3 and all("is not there" in problem for problem in refused.values())
    assert model(elastic).rules == {}


def test_batches(elastic: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("an1498.deploy.elastic.siem.BATCH", 2)
    elastic.apply()
    counts = [len(request.upload().splitlines()) for request in elastic.model.log if request.path == IMPORT]
    assert counts == [2, 1] and elastic.model.violations == []


def test_nothing_secret_is_said_or_written(new_elastic: Callable[[str], Bench]) -> None:
    """Echoed by the SIEM, in an exception's text, in the lock file."""
    for number, environment in enumerate(
        [{"AN1498_ELASTIC_API_KEY": "c2VjcmV0OmtleQ=="}, {"AN1498_ELASTIC_USER": "me", "AN1498_ELASTIC_PASSWORD": "hunter2hunter2"}]
    ):
        bench = new_elastic(str(number))
        bench.environment = environment
        secrets = ["c2VjcmV0OmtleQ==", "hunter2hunter2", "bWU6aHVudGVyMmh1bnRlcjI="]
        access = connection(bench.target, environment)
        assert not any(secret in repr(access) for secret in secrets)
        authorization = bench.model.authorization = access.authorization
        said = []
        faults: list[Reply | Exception] = [
            reply(401, {"message": f"bad {authorization}"}),
            reply(403, {"error": {"reason": f"{secrets[number]} {authorization}"}}),
            httpx.ConnectError(f"proxy {authorization}"),
            (200, {"content-type": "application/json"}, authorization.encode()),
        ]
        for fault in faults:
            bench.model.fault = once("/", fault, 99)
            with pytest.raises(ExternalError) as caught:
                bench.plan()
            said.append(str(caught.value))
        bench.model.fault = None
        bench.apply()
        said += [file.read_text(encoding="utf-8") for file in bench.directory.rglob("*") if file.is_file()]
        assert not any(secret in text for secret in secrets for text in said)
        assert sum("<redacted>" in text for text in said) >= 3


@pytest.fixture
def tiny_elastic(new_elastic: Callable[[str], Bench], small_elastic: Files) -> Callable[[str], Bench]:
    """One object of most kinds: more add requests, and time, but no other order."""

    def new(name: str) -> Bench:
        bench = new_elastic(name)
        bench.build(tiny(small_elastic))
        return bench

    return new


def tiny(files: Files) -> Files:
    dashboard = files["bundle/dashboard.ndjson"].decode().split("\n")[0].encode()
    lists = [item for item in items_of(files["bundle/exceptions.ndjson"]) if "trust_failure" not in item["list_id"]]
    gone = next(rule["rule_id"] for rule in items_of(files["bundle/rules.ndjson"]) if "trust_failure" in str(rule["exceptions_list"]))
    kept = without(files, gone)
    return {**kept, "bundle/dashboard.ndjson": dashboard, "bundle/exceptions.ndjson": ndjson(lists)}


def test_killed_at_any_request_of_the_first_apply(tiny_elastic: Callable[[str], Bench]) -> None:
    assert killed_at_every_request(tiny_elastic, lambda _: None) > 25


def test_killed_at_any_request_of_an_update_with_deletions(tiny_elastic: Callable[[str], Bench], small_elastic: Files) -> None:
    def prepare(bench: Bench) -> None:
        bench.apply()
        model(bench).rules[BURST]["enabled"] = True
        kept = tiny(small_elastic)
        gone = next(rule["rule_id"] for rule in items_of(kept["bundle/rules.ndjson"]) if rule["rule_id"] != BURST)
        files = edited(without(kept, gone), BURST, name="New")
        name = "bundle/ingest_pipelines/logs-zeek.ssl@custom.json"
        wider = small_elastic[INDEX].replace(b'"an1498_asset_mac": {', b'"an1498_asset_site": {"type": "keyword"}, "an1498_asset_mac": {')
        assert wider != small_elastic[INDEX]
        bench.build({**files, name: small_elastic[name].replace(b"AN1498:", b"New:"), INDEX: wider})

    assert killed_at_every_request(tiny_elastic, prepare) > 8


def test_a_refusal_is_one_line_without_credentials(elastic: Bench) -> None:
    refused = reply(400, {"error": {"reason": "no\x1b[2J\nway c2VjcmV0OmtleQ=="}})
    elastic.model.fault = lambda request: refused if request.method == "PUT" and "_ingest" in request.path else None
    assert list(elastic.apply().refused.values()) == ["no [2J way <redacted>"]
