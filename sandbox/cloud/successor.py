"""A deployment after an earlier one: what changes in place, and what goes because the program names it no more."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sandbox.cloud.cloud import Cloud
from sandbox.cloud.errors import CloudError
from sandbox.cloud.registration import Registration


class Successor:
    """Changes a cloud from what an earlier deployment made to what the next one asks for, as the engine does.

    It replaces nothing: which resources go first, and which of their dependents, is the engine's own business.
    """

    def __init__(self, cloud: Cloud, before: Sequence[Registration]) -> None:
        """Begin with what is there."""
        self._cloud = cloud
        self.before = {found.urn: found for found in before if found.owned}

    def changed(self, type_: str, urn: str, inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]] | None:
        """ID and outputs of a resource that exists, updated if its inputs differ; None for a new one."""
        found = self.before.get(urn)
        if found is None:
            return None
        difference = self._cloud.diff(type_, found.inputs, inputs)
        if difference.replace:
            raise CloudError(
                "NotSupported",
                f"{', '.join(difference.replace)} needs a new resource; replace it with the Pulumi engine",
                difference.replace[0],
            )
        if not self._cloud.is_kept(type_):
            return found.id, dict(found.outputs)
        if difference.changed:
            return found.id, self._cloud.update(type_, found.id, inputs)
        return found.id, self._cloud.read(type_, found.id)

    def left(self, registered: frozenset[str]) -> Iterator[Registration]:
        """List what the next deployment did not register, in the order in which it can be deleted."""
        return (found for urn, found in reversed(self.before.items()) if urn not in registered)

    def delete(self, found: Registration, going: frozenset[str]) -> None:
        """Delete one of several resources that go, given by URN; one that goes with another of them needs no call."""
        if found.retained or found.deleted_with in going or not self._cloud.is_kept(found.type):
            return
        try:
            self._cloud.delete(found.id)
        except CloudError as error:
            if error.code != "ResourceNotFound":
                raise
