"""Faults on demand: what a deployment must survive, made to happen."""

import json
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from apim_emulator import environment
from apim_emulator.azure.exceptions import CloudError
from apim_emulator.errors import EmulatorError

CRASHED = 86
"""Exit code of a process that crashed on demand."""

AZURE = {
    "azure-native:resources:ResourceGroup": 2.0,
    "azure-native:apimanagement:ApiManagementService": 1800.0,
    "azure-native:apimanagement:Api": 8.0,
    "azure-native:apimanagement:NamedValue": 6.0,
    "azure-native:cognitiveservices:Account": 20.0,
    "azure-native:cognitiveservices:Deployment": 8.0,
    "azure-native:keyvault:Vault": 30.0,
    "azure-native:authorization:RoleAssignment": 5.0,
    "azuread:index/application:Application": 10.0,
}
"""Seconds that creations take on Azure, in the order of magnitude (inferred)."""

_RETRY_AFTER = 10.0
"""Seconds after which a throttled caller may come back."""


@dataclass(kw_only=True, slots=True)
class Faults:
    """What goes wrong in a cloud; nothing by default. All counts are those of this process."""

    fail: Mapping[str, str] = field(default_factory=dict)
    """Error codes with which resources of a type are refused when they are created or updated, by type token."""
    delay: Mapping[str, float] = field(default_factory=dict)
    """Seconds that the creation of a resource takes, by type token."""
    throttle: Mapping[str, int] = field(default_factory=dict)
    """How many calls that change a resource of a type are first refused with 429, by type token."""
    crash_after: int | None = None
    """Number of changes after which the process exits, before it can tell of the last one."""
    role_delay: float = 0.0
    """Seconds until a new role assignment has an effect."""
    time_scale: float = 1.0
    """Factor for all times."""
    sleep: Callable[[float], None] = time.sleep
    leave: Callable[[int], Any] = os._exit
    _refused: Counter[str] = field(default_factory=Counter, init=False, repr=False)
    _changes: int = field(default=0, init=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False, compare=False)

    @classmethod
    def parse(cls, value: object, types: Collection[str], source: str = "faults") -> "Faults":
        """Read faults from a mapping: the fields above, where `delay` may be `azure` for the times of real Azure.

        Such as `{"fail": {"azure-native:apimanagement:NamedValue": "InternalServerError"}, "delay": "azure",
        "time_scale": 0.001, "throttle": {"azure-native:apimanagement:Api": 2}, "crash_after": 5}`; `types` are the
        tokens that exist. Raises `EmulatorError` in one line that begins with `source`.
        """
        checks: dict[str, Callable[[Any], bool]] = {
            "fail": lambda code: isinstance(code, str) and bool(code),
            "delay": lambda seconds: _is_number(seconds) and seconds >= 0,
            "throttle": _is_count,
        }
        if not isinstance(value, Mapping):
            raise EmulatorError(f"{source}: must be an object with some of {_NAMES}")
        given: dict[str, Any] = dict(value)
        if given.get("delay") == "azure":
            given["delay"] = AZURE
        for name, found in given.items():
            if name in checks:
                _check_types(f"{source}: {name}", found, checks[name], types)
            elif name == "crash_after":
                if not _is_count(found) or found < 1:
                    raise EmulatorError(f"{source}: crash_after is {found!r}; it must be a whole number from 1")
            elif name in {"role_delay", "time_scale"}:
                if not _is_number(found) or found < 0:
                    raise EmulatorError(f"{source}: {name} is {found!r}; it must be a number from 0")
            else:
                raise EmulatorError(f"{source}: {name!r} is not a fault; it takes {_NAMES}")
        return cls(**given)

    @classmethod
    def from_environment(cls, types: Collection[str], environ: Mapping[str, str] = os.environ) -> "Faults":
        """Read faults from the JSON in `APIM_EMULATOR_FAULTS`, as in `parse`; none where it is not set."""
        text = environment.read(environment.FAULTS, environ)
        if not text:
            return cls()
        try:
            value = json.loads(text)
        except ValueError as error:
            raise EmulatorError(
                f"{environment.FAULTS}: not JSON ({error}); write an object with some of {_NAMES}"
            ) from None
        return cls.parse(value, types, environment.FAULTS)

    def before(self, token: str, *, creating: bool = False, deleting: bool = False) -> None:
        """Wait, or refuse, before a call that changes a resource of a type."""
        with self._lock:
            throttled = self._refused[token] < self.throttle.get(token, 0)
            self._refused[token] += throttled
        if throttled:
            after = _RETRY_AFTER * self.time_scale
            raise CloudError("TooManyRequests", f"too many requests; try again in {after:g} s", retry_after=after)
        code = self.fail.get(token)
        if code and not deleting:
            raise CloudError(code, f"{token} fails on demand")
        if creating and token in self.delay:
            self.sleep(self.delay[token] * self.time_scale)

    def after(self) -> None:
        """Count a change that was made, and crash when it was the one to crash after."""
        with self._lock:
            self._changes += 1
            if self._changes == self.crash_after:
                self.leave(CRASHED)


_NAMES = "fail, delay, throttle, crash_after, role_delay, time_scale"


def _check_types(where: str, value: object, check: Callable[[Any], bool], types: Collection[str]) -> None:
    if not isinstance(value, Mapping):
        raise EmulatorError(f"{where} is {value!r}; it must be an object by type token")
    for token, found in value.items():
        if token not in types:
            raise EmulatorError(f"{where}: {token!r} is not a type that is modelled; write it like {min(types)}")
        if not check(found):
            raise EmulatorError(
                f"{where}: {token} is {found!r}; fail takes an error code, delay seconds, throttle calls"
            )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
