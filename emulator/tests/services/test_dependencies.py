"""What `apim-emulator serve` stands in for: token providers, identities, the checker, embeddings."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from apim_emulator.cli import main as command_line
from apim_emulator.cli.serve import ServedDocument, ServeOptions, serving
from apim_emulator.services.signing import SigningKey, tamper, unverified_claims

pytestmark = pytest.mark.slow

TENANT = "aaaaaaaa-0000-4000-8000-00000000000a"
CLIENT = "bbbbbbbb-0000-4000-8000-00000000000b"
CONFIG = "https://login.contoso.com/realm/.well-known/openid-configuration"
ENTRA_CONFIG = f"https://login.microsoftonline.com/{TENANT}/v2.0/.well-known/openid-configuration"


def entra(tenant: str = TENANT, inside: str = "") -> str:
    audiences = "<audiences><audience>api://chat</audience></audiences>"
    return f'<validate-azure-ad-token tenant-id="{tenant}">{inside}{audiences}</validate-azure-ad-token>'


def jwt(url: str = CONFIG, inside: str = "", place: str = 'header-name="Authorization"') -> str:
    audiences = "<audiences><audience>api://chat</audience></audiences>"
    return f'<validate-jwt {place}><openid-config url="{url}" />{audiences}{inside}</validate-jwt>'


ROLE = '<required-claims><claim name="roles"><value>Chat.User</value></claim></required-claims>'
CLIENTS = f"<client-application-ids><application-id>{CLIENT}</application-id></client-application-ids>"
ISSUERS = f"<issuers><issuer>https://sts.windows.net/{TENANT}/</issuer></issuers>"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@asynccontextmanager
async def served(
    folder: Path, inbound: str, outbound: str = "", sku: str = "BasicV2", **options: Any
) -> AsyncIterator[tuple[ServedDocument, list[web.Request]]]:
    """Serve a document in front of a model that answers every call alike; gives what the model saw."""
    calls: list[web.Request] = []

    async def model(request: web.Request) -> web.Response:
        await request.read()
        calls.append(request)
        return web.json_response({"choices": [{"message": {"content": f"answer {len(calls)}"}}]})

    (folder / "policy.xml").write_text(
        f"<policies><inbound><base />{inbound}</inbound><backend><base /></backend><outbound><base />{outbound}"
        "</outbound><on-error><base /></on-error></policies>",
        encoding="utf-8",
    )
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", model)
    async with TestServer(app) as server:
        backend = str(server.make_url("")).rstrip("/")
        whole = ServeOptions(policy=folder / "policy.xml", backend=backend, port=0, sku=sku, **options)
        async with serving(whole) as running:
            yield running, calls


async def asked(running: ServedDocument, token: str | None = None, **how: Any) -> tuple[int, Any]:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    async with (
        aiohttp.ClientSession() as client,
        client.post(running.session.url, headers=headers, **how) as response,
    ):
        return response.status, await response.json()


async def token(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Take the token that the command prints."""
    capsys.readouterr()
    code = await asyncio.to_thread(command_line.run, command_line.app, ["token", *arguments])
    output = capsys.readouterr()
    assert (code, output.err) == (0, "")
    return output.out.strip()


@pytest.mark.parametrize(
    "policy",
    [
        pytest.param(entra(inside=""), id="Entra"),
        pytest.param(entra(inside=CLIENTS), id="Entra, client"),
        pytest.param(entra("common"), id="Entra, any tenant"),
        pytest.param(entra("organizations"), id="Entra, organizations"),
        pytest.param(entra("contoso.onmicrosoft.com"), id="Entra, domain"),
        pytest.param(entra(f"https://login.microsoftonline.com/{TENANT}"), id="Entra, URL"),
        pytest.param(jwt(), id="OpenID Connect"),
        pytest.param(jwt(ENTRA_CONFIG), id="Entra's OpenID configuration"),
        pytest.param(jwt(ENTRA_CONFIG.replace("/v2.0", ""), ISSUERS), id="Entra's OpenID configuration, v1.0"),
        pytest.param(jwt(inside="<issuers><issuer>https://issuer.contoso.com/</issuer></issuers>"), id="issuer"),
    ],
)
async def test_command_prints_a_token_that_the_policy_accepts(
    folder: Path, policy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async with served(folder, policy) as (running, calls):
        good = await token(capsys)
        accepted = await asked(running, good)
        forged = SigningKey().sign(unverified_claims(good))
        refused = [(await asked(running, bad))[0] for bad in (None, tamper(good), forged)]

    assert accepted[0] == 200
    assert refused == [401, 401, 401]
    assert len(calls) == 1


@pytest.mark.parametrize("policy", [entra(inside="").replace("</audiences>", f"</audiences>{ROLE}"), jwt(inside=ROLE)],
                         ids=["Entra", "OpenID Connect"])  # fmt: skip
async def test_caller_without_claims_is_refused_for_them(
    folder: Path, policy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async with served(folder, policy) as (running, _):
        statuses = [
            (await asked(running, await token(capsys, "--caller", name)))[0]
            for name in ("client", "client-without-claims")
        ]
        text = running.text()

    assert statuses == [200, 401]
    assert "A caller's token, for client or client-without-claims: " in text
    assert "-H 'Authorization: Bearer '\"$(" in text


async def test_each_validation_has_callers_of_its_own(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    policies = entra() + jwt(place='header-name="X-Token"', inside=ROLE)

    async with served(folder, policies) as (running, _):
        names = [caller.name for caller in running.session.apis[0].callers]
        first, second = await token(capsys), await token(capsys, "--caller", "client-2")
        status, _ = await asked(running, first)
        async with (
            aiohttp.ClientSession(headers={"Authorization": f"Bearer {first}", "X-Token": second}) as client,
            client.get(running.session.url) as response,
        ):
            both = response.status

    assert names == ["client", "client-without-claims", "client-2", "client-without-claims-2"]
    assert (status, both) == (401, 200)


@pytest.mark.parametrize(
    ("policy", "options", "message"),
    [
        pytest.param("", {}, "takes no token: its policy validates none", id="no validation"),
        pytest.param(
            entra(), {"allowed_hosts": ["login.microsoftonline.com"]},
            "takes tokens that nobody here issues; get one from its provider", id="the real provider",
        ),
    ],
)  # fmt: skip
async def test_no_token_is_issued_for_what_is_no_stand_in(
    folder: Path, policy: str, options: dict[str, Any], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async with served(folder, policy, **options):
        capsys.readouterr()
        code = await asyncio.to_thread(command_line.run, command_line.app, ["token"])

    output = capsys.readouterr()
    assert (code, output.out) == (2, "")
    assert message in output.err


async def test_key_that_the_policy_holds_itself_is_never_signed_with(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = "<issuer-signing-keys><key>MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=</key></issuer-signing-keys>"
    async with served(folder, f'<validate-jwt header-name="Authorization">{key}</validate-jwt>') as (running, _):
        text = running.text()
        capsys.readouterr()
        code = await asyncio.to_thread(command_line.run, command_line.app, ["token"])

    assert code == 2
    assert "nobody here issues" in capsys.readouterr().err
    assert "It demands tokens that nobody here issues; get one from its provider." in text


async def test_identities_of_the_document_get_tokens(folder: Path) -> None:
    policies = (
        '<authentication-managed-identity resource="https://a.example" output-token-variable-name="own" />'
        f'<authentication-managed-identity resource="https://b.example" client-id="{CLIENT}" />'
        '<set-header name="X-Own"><value>@((string)context.Variables["own"])</value></set-header>'
    )

    async with served(folder, policies) as (running, calls):
        await asked(running)

    assert calls[0].headers["X-Own"] == "identity-token.system-assigned.https://a.example"
    assert calls[0].headers["Authorization"] == f"Bearer identity-token.{CLIENT}.https://b.example"


def prompt(text: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}]}


async def test_checker_finds_trigger_words(folder: Path) -> None:
    category = '<categories><category name="Hate" threshold="4" /></categories>'
    policy = f'<llm-content-safety backend-id="checker" shield-prompt="true">{category}</llm-content-safety>'

    async with served(folder, policy) as (running, calls):
        found = [await asked(running, json=prompt(text)) for text in ("hello", "trigger-hate-4", "trigger-attack")]
        text = running.text()

    assert [status for status, _ in found] == [200, 403, 403]
    assert found[1][1] == {"statusCode": 403, "message": "Request failed content safety check."}
    assert len(calls) == 1
    assert "Backend checker: a stand-in for Azure AI Content Safety" in text


async def test_similar_prompt_is_answered_from_the_cache(folder: Path) -> None:
    lookup = (
        '<llm-semantic-cache-lookup score-threshold="0.2" embeddings-backend-id="embeddings" '
        'embeddings-backend-auth="system-assigned" />'
    )
    texts = ("How tall is Mount Everest?", "How tall is Everest?", "Who wrote Hamlet?")

    async with served(folder, lookup, '<llm-semantic-cache-store duration="60" />') as (running, calls):
        answers = [(await asked(running, json=prompt(text)))[1]["choices"][0]["message"]["content"] for text in texts]
        text = running.text()

    assert answers == ["answer 1", "answer 1", "answer 2"]
    assert len(calls) == 2
    assert "Backend embeddings: embeddings of a stand-in" in text


async def test_backend_that_is_given_is_no_stand_in(folder: Path) -> None:
    policy = '<llm-content-safety backend-id="checker" shield-prompt="true" />'

    async with served(folder, policy, backends=["checker=http://127.0.0.1:9"]) as (running, calls):
        status, _ = await asked(running, json=prompt("hello"))

    assert (status, calls) == (403, [])


async def test_backend_id_may_come_from_a_named_value(folder: Path) -> None:
    (folder / "values.json").write_text(json.dumps({"backend": "{openai}"}), encoding="utf-8")

    async with served(
        folder, '<set-backend-service backend-id="{{backend}}" />', named_values=folder / "values.json"
    ) as (running, calls):
        status, _ = await asked(running)

    assert (status, len(calls)) == (200, 1)


async def test_new_claims_of_a_changed_document_are_in_the_next_token(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apim_emulator.cli.serve._POLL", 0.01)
    async with served(folder, jwt()) as (running, _):
        before = unverified_claims(await token(capsys))
        document = folder / "policy.xml"
        document.write_text(document.read_text(encoding="utf-8").replace("</audiences>", f"</audiences>{ROLE}"))
        good = ""
        async with asyncio.timeout(10):
            while "roles" not in (unverified_claims(good) if good else {}):
                good = await token(capsys)
        status, _ = await asked(running, good)

    assert "roles" not in before
    assert status == 200
