import pytest

from apim_emulator.gateway import PolicyLoadError
from apim_emulator.gateway.telemetry import EventHubMessage
from apim_emulator.testing import PolicyBench


def document(*policies: str) -> str:
    return f"<policies><inbound>{''.join(policies)}</inbound></policies>"


def test_messages_are_kept_in_order() -> None:
    response = PolicyBench(
        document(
            '<log-to-eventhub logger-id="l" partition-id="3">plain</log-to-eventhub>',
            "<log-to-eventhub logger-id='l' partition-key='@(\"k\" + 1)'>@(context.Request.Method)</log-to-eventhub>",
        )
    ).get()

    assert response.events == (EventHubMessage("l", "plain", 3, None), EventHubMessage("l", "GET", None, "k1"))


def test_message_is_cut_off_at_200_kb() -> None:
    text = "<log-to-eventhub logger-id='l'>@(\"a\" + new string('\u00e9', 150000))</log-to-eventhub>"

    (event,) = PolicyBench(document(text), trace=False).get().events

    assert event.message == "a" + "\u00e9" * (200 * 512 - 1)


def test_trace_tells_the_message_without_secrets() -> None:
    policy = document('<log-to-eventhub logger-id="l">a {{key}}</log-to-eventhub>')
    trace = PolicyBench(policy, named_values={"key": "s3cret-value"}).get().trace

    assert trace is not None
    assert [(change.what, change.after) for change in trace.spans[0].changes] == [("Event[l]", "a ***")]


def test_message_is_in_no_text_of_the_record() -> None:
    assert "s3cret" not in repr(EventHubMessage("l", "s3cret"))


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        ("", "logger-id: attribute is missing"),
        ("logger-id='@(\"l\")'", "an expression is not allowed here"),
        ("logger-id='l' partition-id='a'", "not a whole number"),
        ("logger-id='l' partition-id='1' partition-key='k'", "exclude each other"),
    ],
)
def test_what_it_does_not_take_is_refused(attributes: str, reason: str) -> None:
    with pytest.raises(PolicyLoadError, match=reason):
        PolicyBench(document(f"<log-to-eventhub {attributes}>m</log-to-eventhub>"))
