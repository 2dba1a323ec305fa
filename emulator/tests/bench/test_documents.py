"""The count of public documents that load, on documents made here."""

import os
import subprocess
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from emulator.bench.counting import measure
from emulator.bench.documents import by_repository
from emulator.bench.documents_page import page
from emulator.bench.loading import BACKENDS, CERTIFICATES, FRAGMENTS, NAMED_VALUES, PLACEHOLDERS, STAND_INS, load
from emulator.bench.repositories import File, files

GOOD = """<!-- with a fragment, a backend and named values of every kind -->
<policies><inbound><base /><include-fragment fragment-id="team-check-key" />
<validate-azure-ad-token tenant-id="{{tenant}}"><client-application-ids><application-id>{{app}}</application-id>
</client-application-ids></validate-azure-ad-token><set-backend-service backend-id="b-{{stage}}" />
<set-variable name="v" value="@("{{text}}" == "<" && {{flag}})" />
<send-request mode="new" response-variable-name="r"><set-url>{{url}}</set-url></send-request></inbound></policies>"""
FRAGMENT = """<fragment><rewrite-uri template="${path}" /></fragment>"""
BAD = "<policies><inbound>\n<unknown/></inbound></policies>"
BROKEN = "<policies><inbound></policies>"
DOCUMENTS = {
    "a/good.xml": GOOD,
    "a/frag-check-key.xml": FRAGMENT,
    "a/same.xml": GOOD,
    "bad.xml.tpl": BAD,
    "broken.xml": BROKEN,
    "other.xml": "<settings/>",
    "notes.txt": GOOD,
}


@pytest.fixture(params=["folder", "git directory"])
def repository(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    folder = tmp_path / "owner+one"
    for name, text in DOCUMENTS.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    if request.param == "folder":
        return folder
    made = tmp_path / "repositories" / "owner+one" / "repo"
    identity = ["-c", "user.name=n", "-c", "user.email=e@example.com"]
    for arguments in (["init", "-q"], ["add", "."], [*identity, "commit", "-q", "-m", "m"]):
        # A hook of Git that runs these tests has the repository that it belongs to in the environment.
        own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        subprocess.run(["git", *arguments], cwd=folder, env=own, check=True)  # noqa: S603, S607 - git, in a folder made here
    made.parent.mkdir(parents=True)
    (folder / ".git").rename(made)
    return tmp_path / "repositories"


def test_documents_are_counted_with_the_reason_for_each_that_does_not_load(repository: Path) -> None:
    (result,) = measure(files(repository)).items()

    name, found = result
    reasons = {file.path: [(problem.line, problem.reason) for problem in problems] for file, problems in found.refused}
    assert (name, found.documents, found.repeated, found.loaded) == ("owner/one", 4, 1, 2)
    assert reasons["bad.xml.tpl"] == [(2, "policy is not supported")]
    assert "well-formed" in reasons["broken.xml"][0][1]
    assert found.needs == Counter({NAMED_VALUES: 2, PLACEHOLDERS: 1, BACKENDS: 1, FRAGMENTS: 1})


def document(text: str) -> File:
    return File("one", "policy.xml", f"<policies><inbound>{text}</inbound></policies>")


@pytest.mark.parametrize(
    "text",
    [
        '<rate-limit calls="{calls}" renewal-period="60" />',
        '<rate-limit calls="#calls#" renewal-period="60" />',
        '<rate-limit calls="#{calls}#" renewal-period="60" />',
        '<rate-limit calls="$(calls)" renewal-period="60" />',
        '<rate-limit calls="__calls__" renewal-period="60" />',
        '<rate-limit calls="${calls}" renewal-period="60" />',
        '<set-backend-service base-url="<YOUR URL>" />',
        "<base />\n{more}",
        "<cors><allowed-origins>${origins}</allowed-origins></cors>",
        '%{ if a ~}<set-method>GET</set-method>%{ else }%{ if b }<x/>%{ endif }<y/>%{ endif }<base/>',
    ],
)  # fmt: skip
def test_placeholders_of_other_tools_are_filled_and_told(text: str) -> None:
    loading = load(document(text), {})

    assert (loading.problems, PLACEHOLDERS in loading.needs) == ((), True)


@pytest.mark.parametrize(
    "text",
    ['<rewrite-uri template="{id}" />', '<set-variable name="v" value="{id}" />', "<set-body>{id}</set-body>"],
)
def test_braces_that_load_as_they_are_stay(text: str) -> None:
    assert PLACEHOLDERS not in load(document(text), {}).needs


@pytest.mark.parametrize("name", ['certificate-id="c"', 'certificate-id="c-{{stage}}"', 'thumbprint="{{thumb}}"'])
def test_certificates_are_made_up(name: str) -> None:
    assert CERTIFICATES in load(document(f"<authentication-certificate {name} />"), {}).needs


def test_a_fragment_that_the_repository_lacks_is_stood_in_for() -> None:
    assert load(document('<include-fragment fragment-id="f" />'), {}).needs == {STAND_INS}


def test_the_page_has_documents_reasons_and_expressions_by_repository() -> None:
    found = [
        document('<set-variable name="a" value="@(1 + 1)" />'),
        File("other/two", "a.xml", '<policies><inbound><jump if="@(1 + 1)" unless="@(2)" /></inbound></policies>'),
    ]
    own = {name: len(texts) for name, texts in by_repository(found).items()}

    written = page(measure(found), own, None, date(2026, 1, 2))

    assert "**1 of 2 documents of 2 repositories load (50.0%).**" in written
    assert "| policy is not supported | it breaks a rule of API Management | 1 |" in written.replace("jump: ", "")
    assert "| one | 1 | 0 | 1 |  | 1 |" in written
    assert "| other/two | 1 | 0 | 0 | 1 times jump: policy is not supported | 1 |" in written
