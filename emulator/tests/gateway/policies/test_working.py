"""What every policy does when nothing is wrong."""

from dataclasses import replace

import pytest

from emulator.tests.gateway.policies.records import RECORDS


@pytest.mark.parametrize("name", sorted(RECORDS))
def test_policy_does_its_work(name: str) -> None:
    record = RECORDS[name]

    responses = record.works.responses(record.example)

    assert record.works.seen(responses) == record.works.expected
    assert responses[0].error is None


@pytest.mark.parametrize("name", sorted(RECORDS))
def test_effect_is_the_policys_own(name: str) -> None:
    record = RECORDS[name]

    responses = record.works.responses(record.example.without(name))

    assert record.works.seen(responses) != record.works.expected


@pytest.mark.parametrize(
    ("name", "element"),
    [
        pytest.param(name, element, id=f"{name}: {what}")
        for name in sorted(RECORDS)
        for what, element in RECORDS[name].other_forms.items()
    ],
)
def test_other_form_does_the_same(name: str, element: str) -> None:
    record = RECORDS[name]

    responses = record.works.responses(replace(record.example, element=element))

    assert record.works.seen(responses) == record.works.expected
    assert responses[0].error is None


@pytest.mark.parametrize("name", sorted(RECORDS))
def test_policy_is_in_the_trace_under_its_own_id(name: str) -> None:
    example = RECORDS[name].example

    trace = example.post(example.load()).trace

    assert trace is not None
    (span,) = (span for span in trace.spans if span.policy_id == "me")
    assert (span.policy, span.section, span.scope, span.path) == (name, example.section, example.scope, name)
    assert span.error is None
