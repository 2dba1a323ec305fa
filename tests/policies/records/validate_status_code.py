from hypothesis import strategies as st

from policies import ValidateStatusCode, ValidationAction
from tests.policies.reader import read_actions
from tests.policies.record import Record
from tests.policies.values import actions, any_type, names, options

IGNORE, PREVENT, DETECT = ValidationAction.IGNORE, ValidationAction.PREVENT, ValidationAction.DETECT

RECORD = Record(
    ValidateStatusCode,
    examples=(ValidateStatusCode(unspecified_status_code_action=PREVENT),),
    drawn=options(
        ValidateStatusCode,
        **names(ValidateStatusCode),
        unspecified_status_code_action=actions,
        status_codes=st.dictionaries(st.integers(200, 599), actions, max_size=2),
    ),
    renders={
        "validate-status-code takes every option": (
            ValidateStatusCode(
                unspecified_status_code_action="{{action}}", errors_variable_name="errors", status_codes={404: IGNORE}
            ),
            """
        <validate-status-code unspecified-status-code-action="{{action}}" errors-variable-name="errors">
            <status-code code="404" action="ignore" />
        </validate-status-code>
        """,
        ),
    },
    refuses=(
        *(
            (
                lambda code=code: ValidateStatusCode(
                    unspecified_status_code_action=PREVENT, status_codes={code: PREVENT}
                ),
                f"validate-status-code status_codes {code} is not the status code of a response; use 200 to 599",
            )
            for code in (99, 600)
        ),
        (
            lambda: ValidateStatusCode(unspecified_status_code_action=PREVENT, status_codes=any_type({"404": PREVENT})),
            "validate-status-code status_codes name '404' is not allowed; use a whole number",
        ),
    ),
    children=lambda element: {"status_codes": read_actions(element, "status-code", int)},
)
