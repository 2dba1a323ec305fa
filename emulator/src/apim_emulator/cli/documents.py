"""A policy document and what goes with it, read from a person's files; mistakes are told by file, line and column."""

import os
import re
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from apim_emulator.errors import EmulatorError
from apim_emulator.folders.named_values import read_named_values, read_text
from apim_emulator.folders.service import Documents, Keys, folder_files, read_service, state
from apim_emulator.gateway import PolicyLoadError
from apim_emulator.gateway.loading.document import GLOBAL
from apim_emulator.gateway.loading.placeholders import Fillings, with_placeholders
from apim_emulator.gateway.loading.plan import compile_plan
from apim_emulator.gateway.standalone import API, OPERATIONS, format_of, standalone
from apim_emulator.model import Product

__all__ = ["terms"]

PRODUCT = "product"
"""ID of the product whose document is served by itself, unless it is given another."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DocumentFiles:
    """A policy document, or a folder with a service, and what goes with it."""

    policy: Path
    named_values: Path | None = None
    fragments: Mapping[str, Path] = field(default_factory=dict)
    fillings: Sequence[str] = field(default=(), repr=False)
    """`NAME=VALUE` or `NAME`: what fills placeholders."""
    fillings_file: Path | None = None
    scope: str = "api"
    """Scope of a document by itself."""
    product: str | None = None
    """Product of a document by itself."""
    apis: frozenset[str] = frozenset()
    """APIs of a folder to which it is confined; empty: all."""

    def read(self, url: str, sku: str = "BasicV2", *, keys: Keys = lambda _: "", keyed: bool = False) -> Documents:
        """Read all for a service in front of `url`; raises `EmulatorError` with every mistake and all that is missing.

        `keys` gives the keys of subscriptions that a folder has; with `keyed`, APIs need one.
        """
        fillings = read_fillings(self.fillings, self.fillings_file)
        if self.policy.is_dir():
            found = read_service(
                self.policy, url, keys=keys, named_values=self.named_values, fragments=self.fragments,
                fillings=fillings, sku=sku, keyed=keyed,
            )  # fmt: skip
        else:
            found = self._one(url, sku, fillings, keyed=keyed)
        if self.apis:
            names = [one.id for one in found.gateway.apis]
            for name in sorted(self.apis.difference(names)):
                raise EmulatorError(f"--api {name}: is no API of {self.policy}; there are {', '.join(names)}")
            found = found.only(self.apis)
        lines = [*map(str, found.mistakes), *(self._told(found, *one) for one in found.missing())]
        if lines:
            # What is wrong with a folder's documents is told too; a document by itself is read once it is complete.
            lines += _refused(found) if self.policy.is_dir() else []
            raise EmulatorError("\n".join(lines))
        return replace(found, notes=(*found.notes, *unused(fillings)))

    def state(self) -> Hashable:
        """Return what differs once any of the files has changed, come or gone."""
        own = folder_files(self.policy) if self.policy.is_dir() else [self.policy]
        return state([*own, *filter(None, (self.named_values, self.fillings_file, *self.fragments.values()))])

    def _one(self, url: str, sku: str, fillings: Fillings, *, keyed: bool) -> Documents:
        """Read one document, at its scope in a service of one API."""
        values, secrets = read_named_values(self.named_values)
        text = fillings.fill(read_text(self.policy))
        fragments = {name: fillings.fill(read_text(path)) for name, path in self.fragments.items()}
        hidden = fillings.named_values
        own: dict[str, Any] = {"policy": text, "policy_format": format_of(text)}
        api: dict[str, Any] = {"subscription_required": keyed}
        if self.scope == "operation":
            api["operations"] = tuple(replace(one, **own) for one in OPERATIONS)
        name = self.product or PRODUCT
        product = Product(id=name, api_ids=frozenset({API}), subscription_required=keyed)
        is_products = self.scope == "product"
        product = replace(product, **own) if is_products else product
        gateway = standalone(
            text if self.scope == "api" else None, url, named_values=values | hidden,
            secret_names=secrets | hidden.keys(), fragments=fragments, sku=sku, api=api,
            global_policy=text if self.scope == "global" else None,
            products=(product,) if is_products or self.product is not None else (),
        )  # fmt: skip
        operations = [f"operation {API}/{one.name}" for one in OPERATIONS]
        labels = {"global": [GLOBAL], "product": [f"product {name}"], "api": [f"api {API}"], "operation": operations}
        files = dict.fromkeys(labels[self.scope], self.policy)
        return Documents(
            gateway=gateway,
            files=files | {f"fragment {name}": path for name, path in self.fragments.items()},
            texts=dict.fromkeys(files, text) | {f"fragment {name}": one for name, one in fragments.items()},
        )

    def _told(self, found: Documents, where: str, kind: str, name: str) -> str:
        """Say what is missing, and where to add it."""
        if kind == "fragment":
            return f"{where}: fragment {name} has no file; give it with --fragment {name}=FILE"
        remedy = "give a file with --named-values" if self.named_values is None else f"add it to {self.named_values}"
        secret = f" ({found.valueless[name]} has none)" if name in found.valueless else ""
        return f"{where}: named value {name} has no value{secret}; {remedy}"


def _refused(found: Documents) -> list[str]:
    """Tell what is wrong with documents whatever is missing."""
    try:
        compile_plan(found.gateway)
    except PolicyLoadError as error:
        known = [one for one in error.problems if one.kind != "reference" and one.attribute != "backend-id"]
        return [one.in_file(found.files) for one in with_placeholders(known, found.texts)[0]]
    return []


def unused(fillings: Fillings) -> list[str]:
    """Tell the values that no placeholder has the name of."""
    return [f"--set {name}: no document has such a placeholder" for name in sorted(fillings.given - fillings.used)]


@contextmanager
def explained(found: Documents) -> Iterator[None]:
    """Turn what prevents documents from being loaded into a `EmulatorError`: a line for each problem."""
    try:
        yield
    except PolicyLoadError as error:
        problems, _ = with_placeholders(error.problems, found.texts)
        lines = list(dict.fromkeys(problem.in_file(found.files) for problem in problems))
        if len(found.gateway.apis) > 1 and any(one.kind == "unsupported" for one in problems):
            lines.append("To serve other APIs without these, name them with --api")
        raise EmulatorError("\n".join(lines)) from None


def unfilled(found: Documents) -> list[str]:
    """Tell the placeholders that nothing fills, a line each."""
    return list(dict.fromkeys(one.in_file(found.files) for one in with_placeholders((), found.texts)[1]))


def pairs(option: str, texts: Iterable[str]) -> dict[str, str]:
    """Read the values `NAME=VALUE` of an option that may be given several times; raises `EmulatorError`."""
    found: dict[str, str] = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not (name and sign and value):
            raise EmulatorError(f"{option} {text}: must be a name, = and a value")
        if name in found:
            raise EmulatorError(f"{option} {name}: is given twice")
        found[name] = value
    return found


def terms(option: str, texts: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Read the values `NAME=TERM` of an option, several of which may have a name; raises `EmulatorError`."""
    found: dict[str, tuple[str, ...]] = {}
    for text in texts:
        ((name, term),) = pairs(option, [text]).items()
        found[name] = (*found.get(name, ()), term)
    return found


def read_fillings(texts: Iterable[str], path: Path | None) -> Fillings:
    """Read what fills placeholders: `NAME=VALUE`, `NAME` of the environment, and a file. Raises `EmulatorError`.

    In the name of a variable, what it cannot have is an underscore: `backend-key` is in `backend_key`.
    """
    values, secrets = read_named_values(path, any_name=True)
    given: dict[str, str] = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not name or name in given:
            raise EmulatorError(f"--set {name}: {'is given twice' if name else 'must be NAME=VALUE or NAME'}")
        if not sign:
            variable = re.sub(r"\W", "_", name, flags=re.ASCII)
            if variable not in os.environ:
                raise EmulatorError(f"--set {name}: there is no environment variable {variable}; set it, or add =VALUE")
            value = os.environ[variable]
        given[name] = value
        secrets = secrets - {name} if sign else secrets | {name}
    return Fillings(values={**values, **given}, secrets=secrets, given=frozenset(given))
