"""A deployment after an earlier one: what changes in place, and what goes because the program names it no more."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from apim_emulator.azure.cloud import Cloud
from apim_emulator.azure.exceptions import NOT_FOUND, CloudError
from apim_emulator.pulumi.registration import Registration


class StackUpdate:
    """Changes a cloud from what an earlier deployment made to what the next one asks for, as the engine does.

    A resource is known by its URN; aliases are not followed. What cannot change in place is deleted and made anew when
    its turn comes. The engine deletes what depends on it first; here that is found gone when its own turn comes.
    """

    def __init__(self, cloud: Cloud, before: Sequence[Registration]) -> None:
        """Begin with what is there."""
        self._cloud = cloud
        self.before = {found.urn: found for found in before if found.owned}

    def update(self, type_: str, urn: str, inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]] | None:
        """ID and outputs of a resource that exists, updated if its inputs differ; None for one to be created."""
        found = self.before.get(urn)
        if found is None:
            return None
        # A location from the stack's configuration is among the new inputs, and was registered without.
        old = {"location": found.outputs.get("location"), **found.inputs} if "location" in inputs else found.inputs
        difference = self._cloud.diff(type_, old, inputs)
        if difference.replace:
            self.delete(found)
            return None
        if not self._cloud.is_kept(type_):
            return found.id, dict(found.outputs)
        try:
            outputs = self._cloud.read(type_, found.id)
        except CloudError as error:
            if error.code != NOT_FOUND:
                raise
            return None
        return found.id, self._cloud.update(type_, found.id, inputs) if difference.changed else outputs

    def removed(self, registered: frozenset[str]) -> Iterator[Registration]:
        """List what the next deployment did not register, in the order in which it can be deleted."""
        return (found for urn, found in reversed(self.before.items()) if urn not in registered)

    def delete(self, found: Registration, going: frozenset[str] = frozenset()) -> None:
        """Delete a resource; one that goes with another of those that are `going`, given by URN, needs no call."""
        if found.protected:
            raise CloudError("Protected", f"{found.urn} cannot be deleted because it is protected", found.urn)
        if found.retained or found.deleted_with in going or not self._cloud.is_kept(found.type):
            return
        try:
            self._cloud.delete(found.id)
        except CloudError as error:
            if error.code != NOT_FOUND:
                raise
