"""What stands around a policy in the tests of this folder: backends, services, and an API with a definition."""

from typing import Any

from apim_emulator.model import Operation, Product, Subscription
from apim_emulator.testing import Reply, Request

KEY = "0123456789"
CHAT = {"messages": [{"role": "user", "content": "Hello"}]}
HARM = {"messages": [{"role": "user", "content": "bad"}]}
OTHER_CHAT = {"messages": [{"role": "user", "content": "other"}]}
ANSWER = {
    "choices": [{"message": {"content": "Hi"}}],
    "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
}
JSON = {"Content-Type": "application/json"}
DEFINITION: dict[str, Any] = {
    "openapi": "3.0.1",
    "info": {"title": "t", "version": "1"},
    "paths": {
        "/chat": {
            "post": {
                "operationId": "chat",
                "parameters": [{"in": "query", "name": "n", "schema": {"type": "integer"}}],
                "requestBody": {"content": {"application/json": {"schema": {"required": ["messages"]}}}},
                "responses": {"200": {"headers": {"X-Count": {"schema": {"type": "integer"}}}}},
            }
        }
    },
}
DEFINED = {"definition": DEFINITION, "operations": (Operation(name="chat", method="POST", url_template="/chat"),)}
SUBSCRIBED: dict[str, Any] = {
    "products": (Product(id="team", api_ids=frozenset({"policy"})),),
    "subscriptions": (Subscription(id="ann", scope="/products/team", primary_key=KEY, secondary_key="other"),),
}


def model(_: Request) -> Reply:
    """Answer a chat."""
    return Reply(json=ANSWER)


def checker(request: Request) -> Reply:
    """Find hate of severity 4 in every text with `bad` in it."""
    severity = 4 if "bad" in request.json()["text"] else 0
    return Reply(json={"categoriesAnalysis": [{"category": "Hate", "severity": severity}]})


def embeddings(request: Request) -> Reply:
    """Tell apart texts with `other` in them from all others."""
    return Reply(json={"data": [{"embedding": [0, 1] if "other" in request.json()["input"] else [1, 0]}]})


def unavailable(_: Request) -> Reply:
    """Answer nothing but 503."""
    return Reply(status_code=503)


def refuse(_: Request) -> Reply:
    """Take no connection."""
    raise ConnectionRefusedError


def late(_: Request) -> Reply:
    """Answer too late."""
    raise TimeoutError
