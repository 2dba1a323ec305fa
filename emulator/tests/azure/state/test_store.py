"""A cloud in a file: several processes see one state, and never half a change."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from apim_emulator.azure import Cloud, CloudError
from apim_emulator.azure.state.store import FileStore
from apim_emulator.clock import Clock
from apim_emulator.errors import EmulatorError
from emulator.tests.azure.azure import OPENAI_USER, Azure

ROOT = Path(__file__).parents[4]
GROUP = "azure-native:resources:ResourceGroup"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / ".sandbox" / "cloud.db"


@pytest.fixture
def azure(path: Path) -> Iterator[Azure]:
    cloud = Cloud(path)
    yield Azure(cloud)
    cloud.close()


@pytest.fixture
def other(azure: Azure, path: Path) -> Iterator[Cloud]:
    """The same cloud as another process has it."""
    cloud = Cloud(path)
    yield cloud
    cloud.close()


def python(program: str, path: Path) -> "subprocess.Popen[str]":
    """Run a program with the cloud's file as its argument, in a process of its own."""
    prelude = "import sys\nfrom pathlib import Path\nfrom apim_emulator.azure import Cloud\n"
    prelude += "cloud = Cloud(Path(sys.argv[1]))\n"
    return subprocess.Popen(  # noqa: S603 - programs of these tests
        [sys.executable, "-c", prelude + program, str(path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
def test_another_process_sees_all_that_was_made(azure: Azure, path: Path) -> None:
    azure.service()
    azure.api()
    azure.named_value(value="s3cr3t", secret=True)
    account_id, _ = azure.account()
    principal = azure.identity()[1]["principalId"]
    azure.role(principal, account_id, OPENAI_USER)
    azure.cloud.add_caller("client")

    seen, errors = python(
        "import json\n"
        f"held = cloud.has_role({principal!r}, {OPENAI_USER!r}, {account_id!r})\n"
        "gateway, = cloud.gateways()\n"
        "print(json.dumps([cloud.tenant_id, held, cloud.accounts()[0].keys, gateway.named_values,"
        " [len(gateway.apis[0].operations), gateway.apis[0].path], cloud.applications()[0].secrets, cloud.version]))",
        path,
    ).communicate(timeout=60)

    assert errors == ""
    assert json.loads(seen) == [
        azure.cloud.tenant_id,
        True,
        list(azure.cloud.accounts()[0].keys),
        {"openai-api-key": "s3cr3t"},
        [len(azure.cloud.gateways()[0].apis[0].operations), "openai"],
        list(azure.cloud.applications()[0].secrets),
        azure.cloud.version,
    ]


def test_a_change_is_seen_at_once_both_ways(azure: Azure, other: Cloud) -> None:
    azure.service()
    named_value, _ = azure.named_value(value="one")
    assert other.gateways()[0].named_values == {"openai-api-key": "one"}

    _Adopted(other).change("apimanagement:NamedValue", named_value, value="two")

    assert azure.cloud.gateways()[0].named_values == {"openai-api-key": "two"}
    azure.cloud.delete(named_value)
    assert other.gateways()[0].named_values == {}


def test_everything_survives_but_what_was_refused(azure: Azure, path: Path) -> None:
    azure.service()
    api_id, _ = azure.api()
    with pytest.raises(CloudError):
        azure.policy("<set-backend-service backend-id='missing' />")
    gateways, accounts = azure.cloud.gateways(), azure.cloud.accounts()

    reopened = Cloud(path)

    assert (reopened.gateways(), reopened.accounts()) == (gateways, accounts)
    assert reopened.read("azure-native:apimanagement:Api", api_id)["path"] == "openai"
    reopened.close()


def test_resources_keep_their_order(azure: Azure, other: Cloud) -> None:
    azure.service()
    for name in ("b", "c", "a"):
        azure.backend(name)
    azure.change("apimanagement:Backend", f"{azure.service_id()}/backends/c", description="new")

    assert [found.id for found in other.gateways()[0].backends] == ["b", "c", "a"]
    assert [found.id for found in azure.cloud.gateways()[0].backends] == ["b", "c", "a"]


def test_generated_names_do_not_repeat_across_processes(azure: Azure, other: Cloud) -> None:
    inputs = {"location": "swedencentral"}

    names = {cloud.create(GROUP, "group", inputs)[1]["name"] for cloud in (azure.cloud, other, azure.cloud, other)}

    assert len(names) == 4


def test_the_version_grows_with_each_change_of_anybody(azure: Azure, other: Cloud) -> None:
    versions = [other.version]
    for change in (
        azure.account,
        lambda: other.create(GROUP, "group", {"location": "swedencentral"}),
        lambda: other.delete(azure.identity()[0]),
    ):
        change()
        assert azure.cloud.version == other.version
        versions.append(other.version)

    assert versions == sorted(set(versions))
    azure.cloud.read(GROUP, azure.group_id())
    with pytest.raises(CloudError):
        other.delete("/subscriptions/x")
    assert azure.cloud.version == versions[-1]


def test_a_store_keeps_its_seed_and_its_subscription(azure: Azure, path: Path) -> None:
    reopened = Cloud(path, seed="another", subscription_id="22222222-2222-2222-2222-222222222222")

    assert (reopened.tenant_id, reopened.subscription_id) == (azure.cloud.tenant_id, azure.cloud.subscription_id)
    reopened.close()


def test_soft_deleted_resources_stay_taken_for_others(azure: Azure, path: Path) -> None:
    service_id, _ = azure.service()
    azure.cloud.delete(service_id)
    clock = Clock()
    other = Cloud(path, clock=clock)

    with pytest.raises(CloudError, match="ServiceAlreadyExistsInSoftDeletedState"):
        Azure.service(_Adopted(other))

    clock.advance(48 * 3600 + 1)
    assert Azure.service(_Adopted(other))[0] == service_id
    assert len(azure.cloud.gateways()) == 1
    other.close()


class _Adopted(Azure):
    """A cloud that has its resource group already."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud


@pytest.mark.parametrize("folder", [".sandbox", "."], ids=["new-folder", "old-folder"])
def test_only_its_owner_may_read_the_file(tmp_path: Path, folder: str) -> None:
    path = tmp_path / folder / "cloud.db"

    cloud = Cloud(path)
    Azure(cloud).account()

    files = sorted(file.name for file in path.parent.iterdir() if file.is_file())
    assert files == ["cloud.db", "cloud.db-shm", "cloud.db-wal"]
    assert {file.stat().st_mode & 0o777 for file in path.parent.iterdir() if file.is_file()} == {0o600}
    cloud.close()


def test_a_file_that_others_could_read_is_closed_to_them(azure: Azure, path: Path) -> None:
    path.chmod(0o644)

    Cloud(path).close()

    assert path.stat().st_mode & 0o777 == 0o600


def test_no_representation_of_a_stored_cloud_shows_a_key(azure: Azure) -> None:
    azure.account()

    shown = repr((azure.cloud, vars(azure.cloud), vars(azure.cloud._store)))

    assert not any(key in shown for key in azure.cloud.accounts()[0].keys)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"no database at all, but long enough to look like one" * 9, "not a database", id="other-file"),
        pytest.param(b"", "not a cloud of this version", id="empty-file"),
        pytest.param(None, "unable to open", id="folder"),
    ],
)
def test_what_is_no_cloud_is_refused_and_left_alone(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "cloud.db"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    mode = path.stat().st_mode

    with pytest.raises(EmulatorError, match=message) as refusal:
        Cloud(path)

    assert str(refusal.value).startswith(str(path))
    assert "\n" not in str(refusal.value)
    assert path.stat().st_mode == mode
    assert content is None or path.read_bytes() == content


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(EmulatorError, match="choose a folder that can be written"):
        Cloud(tmp_path / "file" / "cloud.db")


def test_a_change_under_way_elsewhere_is_waited_for_and_then_named(
    azure: Azure, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apim_emulator.azure.state.store._BUSY", 0.01)
    impatient = Cloud(path)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")

    with pytest.raises(EmulatorError, match="locked"):
        impatient.create(GROUP, "group", {"location": "swedencentral"})
    assert impatient.read(GROUP, azure.group_id())["name"] == "rg"

    connection.execute("ROLLBACK")
    connection.close()
    assert impatient.create(GROUP, "group", {"location": "swedencentral"})[0]
    impatient.close()


@pytest.mark.slow
def test_a_process_killed_inside_a_change_leaves_nothing_of_it(azure: Azure, path: Path) -> None:
    azure.service()
    version = azure.cloud.version
    process = python(
        "from apim_emulator.azure.state.store import _rows\n"
        "with cloud._changing() as state:\n"
        "    before = _rows(state)\n"
        "    state.remove(next(state.all()).id)\n"
        "    cloud._store._save(before, state.given)\n"
        "    print('inside', flush=True)\n"
        "    sys.stdin.read()\n",
        path,
    )
    assert process.stdout
    assert process.stdout.readline() == "inside\n"

    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)

    assert azure.cloud.version == version
    assert len(azure.cloud.gateways()) == 1
    azure.api()
    assert azure.cloud.version == version + 1


def test_a_change_that_cannot_be_written_is_not_kept_in_memory(azure: Azure, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_args: object) -> int:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(FileStore, "_save", full)
        with pytest.raises(EmulatorError, match="disk is full"):
            azure.account()

    assert azure.cloud.accounts() == ()
    azure.account()
    assert len(azure.cloud.accounts()) == 1


@pytest.mark.slow
def test_writers_at_once_lose_nothing(azure: Azure, path: Path) -> None:
    program = (
        "for _ in range(25):\n"
        f"    cloud.create({GROUP!r}, 'group', {{'location': 'swedencentral'}})\n"
        "print(cloud.version)"
    )
    before = azure.cloud.version

    processes = [python(program, path) for _ in range(4)]
    results = [process.communicate(timeout=120) for process in processes]

    assert [errors for _, errors in results] == [""] * 4
    assert azure.cloud.version == before + 100
    assert max(int(version) for version, _ in results) == before + 100
    names = {found.name for found in azure.cloud._store.state.of(GROUP)}
    assert len(names) == 101


def test_threads_at_once_lose_nothing(azure: Azure, other: Cloud) -> None:
    before = other.version

    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda _: azure.cloud.create(GROUP, "group", {"location": "swedencentral"}), range(40)))

    assert len({resource_id for resource_id, _ in made}) == 40
    assert other.version == before + 40
    assert [other.read(GROUP, resource_id) for resource_id, _ in made] == [outputs for _, outputs in made]


@pytest.mark.slow
def test_processes_that_start_at_once_make_one_cloud(path: Path) -> None:
    program = f"print(cloud.create({GROUP!r}, 'group', {{'location': 'swedencentral'}})[0])"

    processes = [python(program, path) for _ in range(4)]
    results = [process.communicate(timeout=120) for process in processes]

    assert [errors for _, errors in results] == [""] * 4
    assert len({made for made, _ in results}) == 4
    assert [file.name for file in path.parent.iterdir() if file.suffix not in {".db-wal", ".db-shm"}] == ["cloud.db"]
