from typing import Any
from xml.etree import ElementTree as ET

from hypothesis import strategies as st

from policies import MessageParameters, PathParameters, ValidateParameters, ValidationAction
from tests.policies.reader import attributes, read_actions
from tests.policies.record import Record
from tests.policies.values import actions, by_name, maybe, names, options

either = {"specified_parameter_action": actions, "unspecified_parameter_action": actions}

message_parameters = maybe(st.builds(MessageParameters, **either, parameters=by_name))

IGNORE, PREVENT, DETECT = ValidationAction.IGNORE, ValidationAction.PREVENT, ValidationAction.DETECT


def _children(element: ET.Element) -> dict[str, Any]:
    def read(kind: Any, tag: str) -> Any:
        child = element.find(tag)
        return None if child is None else kind(**attributes(kind, child), parameters=read_actions(child, "parameter"))

    return {
        "headers": read(MessageParameters, "headers"),
        "query": read(MessageParameters, "query"),
        "path": read(PathParameters, "path"),
    }


RECORD = Record(
    ValidateParameters,
    examples=(
        MessageParameters(specified_parameter_action=PREVENT, unspecified_parameter_action=PREVENT),
        PathParameters(specified_parameter_action=PREVENT),
        ValidateParameters(specified_parameter_action=PREVENT, unspecified_parameter_action=PREVENT),
    ),
    drawn=options(
        ValidateParameters,
        **names(ValidateParameters),
        **either,
        headers=message_parameters,
        query=message_parameters,
        path=maybe(st.builds(PathParameters, specified_parameter_action=actions, parameters=by_name)),
    ),
    renders={
        "validate-parameters takes every option": (
            ValidateParameters(
                specified_parameter_action=PREVENT,
                unspecified_parameter_action=IGNORE,
                errors_variable_name="errors",
                headers=MessageParameters(
                    specified_parameter_action=DETECT,
                    unspecified_parameter_action=DETECT,
                    parameters={"Authorization": PREVENT, "User-Agent": "@(context.Api.Name)"},
                ),
                query=MessageParameters(specified_parameter_action=IGNORE, unspecified_parameter_action=PREVENT),
                path=PathParameters(specified_parameter_action=PREVENT, parameters={"id": IGNORE}),
            ),
            """
        <validate-parameters specified-parameter-action="prevent" unspecified-parameter-action="ignore" \
errors-variable-name="errors">
            <headers specified-parameter-action="detect" unspecified-parameter-action="detect">
                <parameter name="Authorization" action="prevent" />
                <parameter name="User-Agent" action="@(context.Api.Name)" />
            </headers>
            <query specified-parameter-action="ignore" unspecified-parameter-action="prevent" />
            <path specified-parameter-action="prevent">
                <parameter name="id" action="ignore" />
            </path>
        </validate-parameters>
        """,
        ),
    },
    refuses=(
        (
            lambda: PathParameters(specified_parameter_action=PREVENT, parameters={"a": PREVENT, "A": PREVENT}),
            "path parameters parameters has 'A' twice, ignoring case; keep one",
        ),
        (
            lambda: MessageParameters(
                specified_parameter_action=PREVENT, unspecified_parameter_action=PREVENT, parameters={"@(1)": PREVENT}
            ),
            "message parameters parameters name '@(1)' is a policy expression, which is not allowed here; "
            "give the value itself",
        ),
        (
            lambda: PathParameters(specified_parameter_action=PREVENT, parameters={"": PREVENT}),
            "path parameters parameters name '' is empty; give it a value",
        ),
    ),
    children=_children,
)
