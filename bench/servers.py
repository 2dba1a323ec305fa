"""The processes that `bench.gateway` measures, one each: `python -m bench.servers KIND UPSTREAM_URL`.

Each prints one line of JSON when it is ready: its URL, the path for POST requests and the headers to send.
"""

import asyncio
import json
import logging
import re
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import aiohttp
from aiohttp import web

from apim_emulator.clock import Clock
from apim_emulator.gateway import GatewayServer
from apim_emulator.listening import freeze_heap, serve
from apim_emulator.model import Api, Gateway, Operation
from apim_emulator.network import Network
from policies import LlmTokenLimit

ROOT = Path(__file__).resolve().parent.parent
PATH = "/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21"
ANSWER = json.dumps(
    {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "model": "gpt-4o",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "word " * 60}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 20, "completion_tokens": 60, "total_tokens": 80},
    }
).encode()
CHUNK = b'data: {"choices":[{"index":0,"delta":{"content":"word "}}]}\n\n'
CHUNKS = 50


async def upstream(stack: AsyncExitStack, _: str) -> dict[str, object]:
    """Answer every request the same way: at once, or as a stream of 50 events."""

    async def answer(request: web.Request) -> web.StreamResponse:
        content = await request.read()
        if re.search(rb'"stream":\s*true', content) is None:
            return web.Response(body=ANSWER, content_type="application/json")
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for _ in range(CHUNKS):
            await response.write(CHUNK)
            await asyncio.sleep(0)
        await response.write(b"data: [DONE]\n\n")
        return response

    return {**await _serve(stack, answer), "path": ""}


async def bare(stack: AsyncExitStack, base: str) -> dict[str, object]:
    """Forward method, path, headers and both bodies as streams, and do nothing else."""
    connector = aiohttp.TCPConnector(limit=0)
    session = await stack.enter_async_context(aiohttp.ClientSession(connector=connector, auto_decompress=False))

    async def answer(request: web.Request) -> web.StreamResponse:
        headers = request.headers.copy()
        headers.pop("Host", None)
        body = request.content.iter_any() if request.body_exists else None
        async with session.request(request.method, base + request.raw_path, headers=headers, data=body) as found:
            response = web.StreamResponse(status=found.status, headers=found.headers)
            response.headers.pop("Transfer-Encoding", None)
            await response.prepare(request)
            async for chunk in found.content.iter_any():
                await response.write(chunk)
            return response

    return await _serve(stack, answer)


async def passthrough(stack: AsyncExitStack, base: str) -> dict[str, object]:
    """Run the gateway with a policy that only sets the backend."""
    policy = (
        f'<policies><inbound><base /><set-backend-service base-url="{base}/openai" /></inbound><backend>'
        '<forward-request buffer-response="false" /></backend><outbound><base /></outbound>'
        "<on-error><base /></on-error></policies>"
    )
    operation = Operation(name="chat", method="POST", url_template="/deployments/{deployment-id}/chat/completions")
    api = Api(id="openai", path="openai", operations=(operation,), subscription_required=False, policy=policy)
    server = GatewayServer(Network(), _NoIdentities(), Clock())
    server.load(Gateway(name="bench", sku="StandardV2", apis=(api,)))
    url = await serve(stack, await stack.enter_async_context(server.running()))
    return {"url": url, "path": PATH, "headers": {}}


async def protected(stack: AsyncExitStack, base: str) -> dict[str, object]:
    """Run the program's Entra mode: a validated token, a managed identity, and a token limit that is never reached."""
    from apim_emulator.azure import Cloud, Deployer  # noqa: PLC0415
    from apim_emulator.pulumi.deploy import load_project, load_stack  # noqa: PLC0415
    from sandbox.applications import find_application  # noqa: PLC0415 - only this process pays for Pulumi
    from sandbox.runtime import Sandbox  # noqa: PLC0415

    sandbox = await stack.enter_async_context(Sandbox(cloud=Cloud(deployer=Deployer.ADMINISTRATOR)))
    callers = sandbox.callers
    config = load_stack(ROOT, "sandbox") | {
        "openai-gateway:auth": "entra",
        "openai-gateway:entra": {
            "roles": ["Chat.User"],
            "clientApplicationIds": [callers.client.client_id],
            "roleAssignments": [{"principalId": callers.client.service_principal_id, "role": "Chat.User"}],
        },
    }
    await sandbox.deploy(load_project(ROOT), config)
    sandbox.network.route("*.openai.azure.com", base)
    service = sandbox.service
    limit = LlmTokenLimit(
        counter_key="@(context.Request.IpAddress)", tokens_per_minute=2_000_000_000, estimate_prompt_tokens=False
    )
    api = service.apis[0]
    text = (api.policy or "").replace("</validate-azure-ad-token>", f"</validate-azure-ad-token>{_xml(limit)}")
    sandbox.gateway.load(replace(service, apis=(replace(api, policy=text),)))
    found = find_application(sandbox.cloud, sandbox.deployment.outputs["openaiAudience"])
    if found is None:
        raise LookupError("the program registered no application")
    token = sandbox.entra.issue(
        found, client_id=callers.client.client_id, principal_id=callers.client.service_principal_id
    )
    return {"url": sandbox.url, "path": PATH, "headers": {"Authorization": f"Bearer {token}"}}


def _xml(limit: LlmTokenLimit) -> str:
    from xml.etree import ElementTree as ET  # noqa: PLC0415

    return ET.tostring(limit.element(), encoding="unicode")


class _NoIdentities:
    def managed_identity_token(self, principal_id: str, resource: str) -> tuple[str, float]:
        raise LookupError(f"no identity {principal_id} for {resource}")


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def _serve(stack: AsyncExitStack, handler: Handler) -> dict[str, object]:
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", handler)
    return {"url": await serve(stack, app), "path": PATH, "headers": {}}


KINDS = {"upstream": upstream, "bare": bare, "passthrough": passthrough, "protected": protected}


async def _main(kind: str, base: str) -> None:
    async with AsyncExitStack() as stack:
        ready = await KINDS[kind](stack, base)
        freeze_heap()
        print(json.dumps(ready), flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    logging.disable(logging.ERROR)  # callers disconnect at the end of a run
    asyncio.run(_main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""))
