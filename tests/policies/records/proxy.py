from policies import Proxy
from tests.policies.record import Record
from tests.policies.values import SECRET, filled, named_values, options

RECORD = Record(
    Proxy,
    examples=(
        Proxy(url="http://a.example:8080"),
        Proxy(url="http://a.example:8080", username="a", password=f"{{{{{SECRET}}}}}"),
    ),
    drawn=options(Proxy, url=filled) | options(Proxy, url=filled, username=filled, password=named_values),
    renders={
        "proxy takes every option": (
            Proxy(url="http://proxy.contoso.com:8080", username="me", password="{{proxy-password}}"),
            '<proxy url="http://proxy.contoso.com:8080" username="me" password="{{proxy-password}}" />',
        ),
    },
    refuses=(
        (
            lambda: Proxy(url="http://a", username="b"),
            "proxy has only one of username and password; give both or none",
        ),
        (
            lambda: Proxy(url="http://a", username="b", password="s3cret"),
            "proxy password is not a named value; keep it in a secret named value and give {{its-name}}",
        ),
    ),
)
