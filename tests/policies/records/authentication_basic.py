from policies import AuthenticationBasic
from tests.policies.record import Record
from tests.policies.values import SECRET, filled, named_values, options

RECORD = Record(
    AuthenticationBasic,
    examples=(AuthenticationBasic(username="a", password=f"{{{{{SECRET}}}}}"),),
    drawn=options(AuthenticationBasic, username=filled.filter(lambda text: ":" not in text), password=named_values),
    renders={
        "authentication-basic": (
            AuthenticationBasic(id="b", username="me", password="{{backend-password}}"),
            '<authentication-basic id="b" username="me" password="{{backend-password}}" />',
        ),
    },
    refuses=(
        (
            lambda: AuthenticationBasic(username="a:b", password="{{p}}"),
            "authentication-basic username 'a:b' contains a colon, which is not allowed; remove it",
        ),
        (
            lambda: AuthenticationBasic(username="a", password="s3cret"),
            "authentication-basic password is not a named value; keep it in a secret named value and give {{its-name}}",
        ),
    ),
)
