import pytest

from apim_emulator.azure import Cloud
from apim_emulator.clock import Clock
from emulator.tests.azure.azure import SECRETS_USER, Azure

SECRET_URI = "https://kv-contoso.vault.azure.net/secrets/openai-key"
HOUR, DAY = 3600.0, 86400.0


@pytest.fixture
def clock() -> Clock:
    return Clock(1_700_000_000)


@pytest.fixture
def azure(clock: Clock) -> Azure:
    return Azure(Cloud(clock=clock))


def reading(azure: Azure, identifier: str = SECRET_URI) -> tuple[str, str]:
    """Secret and a named value that refers to it."""
    principal = azure.service()[1]["identity"]["principalId"]
    vault_id, _ = azure.vault()
    secret_id, outputs = azure.secret("one")
    azure.role(principal, vault_id, SECRETS_USER)
    identifier = outputs["properties"]["secretUriWithVersion"] if identifier == "version" else identifier
    return secret_id, azure.named_value("key", secret=True, keyVault={"secretIdentifier": identifier})[0]


def served(azure: Azure) -> str:
    return azure.cloud.gateways()[0].named_values["key"]


def test_a_named_value_follows_its_secret_within_four_hours(azure: Azure, clock: Clock) -> None:
    secret_id, _ = reading(azure)
    clock.advance(HOUR)
    azure.change("keyvault:Secret", secret_id, properties={"value": "two"})
    version = azure.cloud.version

    assert served(azure) == "one"
    clock.advance(3 * HOUR - 1)
    assert served(azure) == "one"
    assert azure.cloud.version == version
    clock.advance(1)
    assert azure.cloud.version > version
    assert served(azure) == "two"

    clock.advance(HOUR)
    azure.change("keyvault:Secret", secret_id, properties={"value": "three"})
    clock.advance(3 * HOUR - 1)
    assert served(azure) == "two"
    clock.advance(1)
    assert served(azure) == "three"


def test_what_changed_after_it_was_read_last_is_not_seen_early(azure: Azure, clock: Clock) -> None:
    secret_id, _ = reading(azure)
    clock.advance(5 * HOUR)

    azure.change("keyvault:Secret", secret_id, properties={"value": "two"})

    assert served(azure) == "one"
    clock.advance(3 * HOUR)
    assert served(azure) == "two"


def test_a_named_value_with_a_version_keeps_to_it(azure: Azure, clock: Clock) -> None:
    secret_id, named_value = reading(azure, "version")
    changed = azure.change("keyvault:Secret", secret_id, properties={"value": "two"})
    clock.advance(30 * DAY)
    assert served(azure) == "one"

    identifier = changed["properties"]["secretUriWithVersion"]
    azure.change("apimanagement:NamedValue", named_value, keyVault={"secretIdentifier": identifier})

    assert served(azure) == "two"


def test_a_change_of_the_named_value_reads_the_secret_at_once(azure: Azure) -> None:
    secret_id, named_value = reading(azure)
    azure.change("keyvault:Secret", secret_id, properties={"value": "two"})

    azure.change("apimanagement:NamedValue", named_value, tags=["rotated"])

    assert served(azure) == "two"


def test_a_value_in_place_of_the_reference_is_not_read_again(azure: Azure, clock: Clock) -> None:
    _, named_value = reading(azure)

    azure.change("apimanagement:NamedValue", named_value, keyVault=None, value="mine")
    clock.advance(5 * HOUR)

    assert served(azure) == "mine"
