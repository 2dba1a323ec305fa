"""Databases as those who connect to them find them."""

from collections.abc import Collection

from apim_emulator.azure.providers.redisenterprise import CLUSTER, DATABASE
from apim_emulator.azure.state import State


def can_search(state: State, connection_string: str, private_hosts: Collection[str] = ()) -> bool:
    """Whether a connection string such as `HOST:10000,password=KEY,ssl=True` opens a database with RediSearch.

    `private_hosts` are those that the caller resolves to private endpoints; others need the cluster's public access.
    """
    endpoint, *settings = connection_string.split(",")
    given = {name.strip().lower(): value for name, _, value in (setting.partition("=") for setting in settings)}
    for cluster in state.of(CLUSTER):
        for database in state.of(DATABASE, under=cluster.id):
            found = database.outputs
            if (
                endpoint.strip().lower() == f"{cluster.outputs['hostName']}:{found['port']}"
                and (cluster.inputs["publicNetworkAccess"] == "Enabled" or cluster.outputs["hostName"] in private_hosts)
                and found["accessKeysAuthentication"] == "Enabled"
                and given.get("password") in database.private["keys"]
                and (given.get("ssl", "").lower() == "true") == (found["clientProtocol"] == "Encrypted")
            ):
                return any(module["name"] == "RediSearch" for module in found.get("modules") or ())
    return False
