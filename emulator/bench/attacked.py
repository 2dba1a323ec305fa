"""The gateway that `emulator.bench.bystanders` attacks, with the policies that it attacks, in a process of its own.

It prints its URL, as a line of JSON, when it is ready. It uses only what the emulator has had since 0.2.0, so that an
earlier version can be measured too.
"""

import asyncio
import json
import logging
import secrets
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace

from apim_emulator.azure import Cloud, Deployer
from apim_emulator.clock import Clock
from apim_emulator.gateway import GatewayServer
from apim_emulator.gateway.standalone import OPERATIONS, standalone
from apim_emulator.listening import freeze_heap, serve
from apim_emulator.model import Account, Api, ModelDeployment
from apim_emulator.network import Network
from apim_emulator.services.azure_openai import AzureOpenAI
from apim_emulator.services.entra import Entra
from apim_emulator.tracing import TraceRecorder

HEADER = 'context.Request.Headers.GetValueOrDefault("X-Given", "")'
BODY = "context.Request.Body.As<string>(preserveContent: true)"
MILLION = "var s = new string('a', 1000000); "
EXPRESSIONS = {
    "int.TryParse": f"int n; return int.TryParse({BODY}, out n);",
    "double.TryParse": f"double n; return double.TryParse({BODY}, out n);",
    "form": "return context.Request.Body.AsFormUrlEncodedContent().Count;",
    "query": "return context.Request.Url.Query.Count;",
    "index": (
        f"var s = {BODY}; var n = 0; for (var i = 0; i < s.Length; i++) {{ if (s[i] == 'é') {{ n++; }} }} return n;"
    ),
    "LastIndexOf": MILLION + "return s.LastIndexOf(\"ab\" + new string('a', 100000), StringComparison.Ordinal);",
    "List.IndexOf": (
        "var l = Enumerable.Range(0, 30000).ToList(); var n = 0; "
        "for (var i = 0; i < 30000; i++) { n += l.IndexOf(-1); } return n;"
    ),
    "Substring": MILLION + "return Enumerable.Range(0, 4000).Select(i => s.Substring(i)).ToList().Count;",
    "OrderBy": MILLION + "return Enumerable.Repeat(s, 1500).OrderBy(x => x, StringComparer.Ordinal).First().Length;",
    "Format": MILLION + f'return string.Format("{"{0}" * 1000}", s).Length;',
    "json": f"return JArray.Parse({BODY}).Count;",
    "matches": "return Regex.Matches(new string('a', 400000), \"a\").Count;",
    "loop": "var n = 0; for (var i = 0; i < 100000000; i++) { n = n + i % 7; } return n;",
    "Regex": f'return Regex.IsMatch({BODY}, "^(a+)+$");',
}
"""What somebody wrote into a policy, over what anybody may send."""
HOST = "attacked.openai.azure.com"
KEY = secrets.token_hex(16)
SIGNED = f'<set-header name="api-key"><value>{KEY}</value></set-header>'
LIMIT = '<llm-token-limit counter-key="all" tokens-per-minute="1000000000" estimate-prompt-tokens="true" />'


class _Cloud(Cloud):
    """A cloud with one account."""

    def accounts(self) -> Sequence[Account]:
        """Return the account."""
        model = ModelDeployment(name="embed", model="text-embedding-3-small", version="1")
        return (Account(id="attacked", host=HOST, keys=(KEY, KEY), local_auth=True, deployments=(model,)),)


def _policy(inbound: str) -> str:
    return (
        f"<policies><inbound>{inbound}</inbound><backend><base /></backend>"
        "<outbound><base /></outbound><on-error><base /></on-error></policies>"
    )


def _answering(name: str, expression: str) -> Api:
    text = f'<set-variable name="found" value="@{{ {expression} }}" /><return-response />'
    return _api(name, _policy(text), "rawxml")


def _api(name: str, policy: str, form: str = "rawxml", url: str = "") -> Api:
    return Api(
        id=name, path=name, operations=OPERATIONS, subscription_required=False, policy=policy, policy_format=form,
        service_url=url or "http://127.0.0.1:9",
    )  # fmt: skip


async def _serve(stack: AsyncExitStack) -> str:
    network, clock, cloud = Network(), Clock(), _Cloud(deployer=Deployer.ADMINISTRATOR)
    entra = Entra(cloud, clock)
    network.route(HOST, await serve(stack, AzureOpenAI(cloud, entra, clock).app))
    server = GatewayServer(network, entra, clock, tracer=TraceRecorder())
    service = standalone(None, "http://127.0.0.1:9")
    url = await serve(stack, await stack.enter_async_context(server.running()))
    fixed = (
        _api("bystander", _policy("<return-response />")),
        _api("prompts", _policy(f"{LIMIT}<return-response />")),
        _api("itself", _policy(f'<set-backend-service base-url="@(&quot;{url}/itself&quot;)" />'), "xml"),
        _api("openai", _policy(SIGNED), url=f"https://{HOST}/openai"),
    )
    made = tuple(_answering(name, expression) for name, expression in EXPRESSIONS.items())
    server.load(replace(service, apis=(*fixed, *made)))
    return url


async def _main() -> None:
    async with AsyncExitStack() as stack:
        url = await _serve(stack)
        freeze_heap()
        print(json.dumps({"url": url}), flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    logging.disable(logging.ERROR)  # callers go away at the end
    asyncio.run(_main())
