from hypothesis import strategies as st

from policies import LogToEventHub
from policies.shared.checks import INT_MAX
from tests.policies.reader import read_text
from tests.policies.record import Record
from tests.policies.values import maybe, options, plain, texts

RECORD = Record(
    LogToEventHub,
    examples=(LogToEventHub(logger_id="a", value="b"),),
    drawn=options(LogToEventHub, logger_id=plain, partition_id=maybe(st.integers(0, INT_MAX)), value=texts)
    | options(LogToEventHub, logger_id=plain, partition_key=maybe(texts), value=texts),
    renders={
        "log-to-eventhub with a key": (
            LogToEventHub(logger_id="audit", partition_key="@(context.Subscription.Id)", value="@(context.RequestId)"),
            '<log-to-eventhub logger-id="audit" partition-key="@(context.Subscription.Id)">@(context.RequestId)'
            "</log-to-eventhub>",
        ),
        "log-to-eventhub with a partition": (
            LogToEventHub(logger_id="audit", partition_id=0, value="called"),
            '<log-to-eventhub logger-id="audit" partition-id="0">called</log-to-eventhub>',
        ),
    },
    refuses=(
        (
            lambda: LogToEventHub(logger_id="l", partition_id=0, partition_key="k", value="m"),
            "log-to-eventhub has partition_id and partition_key; give one of them, or none",
        ),
        (
            lambda: LogToEventHub(logger_id="@(1)", value="m"),
            "log-to-eventhub logger_id '@(1)' is a policy expression, which is not allowed here; give the value itself",
        ),
    ),
    children=read_text,
)
