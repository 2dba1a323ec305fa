"""Every policy has a record, and so takes part in all tests of this folder."""

import pytest

from apim_emulator.gateway.loading import unsupported
from apim_emulator.gateway.policies import POLICIES
from emulator.tests.gateway.policies.records import RECORDS


@pytest.mark.parametrize("name", sorted(POLICIES))
def test_policy_has_a_record(name: str) -> None:
    module = POLICIES[name].compile.__module__.rpartition(".")[2]

    assert name in RECORDS, f"{name} has no record: declare Record({name!r}, ...) in policies/records/{module}.py"
    assert RECORDS[name].fails, f"{name}: tell in its record what it fails, or NeverFails and why"


def test_every_record_is_of_a_policy() -> None:
    assert RECORDS.keys() == POLICIES.keys()


def test_a_policy_is_either_run_or_listed_with_the_reason_why_not() -> None:
    assert not POLICIES.keys() & unsupported.POLICIES.keys()
    assert unsupported.SECTIONS.keys() <= unsupported.POLICIES.keys()
