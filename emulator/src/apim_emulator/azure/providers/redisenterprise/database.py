"""The database of a cluster, its modules and its keys."""

from dataclasses import replace
from typing import Any

from apim_emulator.azure.exceptions import ValidationError
from apim_emulator.azure.providers.access_keys import new_key
from apim_emulator.azure.providers.redisenterprise import DATABASE, NAME, PATH
from apim_emulator.azure.providers.redisenterprise.exceptions import BadRequestError
from apim_emulator.azure.resource_types import Function, Shape, Text, arm_type, existing, get_function
from apim_emulator.azure.state import Properties, Resource, State

_DATABASES = f"{PATH}/databases"
_ONLY = "default"
"""Name of a cluster's one database. Inferred: every sample and azurerm's `default_database` call it so."""
_MODULES = ("RediSearch", "RedisJSON", "RedisBloom", "RedisTimeSeries")
_ON_FLASH = "RedisJSON"
_KEYS = ("primaryKey", "secondaryKey")

_DEFAULTS = {
    "accessKeysAuthentication": "Disabled",
    "clientProtocol": "Encrypted",
    "clusteringPolicy": "OSSCluster",
    "evictionPolicy": "VolatileLRU",
    "port": 10000,
}
"""What stands for properties left out (Microsoft.Cache 2025-07-01; since that version keys are off)."""


def _complete(_state: State, resource: Resource, parent: Resource) -> None:
    if resource.name != _ONLY:
        raise BadRequestError(f"the name of the database is {resource.name!r}; it must be {_ONLY!r}", "databaseName")
    resource.outputs = {**_DEFAULTS, **resource.outputs, "provisioningState": "Succeeded", "resourceState": "Running"}
    for module in resource.inputs.get("modules") or ():
        _check_module(resource.outputs, parent.outputs["sku"]["name"], module["name"])
    resource.private.setdefault("keys", (new_key(), new_key()))


def _check_module(database: Properties, sku: str, module: str) -> None:
    """Refuse a module where the service lacks it ("Plan for Redis modules"; the words are ours)."""
    if module not in _MODULES:
        raise BadRequestError(f"modules: {module!r} is not one of {', '.join(_MODULES)}", "modules")
    if "Flash" in sku and module != _ON_FLASH:
        raise BadRequestError(f"modules: {module} is not available on {sku}, where only {_ON_FLASH} is", "modules")
    if module == "RediSearch":
        for name, needed in (("clusteringPolicy", "EnterpriseCluster"), ("evictionPolicy", "NoEviction")):
            if database[name] != needed:
                raise BadRequestError(f"{name} is {database[name]}; the module RediSearch needs {needed}", name)


def _unless_no_cluster(old: Any, _new: Any) -> bool:
    """Allow a change from `NoCluster` alone (ARM: `ClusteringPolicy`)."""
    return bool(old != "NoCluster")


TYPE = arm_type(
    token=DATABASE,
    path=_DATABASES,
    names="clusterName databaseName",
    shape=Shape(
        "clusterName resourceGroupName",
        "accessKeysAuthentication clientProtocol clusteringPolicy databaseName deferUpgrade evictionPolicy "
        "geoReplication modules persistence port",
        accessKeysAuthentication=Text(values=("Enabled", "Disabled")),
        clientProtocol=Text(values=("Encrypted", "Plaintext")),
        clusteringPolicy=Text(values=("EnterpriseCluster", "OSSCluster", "NoCluster")),
        evictionPolicy=Text(
            values=(
                *(f"AllKeys{kind}" for kind in ("LFU", "LRU", "Random")),
                *(f"Volatile{kind}" for kind in ("LRU", "LFU", "TTL", "Random")),
                "NoEviction",
            )
        ),
        modules=Shape("name", "args"),
    ),
    complete=_complete,
    pattern=NAME,
    # "Modules can only be added at creation time"; of the port, "specified at create time" (ARM: `DatabaseProperties`).
    immutable={
        "clusteringPolicy": _unless_no_cluster,
        "modules": lambda _old, _new: True,
        "port": lambda _old, _new: True,
    },
)


def _list_keys(state: State, args: Properties) -> Properties:
    database = existing(state, _DATABASES, args, "clusterName databaseName")
    if database.outputs["accessKeysAuthentication"] != "Enabled":
        # Inferred: no source shows how the service words it.
        raise BadRequestError(
            f"the keys of {database.id} cannot be listed: accessKeysAuthentication is Disabled", "databaseName"
        )
    return dict(zip(_KEYS, database.private["keys"], strict=True))


def regenerate_database_key(state: State, database: Resource, key: str) -> None:
    """Put a new key in the place of one ("Databases - Regenerate Key")."""
    kinds = {"Primary": 0, "Secondary": 1}
    if key not in kinds:
        raise ValidationError(f"keyType {key!r} is not {' or '.join(kinds)}", "keyType")
    keys = tuple(new_key() if at == kinds[key] else old for at, old in enumerate(database.private["keys"]))
    state.put(replace(database, private=database.private | {"keys": keys}))


GET = get_function("azure-native:redisenterprise:getDatabase", _DATABASES, "clusterName databaseName")
LIST_KEYS = Function("azure-native:redisenterprise:listDatabaseKeys", _list_keys)
