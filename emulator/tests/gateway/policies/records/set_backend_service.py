from dataclasses import replace

from apim_emulator.model import Backend, CircuitBreaker
from apim_emulator.testing import Reply
from emulator.tests.gateway.policies.attributes import text
from emulator.tests.gateway.policies.failures import internal
from emulator.tests.gateway.policies.record import Call, Example, Record, Scenario
from emulator.tests.gateway.policies.scenarios import sent, shows
from emulator.tests.gateway.policies.stand_ins import model

BREAKER = CircuitBreaker(interval=60, trip_duration=30, count=1, status_codes=((500, 599),))

RECORD = Record(
    "set-backend-service",
    Example('<set-backend-service id="me" backend-id="east"/>', bench={"backends": {"east": model}}),
    attributes={
        "backend-id": text("east"),
        "base-url": replace(text("https://backend.test/x"), instead_of="backend-id"),
    },
    works=shows(sent(lambda request: request.backend), "east"),
    fails={
        "no such backend": internal(
            "BackendNotFound",
            "the expression's backend-id names no backend",
            element="<set-backend-service id='me' backend-id='@(\"no\" + \"where\")'/>",
        ),
        "no URL": internal(
            "BackendConnectionFailure",
            "base-url is not an http or https URL without query and user",
            element="<set-backend-service id='me' base-url='@(\"ftp://a.example\")'/>",
        ),
    },
    clock={
        "breaker of the backend closes in time": Scenario(
            lambda response: response.status_code,
            (Call(500), Call(503), Call(503, at=29), Call(500, at=30)),
            bench={
                "backends": {"east": lambda _: Reply(status_code=500)},
                "entities": (Backend(id="east", circuit_breaker=BREAKER),),
            },
        ),
    },
)
