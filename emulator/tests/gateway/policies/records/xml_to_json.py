from apim_emulator.testing import Reply, Request
from emulator.tests.gateway.policies.attributes import NO, YES, literal, text
from emulator.tests.gateway.policies.failures import internal
from emulator.tests.gateway.policies.record import Example, Record, sends
from emulator.tests.gateway.policies.scenarios import shows

CHANGED = '<xml-to-json id="me" kind="direct" apply="content-type-xml"/>'


def answering_xml(_: Request) -> Reply:
    return Reply(content=b"<a><b>1</b></a>", headers={"Content-Type": "text/xml"})


RECORD = Record(
    "xml-to-json",
    Example(
        CHANGED,
        section="outbound",
        bench={"backend": answering_xml},
        call=sends(headers={"Accept": "application/json"}),
    ),
    attributes={
        "kind": literal("direct"),
        "apply": text("always"),
        "consider-accept-header": NO,
        "always-array-child-elements": YES,
    },
    works=shows(
        lambda response: (response.headers["Content-Type"], response.json()), ("application/json", {"a": {"b": "1"}})
    ),
    fails={
        "no XML": internal(
            "BodyNotReadable",
            "*",
            bench={"backend": lambda _: Reply(content=b"{}", headers={"Content-Type": "text/xml"})},
            forwards=True,
        ),
    },
)
