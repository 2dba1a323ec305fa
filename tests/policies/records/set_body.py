from hypothesis import strategies as st

from policies import SetBody, Template, XsiNil
from tests.policies.reader import read_text
from tests.policies.record import Record
from tests.policies.values import flags, maybe, options, texts

RECORD = Record(
    SetBody,
    examples=(SetBody(value="a"),),
    drawn=options(
        SetBody,
        value=texts,
        template=maybe(st.sampled_from(Template)),
        xsi_nil=maybe(st.sampled_from(XsiNil)),
        parse_date=maybe(flags),
        html_decode_expression=maybe(flags),
    ),
    renders={
        "set-body keeps every character of a text": (
            SetBody(
                id="b",
                value="  {{body.a}}\r\n<x> ]]>\t",
            ),
            '<set-body id="b">  {{body.a}}&#13;\n&lt;x&gt; ]]&gt;\t</set-body>',
        ),
        "set-body is a Liquid template": (
            SetBody(value="<a>{{ body.name }}</a>", template=Template.LIQUID, xsi_nil=XsiNil.NULL, parse_date=False),
            '<set-body template="liquid" xsi-nil="null" parse-date="false">'
            "&lt;a&gt;{{ body.name }}&lt;/a&gt;</set-body>",
        ),
    },
    refuses=(
        (
            lambda: SetBody(value="\x1b[0m"),
            "set-body value contains the character U+001B at 0, which XML does not allow; remove it",
        ),
        *(
            (
                lambda value=value: SetBody(value=value),
                "set-body value has a policy expression within other text; make all of it one expression",
            )
            for value in ("<a>@(1)</a>", "a@{return 1;}")
        ),
        (
            lambda: SetBody(id="@(1)", value="a"),
            "set-body id '@(1)' is a policy expression, which is not allowed here; give the value itself",
        ),
    ),
    children=read_text,
)
