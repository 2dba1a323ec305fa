"""Where the effect of a policy is seen, and what several policies do alike."""

import json
from collections.abc import Callable
from typing import Any

from apim_emulator.testing import Response
from emulator.tests.gateway.policies.record import Call, Look, Scenario, Sends, presents_token, sends
from emulator.tests.gateway.policies.stand_ins import ANSWER, OTHER_CHAT


def variable(response: Response) -> object:
    """The variable `v`, or the status of the response in it."""
    found = response.variables["v"]
    return getattr(found, "status", found)


def sent(look: Callable[[Any], object]) -> Look:
    """Look at the request that the backend got last."""
    return lambda response: look(response.requests[-1])


def backends(response: Response) -> object:
    """Those that were called, in order."""
    return [request.backend for request in response.requests]


def outcome(response: Response) -> object:
    """The status, and the backends that were called."""
    return response.status_code, backends(response)


def answer(response: Response) -> object:
    """The answer, and the backends that were called."""
    return response.headers["Content-Type"], response.text, backends(response)


def metrics(response: Response) -> object:
    return {metric.name: metric.value for metric in response.metrics}


def shows(look: Look, seen: object) -> Scenario:
    """Make one call."""
    return Scenario(look, (Call(seen),))


def turns_away(status: int, other: Sends | None = None) -> Scenario:
    """Let the example's call pass, and answer `other`, or the same call again, in place of the backend."""
    return Scenario(outcome, (Call((200, ["backend"])), Call((status, []), sends=other or sends())))


def _limit(response: Response) -> object:
    return response.status_code, response.headers.get("Retry-After")


def ends_after(seconds: int, status: int) -> Scenario:
    """Take the next call when a limit of one call is over, and no second earlier."""
    return Scenario(
        _limit,
        (
            Call((200, None)),
            Call((status, str(seconds))),
            Call((status, "1"), at=seconds - 1),
            Call((200, None), at=seconds),
        ),
    )


def refills(element: str, *, calls: int, seconds: int) -> Scenario:
    """Have room for some calls in a v2 tier, and for one more whenever some seconds have passed."""
    return Scenario(
        _limit,
        (
            *[Call((200, None))] * calls,
            Call((429, str(seconds))),
            Call((429, "1"), at=seconds - 1),
            Call((200, None), at=seconds),
            Call((429, str(seconds)), at=seconds),
        ),
        element=element,
        bench={"sku": "StandardV2"},
    )


TOKEN_LIFETIME = {
    "token accepted until it expires": Scenario(
        outcome, (Call((200, ["backend"])), Call((200, ["backend"]), at=3599), Call((401, []), at=3600))
    ),
    "token of the future accepted in time": Scenario(
        lambda response: (response.status_code, response.error and response.error.message),
        (Call((401, "JWT is not valid yet. Access denied.")), Call((200, None), at=60)),
        sends=presents_token(age=-60),
    ),
}
"""Of the policies that validate a token."""

_KEPT = "application/json", json.dumps(ANSWER)


def response_lookup(attributes: str = "") -> str:
    """Make a `cache-lookup` that keeps a response for the calls that present the same token."""
    return (
        f'<cache-lookup {attributes} vary-by-developer="false" vary-by-developer-groups="false" '
        'allow-private-response-caching="true"><vary-by-header>Authorization</vary-by-header></cache-lookup>'
    )


FIRST_CALLER = sends(headers={"Authorization": "Bearer a"})
RESPONSE_KEPT_FOR_ITS_CALLER = Scenario(
    answer,
    (
        Call((*_KEPT, ["backend"])),
        Call((*_KEPT, [])),
        Call((*_KEPT, ["backend"]), sends=sends(headers={"Authorization": "Bearer b"})),
    ),
)
RESPONSE_KEPT_FOR_A_MINUTE = Scenario(backends, (Call(["backend"]), Call([], at=59), Call(["backend"], at=60)))


def semantic_lookup(family: str, attributes: str = "") -> str:
    """Make a semantic cache's look-up of a family of policies, `llm` or `azure-openai`."""
    return f'<{family}-semantic-cache-lookup {attributes} score-threshold="0.1" embeddings-backend-id="embeddings"/>'


ANSWER_KEPT_FOR_ITS_PROMPT = Scenario(
    answer,
    (
        Call((*_KEPT, ["embeddings", "backend"])),
        Call((*_KEPT, ["embeddings"])),
        Call((*_KEPT, ["embeddings", "backend"]), sends=sends(json=OTHER_CHAT)),
    ),
)
ANSWER_KEPT_FOR_A_MINUTE = Scenario(
    backends,
    (Call(["embeddings", "backend"]), Call(["embeddings"], at=59), Call(["embeddings", "backend"], at=60)),
)
