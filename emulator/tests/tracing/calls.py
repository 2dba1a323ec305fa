"""Traces of calls that never were."""

from typing import Any

from apim_emulator.tracing import CallTrace, Span


def span(policy: str = "set-header", **fields: Any) -> Span:
    usual: dict[str, Any] = {
        "section": "inbound", "scope": "api", "path": policy, "policy_id": "", "document": "api chat", "line": 7,
        "source": f"<{policy}>", "notes": (), "calls": (), "token": None,
        "started": 0.0, "duration": 1.0, "reads": (), "changes": (), "outcome": None, "error": None, "children": (),
    }  # fmt: skip
    return Span(policy=policy, **{**usual, **fields})


def call(number: int = 1, **fields: Any) -> CallTrace:
    usual: dict[str, Any] = {
        "id": f"id-{number}", "time": 1_700_000_000.0, "duration": 10.0, "method": "GET", "url": "/chat",
        "headers": (("Host", "127.0.0.1:8080"),), "body": 0, "caller": "127.0.0.1", "api": "chat", "operation": "get",
        "product": None, "subscription": None, "status": 200, "backend_called": True, "sent": 0, "error": None,
        "spans": (), "changes": (), "omitted": 0, "service": "contoso", "identity": "anonymous", "deployment": None,
        "attempts": (), "tokens": None, "notes": (), "calls": (),
    }  # fmt: skip
    return CallTrace(number=number, **{**usual, **fields})
