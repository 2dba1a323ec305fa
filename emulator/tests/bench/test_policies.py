"""The count of public documents that load, on documents made here."""

import os
import subprocess
from pathlib import Path

import pytest

from emulator.bench.policies import measure
from emulator.bench.repositories import files

GOOD = """<!-- with a fragment, a backend and named values of every kind -->
<policies><inbound><base /><include-fragment fragment-id="team-check-key" />
<validate-azure-ad-token tenant-id="{{tenant}}"><client-application-ids><application-id>{{app}}</application-id>
</client-application-ids></validate-azure-ad-token><set-backend-service backend-id="b" />
<set-variable name="v" value="@("{{text}}" == "<" && {{flag}})" />
<send-request mode="new" response-variable-name="r"><set-url>{{url}}</set-url></send-request></inbound></policies>"""
FRAGMENT = """<fragment><rewrite-uri template="${path}" /></fragment>"""
BAD = "<policies><inbound>\n<unknown/></inbound></policies>"
BROKEN = "<policies><inbound></policies>"
DOCUMENTS = {
    "a/good.xml": GOOD,
    "a/frag-check-key.xml": FRAGMENT,
    "bad.xml.tpl": BAD,
    "broken.xml": BROKEN,
    "template.xml.tpl": f"%{{ if x }}{BAD}%{{ endif }}",
    "other.xml": "<settings/>",
    "notes.txt": GOOD,
}


@pytest.fixture(params=["folder", "git directory"])
def repository(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    folder = tmp_path / "one"
    for name, text in DOCUMENTS.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    if request.param == "folder":
        return folder
    made = tmp_path / "repositories" / "one" / "repo"
    identity = ["-c", "user.name=n", "-c", "user.email=e@example.com"]
    for arguments in (["init", "-q"], ["add", "."], [*identity, "commit", "-q", "-m", "m"]):
        # A hook of Git that runs these tests has the repository that it belongs to in the environment.
        own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        subprocess.run(["git", *arguments], cwd=folder, env=own, check=True)  # noqa: S603, S607 - git, in a folder made here
    made.parent.mkdir(parents=True)
    (folder / ".git").rename(made)
    return tmp_path / "repositories"


def test_documents_are_counted_with_the_reason_for_each_that_does_not_load(repository: Path) -> None:
    (result,) = measure(list(files(repository))).items()

    name, found = result
    reasons = {file.path: [(problem.line, problem.reason) for problem in problems] for file, problems in found.refused}
    assert (name, found.documents, found.parsed, found.loaded) == ("one", 4, 3, 2)
    assert reasons["bad.xml.tpl"] == [(2, "policy is not supported")]
    assert "well-formed" in reasons["broken.xml"][0][1]
