from policies import JsonKind, XmlBodies, XmlToJson
from tests.policies.record import Record
from tests.policies.values import choice, flag_expressions, maybe, options

RECORD = Record(
    XmlToJson,
    examples=(XmlToJson(kind=JsonKind.DIRECT, apply=XmlBodies.ALWAYS),),
    drawn=options(
        XmlToJson,
        kind=choice(JsonKind),
        apply=choice(XmlBodies),
        consider_accept_header=maybe(flag_expressions),
        always_array_child_elements=maybe(flag_expressions),
    ),
    renders={
        "xml-to-json converts what names XML": (
            XmlToJson(kind=JsonKind.DIRECT, apply=XmlBodies.CONTENT_TYPE_XML, consider_accept_header=False),
            '<xml-to-json kind="direct" apply="content-type-xml" consider-accept-header="false" />',
        ),
    },
    refuses=(),
)
