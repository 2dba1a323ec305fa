"""Time: what each policy that counts or keeps something does as the clock moves."""

import pytest

from apim_emulator.testing import PolicyBench
from emulator.tests.gateway.policies.records import RECORDS

SCENARIOS = [
    pytest.param(name, scenario, id=f"{name}: {scenario}")
    for name in sorted(RECORDS)
    for scenario in RECORDS[name].clock
]


@pytest.mark.parametrize(("name", "scenario"), SCENARIOS)
def test_time_changes_what_a_policy_does(name: str, scenario: str) -> None:
    record = RECORDS[name]
    over_time = record.clock[scenario]

    assert over_time.seen(over_time.responses(record.example)) == over_time.expected


@pytest.mark.parametrize("name", sorted(name for name, record in RECORDS.items() if not record.clock))
def test_other_policies_do_the_same_at_any_time(name: str) -> None:
    example = RECORDS[name].example
    bench = example.load()

    first = example.post(bench)
    bench.clock.advance(10 * 365 * 86_400)
    second = example.post(bench)

    assert (first.status_code, first.content) == (second.status_code, second.content)
    assert [request.content for request in first.requests] == [request.content for request in second.requests]


def test_retry_waits_by_the_clock() -> None:
    example = RECORDS["retry"].example
    bench = example.load()
    start = bench.clock.now()

    response = example.post(bench)

    assert (response.status_code, len(response.requests), bench.clock.now() - start) == (503, 3, 20)


def test_identity_token_is_asked_for_again_when_it_expires() -> None:
    asked = []

    class Bench(PolicyBench):
        def managed_identity_token(self, principal_id: str, resource: str) -> tuple[str, float]:
            asked.append(self.clock.now())
            return f"token-{len(asked)}", self.clock.now() + 600

    bench = Bench(RECORDS["authentication-managed-identity"].example.document())
    tokens = []
    for seconds in (0, 599, 1):
        bench.clock.advance(seconds)
        tokens.append(bench.get().requests[0].headers["Authorization"])

    assert tokens == ["Bearer token-1", "Bearer token-1", "Bearer token-2"]
