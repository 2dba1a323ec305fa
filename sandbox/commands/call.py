"""`python -m sandbox call`: calls an API of a running sandbox with the OpenAI client."""

import asyncio
import json
import sys
from dataclasses import replace
from pathlib import Path

from openai import APIError, APIStatusError

from apim_emulator.cli.session import Api, Session, SessionFile, only_running
from apim_emulator.cli.token import find_caller
from apim_emulator.cli.trace import traced
from apim_emulator.errors import EmulatorError
from apim_emulator.services.token_client import request_token
from sandbox.client import Client, Credentials, new_http_client, refusal


def run(
    stack: str | None,
    api: str | None,
    caller: str | None,
    *,
    subscription: str | None = None,
    model: str | None,
    prompt: str,
    stream: bool,
    as_json: bool,
) -> int:
    """Print the answer and return 0, or the refusal and return 1."""
    session = SessionFile(Path.cwd(), stack or only_running(Path.cwd())).read()
    called = session.api(api)
    model = model or called.model
    if model is None:
        raise EmulatorError(f"stack {session.stack} deploys no chat model; name a deployment with --model")
    called = _as_subscriber(called, subscription)
    return asyncio.run(_call(session, called, caller, model, prompt, stream=stream, as_json=as_json))


def _as_subscriber(api: Api, subscription: str | None) -> Api:
    """Return the API with the key of a product's subscription, such as a team's, in place of its own."""
    if subscription is None:
        return api
    if subscription not in api.product_keys:
        names = ", ".join(api.product_keys) or "none"
        raise EmulatorError(f"--subscription {subscription}: API {api.name} is in no product of it; allowed: {names}")
    return replace(api, key=api.product_keys[subscription])


async def _call(
    session: Session, api: Api, caller: str | None, model: str, prompt: str, *, stream: bool, as_json: bool
) -> int:
    seen = _newest(session)
    async with new_http_client() as http:
        client = Client(api.url, await _credentials(api, caller), http)
        answer = ""
        try:
            if stream:
                async for piece in client.stream(model, prompt):
                    answer += piece
                    if not as_json:
                        sys.stdout.write(piece)
                        sys.stdout.flush()
            else:
                answer = await client.chat(model, prompt)
        except APIStatusError as error:
            refused = {"api": api.name, "status": error.status_code, "message": refusal(error)}
            reason = await asyncio.to_thread(_reason, session, seen, error.status_code)
            if reason is not None:
                refused["reason"] = reason
            text = f"{refused['status']} {refused['message']}" + (f"\n{reason}" if reason else "")
            sys.stdout.write(f"{json.dumps(refused) if as_json else text}\n")
            return 1
        except APIError:
            raise EmulatorError(f"{api.url} does not answer; start the sandbox again") from None
    if as_json:
        sys.stdout.write(json.dumps({"api": api.name, "status": 200, "answer": answer}))
    elif not stream:
        sys.stdout.write(answer)
    sys.stdout.write("\n")
    return 0


def _newest(session: Session) -> int:
    """Return the number of the last call for which the sandbox has a trace."""
    calls = [] if session.trace_url is None else traced(session.stack, session.trace_url, 0)
    return max((call.number for call in calls), default=0)


def _reason(session: Session, seen: int, status: int) -> str | None:
    """Return why the gateway refused the last call, or None if no trace says, such as for a backend's refusal."""
    if session.trace_url is None:
        return None
    calls = traced(session.stack, session.trace_url, seen)
    return next((call.error for call in reversed(calls) if call.status == status), None)


async def _credentials(api: Api, caller: str | None) -> Credentials:
    if not api.needs_token and caller is None:
        return Credentials(key=api.key)
    who = find_caller(api, caller)
    return Credentials(key=api.key, token=await request_token(who.token_url, who.form))
