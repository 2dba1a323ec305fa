"""How much work a trace is, whatever a caller sends: counted in calls of functions, not in time."""

import sys
from collections.abc import Callable
from typing import Any

import pytest

from apim_emulator.testing import PolicyBench
from apim_emulator.tracing.known import Budget, Known
from apim_emulator.tracing.mask import HIDDEN, NOT_TRACED, Mask

BASE = "<policies><inbound><base/>{}</inbound><backend><base/></backend><outbound><base/></outbound></policies>"
READS_ALL = BASE.format(
    "<set-variable name='a' value='@(context.Request.Url.QueryString)'/>"
    "<set-variable name='b' value='@(context.Request.Headers.GetValueOrDefault(\"X-Long\", \"\"))'/>"
)
SECRET = "s3cr3t-of-a-caller"


def functions_called(run: Callable[[], Any]) -> int:
    """Count the functions that a run calls, those in C as well."""
    called = 0

    def count(_frame: Any, event: str, function: Any) -> None:
        nonlocal called
        # What measures the tests makes calls of its own, in C.
        marks = event == "c_call" and str(getattr(function, "__module__", "")).startswith("slipcover")
        called += event in {"call", "c_call"} and not marks

    sys.setprofile(count)
    try:
        run()
    finally:
        sys.setprofile(None)
    return called


def words(count: int) -> str:
    return " ".join(f"word{number:05}" for number in range(count))


HOSTILE: dict[str, Callable[[int], dict[str, Any]]] = {
    "names of secrets in the query": lambda size: {"url": "/nope?" + "&".join(["sig"] * size)},
    "secrets in the query": lambda size: {"url": "/?" + "&".join(f"sig=v{number:05}" for number in range(size))},
    "pieces of the query": lambda size: {"url": "/?" + "&".join(f"p{number:05}" for number in range(size))},
    "words of a credential": lambda size: {"url": "/", "headers": {"Authorization": words(size)}},
    "words and pieces": lambda size: {
        "url": "/?" + "&".join(f"q{number:05}" for number in range(size)),
        "headers": {"api-key": words(size), "X-Long": words(size)},
    },
    "secrets that begin alike": lambda size: {
        "url": "/",
        "headers": {
            "api-key": " ".join("aaaa" * (5 + number % 50) for number in range(size)),
            "X-Long": "a" * size * 8,
        },
    },
    "members of a body": lambda size: {
        "url": "/", "method": "POST", "json": {f"api_key{number}": f"{SECRET}{number}" for number in range(size)},
    },
    "fields of a form": lambda size: {"url": "/", "method": "POST", "data": "token=12345678&" * size},
    "a deep body": lambda size: {
        "url": "/", "method": "POST", "data": '[{"a":"b"},' * (size // 2) + "1" + "]" * (size // 2),
    },
}  # fmt: skip


@pytest.mark.parametrize("kind", HOSTILE)
def test_work_grows_no_faster_than_what_a_caller_sends(kind: str) -> None:
    bench = PolicyBench(READS_ALL)

    def work(size: int) -> int:
        sent = HOSTILE[kind](size)
        return functions_called(lambda: bench.send(sent.pop("method", "GET"), sent.pop("url"), **sent))

    work(10)
    few, many = work(200), work(1600)

    assert many < few * 8 * 1.5
    assert many < 100_000


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_becomes_too_much_work_is_not_shown(kind: str) -> None:
    sent = HOSTILE[kind](1600)
    sent.setdefault("headers", {})["X-Mine"] = SECRET
    sent["headers"]["x-api-key"] = SECRET
    copied = BASE.format(
        "<set-variable name='v' value='@(context.Request.Headers.GetValueOrDefault(\"X-Mine\", \"\"))'/>"
    )
    call = PolicyBench(copied).send(sent.pop("method", "GET"), sent.pop("url"), **sent).trace

    assert call is not None
    assert SECRET not in repr(call)
    shown = [change.after for span in call.spans for change in span.changes if change.what.startswith("Variables[v")]
    spent = [change.after for span in call.spans for change in span.changes if change.what == NOT_TRACED]
    assert set(shown + spent) <= {HIDDEN, NOT_TRACED}
    assert shown or spent


def test_a_mask_whose_budget_is_spent_shows_nothing() -> None:
    mask = Mask(budget=Budget(100))

    assert mask.text("one") == "one"
    assert mask.text("x" * 300) == f"{'x' * 200}…"
    mask.add(["y" * 200])

    assert (mask.text("two"), mask.named("api-key", "k"), mask.url("/a?b=c")[: len(NOT_TRACED)]) == (
        NOT_TRACED,
        HIDDEN,
        NOT_TRACED,
    )


def test_a_secret_beyond_what_is_kept_comes_into_view_by_no_hiding() -> None:
    first, second = "a1b2c3d4" * 24, "z9y8x7w6" * 60
    shown = Mask([first, second]).text(f"{first} {'-' * 20} {second}")

    assert first[:8] not in shown
    assert second[:8] not in shown


def test_a_secret_that_is_cut_off_comes_into_view_by_no_blank_that_is_left_out() -> None:
    assert "a1b2c3d4" not in Mask(["a1b2c3d4" * 8]).code(f"key{' ' * 430}{'a1b2c3d4' * 8}")


def test_a_long_secret_is_hidden_to_the_end() -> None:
    secret = "".join(f"{number:03}" for number in range(300))

    assert Mask([secret]).text(f"before {secret} after") == "before ***…"


@pytest.mark.parametrize("name", ["pwd", "db_pwd", "session", "Session-Id", "api%2Dkey", "api%252Dkey", "a%2525pi_key"])
def test_more_names_of_secrets(name: str) -> None:
    shown = Mask().url(f"/?{name}=hunter2")

    assert ("hunter2" in shown) is (name == "a%2525pi_key")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Server=a;pwd=hunter2;x=1", "Server=a;pwd=***;x=1"),
        ("session=hunter2; Path=/", "session=***; Path=/"),
        ("a;token=hunter2;b", "a;token=***;b"),
        ("Bearer%20hunter2&x=1", "Bearer%20***"),
    ],
)
def test_more_shapes_of_secrets(text: str, shown: str) -> None:
    assert Mask().text(text) == shown


def test_known_secrets_are_found_where_they_overlap() -> None:
    known = Known()
    known.add(["abcdef", "defghi"])

    assert list(known.places("xabcdefghix", Budget())) == [(1, 7), (4, 10)]
    assert Mask(["abcdef", "defghi"]).text("xabcdefghix") == "x***x"
