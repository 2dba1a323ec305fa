"""The record of every typed policy, one module each under the name of the module that declares the type."""

from importlib import import_module
from pkgutil import iter_modules

from tests.policies.record import DECLARED

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")
RECORDS = dict(sorted(DECLARED.items()))
"""By element name."""
