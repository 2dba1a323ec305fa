from policies import ExistsAction, SetQueryParameter
from tests.policies.record import Record
from tests.policies.values import filled, setters, texts

RECORD = Record(
    SetQueryParameter,
    examples=(
        SetQueryParameter(name="a", values=["b"]),
        SetQueryParameter(name="a", exists_action=ExistsAction.DELETE),
    ),
    drawn=setters(SetQueryParameter, filled, texts),
    renders={
        "set-query-parameter adds what is missing": (
            SetQueryParameter(id="q", name="api-version", exists_action=ExistsAction.SKIP, values=["2024-10-21"]),
            """
        <set-query-parameter id="q" name="api-version" exists-action="skip">
            <value>2024-10-21</value>
        </set-query-parameter>
        """,
        ),
    },
    refuses=(
        (lambda: SetQueryParameter(name=" ", values=["a"]), "set-query-parameter name ' ' is empty; give it a value"),
        (
            lambda: SetQueryParameter(name="q", exists_action=ExistsAction.SKIP),
            "set-query-parameter 'q' has no values; give one, or exists_action=ExistsAction.DELETE to remove it",
        ),
    ),
)
