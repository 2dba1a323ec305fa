"""The record of every policy, one module each under the name of the module that executes it."""

from importlib import import_module
from pkgutil import iter_modules

from emulator.tests.gateway.policies.record import Record

RECORDS = {
    declared.policy: declared
    for module in sorted(iter_modules(__path__), key=lambda found: found.name)
    for declared in vars(import_module(f"{__name__}.{module.name}")).values()
    if isinstance(declared, Record)
}
"""By element name."""
