"""The policies that the gateway executes, one file each; a file registers what it declares as a `Policy`.

`base` and `include-fragment` are read with the document.
"""

from importlib import import_module
from pkgutil import iter_modules

from apim_emulator.gateway.loading.policy import Policy

POLICIES = {
    declared.element: declared
    for module in sorted(iter_modules(__path__), key=lambda found: found.name)
    for declared in vars(import_module(f"{__name__}.{module.name}")).values()
    if isinstance(declared, Policy)
}
"""By element name."""
