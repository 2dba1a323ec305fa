from policies import BEARER_TOKEN, NAMED_VALUE, ExistsAction, SetHeader
from tests.policies.record import Record
from tests.policies.values import any_type, expressions, lines, setters, tokens

RECORD = Record(
    SetHeader,
    examples=(
        SetHeader(name="a", values=["b"]),
        SetHeader(name="a", exists_action=ExistsAction.DELETE),
    ),
    drawn=setters(SetHeader, tokens | expressions, lines),
    renders={
        "set-header presents the managed identity's token as the article does": (
            SetHeader(name="Authorization", exists_action=ExistsAction.OVERRIDE, values=[BEARER_TOKEN]),
            """
        <set-header name="Authorization" exists-action="override">
            <value>@("Bearer " + (string)context.Variables["managed-id-access-token"])</value>
        </set-header>
        """,
        ),
        "set-header takes named values and escapes literal ones": (
            SetHeader(name="api-key", values=[f"{{{{{NAMED_VALUE}}}}}", "a < b & c > d"]),
            """
        <set-header name="api-key">
            <value>{{openai-api-key}}</value>
            <value>a &lt; b &amp; c &gt; d</value>
        </set-header>
        """,
        ),
        "set-header deletes a header": (
            SetHeader(id="strip", name="api-key", exists_action=ExistsAction.DELETE),
            '<set-header id="strip" name="api-key" exists-action="delete" />',
        ),
        "set-header takes its name and action from expressions": (
            SetHeader(name='@("x-" + context.Api.Name)', exists_action="@(context.Api.Name)", values=[]),
            '<set-header name="@(&quot;x-&quot; + context.Api.Name)" exists-action="@(context.Api.Name)" />',
        ),
    },
    refuses=(
        (
            lambda: SetHeader(name="a", values=any_type("k3y")),
            "set-header values str is not allowed; use a list of text",
        ),
        (lambda: SetHeader(name="a", values=[any_type(1)]), "set-header values 1 is not allowed; use text"),
        (
            lambda: SetHeader(name="a", values=["ok", "\ud800"]),
            "set-header values contains the character U+D800 at 0, which XML does not allow; remove it",
        ),
        *(
            (
                lambda name=name: SetHeader(name=name, values=["a"]),
                f"set-header name {name!r} is not a header name; use 1 to 256 letters, digits and !#$%&'*+-.^_`|~",
            )
            for name in ("", "a b", "a:", "a\r\nb", "naïve", "{{name}}", "a\n")
        ),
        *(
            (
                lambda name=name: SetHeader(name=name, exists_action=ExistsAction.DELETE),
                f"set-header name {name!r} is not allowed; the gateway alone sets this header",
            )
            for name in ("Connection", "content-length", "KEEP-ALIVE", "Transfer-Encoding")
        ),
        *(
            (
                lambda name=name: SetHeader(name=name, exists_action=ExistsAction.DELETE),
                f"set-header name {name!r} with exists_action delete is not allowed; override it instead",
            )
            for name in ("Server", "x-forwarded-for")
        ),
        *(
            (
                lambda value=value: SetHeader(name="x-a", values=["b", value]),
                "set-header values of 'x-a' has a line break; write it on one line",
            )
            for value in ("a\r\nx-b: c", "a\n", "\r")
        ),
        (
            lambda: SetHeader(name="x-a"),
            "set-header 'x-a' has no values; give one, or exists_action=ExistsAction.DELETE to remove it",
        ),
        (
            lambda: SetHeader(name="x-a", values=["b"], exists_action=ExistsAction.DELETE),
            "set-header 'x-a' has values, but its exists_action is delete; remove one of them",
        ),
    ),
)
