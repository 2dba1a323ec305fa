"""`docs/operations.md` is true of what the program deploys."""

import re

import pytest

from tests.deployed import ROOT, Deployed, deploy_program
from tests.modes import MODES, mode_config, shared_cloud

pytestmark = pytest.mark.slow

PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
SHORT = dict(re.findall(r"`(GROUP|SERVICE)` is\s+`([^`]+)`", PAGE))


def ids() -> dict[str, list[str]]:
    """The patterns of each type's IDs, as the page has them."""
    patterns: dict[str, list[str]] = {}
    for kind, given in re.findall(r"^\| `([\w:/-]+:\w+)` \| `([^`]+)` \|", PAGE, re.MULTILINE):
        text = re.sub("SERVICE|GROUP", lambda found: SHORT[found[0]].replace("GROUP", SHORT["GROUP"]), given)
        scope, between = (r"/.+", "[^/]+")
        pieces = re.split(r"(\{\w+\})", text)
        pattern = "".join(
            {"{scope}": scope}.get(piece, between) if piece.startswith("{") else re.escape(piece) for piece in pieces
        )
        patterns.setdefault(kind, []).append(pattern)
    return patterns


@pytest.fixture(scope="module", params=sorted(MODES))
def deployed(request: pytest.FixtureRequest) -> Deployed:
    return deploy_program(mode_config(request.param), shared_cloud())


def test_the_page_says_how_to_import_every_resource(deployed: Deployed) -> None:
    known = ids()

    found = {(one.type, one.id) for one in deployed.registrations if one.id and "providers:" not in one.type}

    assert len({kind for kind, _ in found}) > 5
    assert not [(kind, own) for kind, own in found if not any(re.fullmatch(id_, own) for id_ in known.get(kind, ()))]
