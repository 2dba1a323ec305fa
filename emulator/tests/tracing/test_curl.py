"""A call as a curl command: a shell makes the same request of it, and no secret is in it."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from apim_emulator.testing import PolicyBench
from apim_emulator.tracing import CallTrace
from apim_emulator.tracing.mask import HIDDEN, NOT_TRACED
from apim_emulator.tracing.page.curl import curl
from emulator.tests.tracing.calls import call

SECRET = "hunter2-hunter2"
POLICY = (
    "<policies><inbound><base/></inbound><backend><base/></backend><outbound><base/></outbound>"
    "<on-error><base/></on-error></policies>"
)


def arguments(text: str, folder: Path, **variables: str) -> list[str]:
    """Return what a shell would give to curl."""
    fake = folder / "curl"
    fake.write_text('#!/bin/sh\nfor one; do printf "%s\\0" "$one"; done\n', encoding="utf-8")
    fake.chmod(0o700)
    environment = {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", **variables}
    found = subprocess.run(["/bin/sh", "-c", text], env=environment, capture_output=True, check=True)  # noqa: S603
    return found.stdout.decode().split("\0")[:-1]


def traced(**options: object) -> CallTrace:
    found = PolicyBench(POLICY).send("POST", **options).trace  # type: ignore[arg-type]
    assert found is not None
    return found


def test_shell_makes_the_same_request_of_it(tmp_path: Path) -> None:
    command = curl(
        traced(
            url="/chat?subscription-key=hunter2-hunter2&x=it's",
            headers={"Host": "127.0.0.1:8080", "Authorization": f"Bearer {SECRET}", "api-key": f"{SECRET}2",
                     "X-Odd": "a'b $HOME `id` \"c\" \\", "X-Empty": "", "Accept-Encoding": "gzip"},
            json={"a": 1},
        )
    )  # fmt: skip

    assert command is not None
    assert (command.variables, command.file) == (("SECRET_1", "TOKEN", "API_KEY"), "body.json")
    assert SECRET not in command.text
    assert arguments(command.text, tmp_path, TOKEN="t", API_KEY="k", SECRET_1="s") == [
        "-i", "-X", "POST", "http://127.0.0.1:8080/chat?subscription-key=s&x=it's",
        "-H", "Authorization: Bearer t", "-H", "api-key: k", "-H", "X-Odd: a'b $HOME `id` \"c\" \\", "-H", "X-Empty;",
        "--compressed", "-H", "Content-Type: application/json", "--data-binary", "@body.json",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param({}, ["-i", "http://127.0.0.1:8080/chat"], id="GET"),
        pytest.param({"method": "HEAD"}, ["-i", "--head", "http://127.0.0.1:8080/chat"], id="HEAD"),
        pytest.param(
            {"body": None}, ["-i", "-X", "GET", "http://127.0.0.1:8080/chat", "--data-binary", "@body"],
            id="a body of unknown length",
        ),
        pytest.param(
            {"url": "/a[1]{2}"}, ["-i", "http://127.0.0.1:8080/a[1]{2}", "--globoff"], id="what curl takes for globs"
        ),
        pytest.param(
            {"method": "A B;id"}, ["-i", "-X", "A B;id", "http://127.0.0.1:8080/chat"], id="a method that is no word"
        ),
    ],
)  # fmt: skip
def test_command_has_what_curl_needs(fields: dict[str, object], expected: list[str], tmp_path: Path) -> None:
    command = curl(call(**fields))  # type: ignore[arg-type]

    assert command is not None
    assert arguments(command.text, tmp_path) == expected


def test_host_that_is_not_this_machine_is_a_header_and_never_the_address(tmp_path: Path) -> None:
    command = curl(call(headers=(("Host", "contoso.azure-api.net"),)))

    assert command is not None
    assert arguments(command.text, tmp_path, GATEWAY="http://127.0.0.1:8080") == [
        "-i", "http://127.0.0.1:8080/chat", "-H", "Host: contoso.azure-api.net",
    ]  # fmt: skip


def test_callers_choose_no_variable() -> None:
    """A header may have the name of a variable in which somebody keeps a secret of their own."""
    command = curl(call(headers=(("AWS_SECRET_ACCESS_KEY", HIDDEN), ("GITHUB_TOKEN", HIDDEN), ("PATH", f"a{HIDDEN}"))))

    assert command is not None
    assert command.variables == ("GATEWAY", "API_KEY", "SECRET_1", "SECRET_2")


def test_what_was_cut_off_becomes_a_variable() -> None:
    command = curl(traced(url="/", headers={"Host": "localhost", "X-Long": "a" * 4000}))

    assert command is not None
    assert """aaa'"$SECRET_1\"""" in command.text
    assert command.variables == ("SECRET_1",)


def test_query_that_was_cut_off_becomes_a_variable() -> None:
    command = curl(traced(url="/?a=" + "b" * 4000, headers={"Host": "localhost"}))

    assert command is not None
    assert command.variables == ("SECRET_1",)


@pytest.mark.parametrize("fields", [{"url": NOT_TRACED}, {"headers": (("X-A", NOT_TRACED),)}])
def test_there_is_none_where_the_call_was_not_traced_further(fields: dict[str, object]) -> None:
    assert curl(call(**fields)) is None  # type: ignore[arg-type]


def test_model_keeps_the_scheme_of_a_credential_and_nothing_else_of_it() -> None:
    found = traced(headers={"Authorization": f"Bearer {SECRET}", "X-Token": f"{SECRET} more", "Cookie": f"a={SECRET}"})

    headers = dict(found.headers)
    assert headers["Authorization"] == f"Bearer {HIDDEN}"
    assert (headers["X-Token"], headers["Cookie"]) == (HIDDEN, HIDDEN)
    assert SECRET not in json.dumps(found.headers)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        pytest.param({}, 0, id="no body"),
        pytest.param({"data": b""}, 0, id="an empty one"),
        pytest.param({"data": b"abc"}, 3, id="an announced one"),
        pytest.param({"data": [b"abc", b"def"]}, None, id="a chunked one"),
    ],
)
def test_model_tells_how_long_the_body_was(options: dict[str, object], expected: int | None) -> None:
    assert traced(**options).body == expected


@pytest.mark.parametrize("name", ["X-Auth", "X-Access-Key", "X-Pin", "X-Otp", "X-Passphrase", "X-Client-Cert", "X-Sig"])
def test_headers_that_no_policy_asked_for_are_hidden_where_they_may_be_secret(name: str) -> None:
    assert dict(traced(headers={name: "abc", "X-Team": "blue"}).headers)[name] == HIDDEN
    assert dict(traced(headers={name: "", "X-Team": "blue"}).headers) == {
        name: "",
        "X-Team": "blue",
        "Host": "gateway.test",
    }
