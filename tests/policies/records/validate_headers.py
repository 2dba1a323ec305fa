from policies import ValidateHeaders, ValidationAction
from tests.policies.reader import read_actions
from tests.policies.record import Record
from tests.policies.values import actions, any_type, by_name, names, options

IGNORE, PREVENT, DETECT = ValidationAction.IGNORE, ValidationAction.PREVENT, ValidationAction.DETECT

RECORD = Record(
    ValidateHeaders,
    examples=(ValidateHeaders(specified_header_action=PREVENT, unspecified_header_action=PREVENT),),
    drawn=options(
        ValidateHeaders,
        **names(ValidateHeaders),
        specified_header_action=actions,
        unspecified_header_action=actions,
        headers=by_name,
    ),
    renders={
        "validate-headers takes every option": (
            ValidateHeaders(
                id="h",
                specified_header_action=PREVENT,
                unspecified_header_action=DETECT,
                errors_variable_name="errors",
                headers={"Server": IGNORE},
            ),
            """
        <validate-headers id="h" specified-header-action="prevent" unspecified-header-action="detect" \
errors-variable-name="errors">
            <header name="Server" action="ignore" />
        </validate-headers>
        """,
        ),
    },
    refuses=(
        (
            lambda: ValidateHeaders(
                specified_header_action=PREVENT,
                unspecified_header_action=PREVENT,
                headers={"x-A": PREVENT, "X-a": PREVENT},
            ),
            "validate-headers headers has 'X-a' twice, ignoring case; keep one",
        ),
        (
            lambda: ValidateHeaders(
                specified_header_action=PREVENT, unspecified_header_action=PREVENT, headers={" ": PREVENT}
            ),
            "validate-headers headers name ' ' is empty; give it a value",
        ),
        (
            lambda: ValidateHeaders(
                specified_header_action=PREVENT, unspecified_header_action=PREVENT, headers=any_type(["a"])
            ),
            "validate-headers headers list is not allowed; use a dict of ValidationAction.IGNORE or "
            "ValidationAction.PREVENT or ValidationAction.DETECT or text by name",
        ),
    ),
    children=lambda element: {"headers": read_actions(element, "header")},
)
