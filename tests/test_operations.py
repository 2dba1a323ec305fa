"""`docs/operations.md` is true of what the program deploys."""

import re

import pytest

from tests.deployed import ROOT, Deployed, deploy_program
from tests.modes import MODES, mode_config, shared_cloud

PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
SHORT = dict(re.findall(r"`(GROUP|SERVICE)` is\s+`([^`]+)`", PAGE))


def ids() -> dict[str, str]:
    """The pattern of each type's ID, as the page has it."""
    table = dict(re.findall(r"^\| `([\w:/-]+:\w+)` \| `([^`]+)` \|", PAGE, re.MULTILINE))
    for kind, given in table.items():
        text = re.sub("SERVICE|GROUP", lambda found: SHORT[found[0]].replace("GROUP", SHORT["GROUP"]), given)
        scope, between = (r"/.+", "[^/]+")
        pieces = re.split(r"(\{\w+\})", text)
        table[kind] = "".join(
            {"{scope}": scope}.get(piece, between) if piece.startswith("{") else re.escape(piece) for piece in pieces
        )
    return table


@pytest.fixture(scope="module", params=sorted(MODES))
def deployed(request: pytest.FixtureRequest) -> Deployed:
    return deploy_program(mode_config(request.param), shared_cloud())


def test_the_page_says_how_to_import_every_resource(deployed: Deployed) -> None:
    known = ids()

    found = {entry.type: entry.id for entry in deployed.registrations if entry.id and "providers:" not in entry.type}

    assert len(found) > 5
    assert not {kind: own for kind, own in found.items() if not re.fullmatch(known.get(kind, ""), own)}
