"""`lint`: every mistake of policy documents, as text, as JSON or as annotations of GitHub Actions."""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict

from apim_emulator.cli.linter import LEVELS, Finding, Linter, LintOptions
from apim_emulator.errors import EmulatorError
from apim_emulator.gateway.loading.policy import SCOPES
from apim_emulator.gateway.standalone import SKUS

FORMATS = ("text", "json", "github")


def run(options: LintOptions) -> int:
    """Print what is found. 0: nothing of the level that counts, 1: something."""
    if options.sku is not None and options.sku not in SKUS:
        raise EmulatorError(f"--sku {options.sku}: no pricing tier; there are {', '.join(SKUS)}")
    for option, given, known in (
        ("--scope", options.scope, SCOPES),
        ("--format", options.format, FORMATS),
        ("--fail-on", options.fail_on, LEVELS),
    ):
        if given is not None and given not in known:
            raise EmulatorError(f"{option} {given}: must be {', '.join(known[:-1])} or {known[-1]}")
    linter = Linter(options)
    findings = linter.findings()
    _PRINTERS[options.format](findings, linter)
    counted = LEVELS[: LEVELS.index(options.fail_on) + 1]
    return int(any(one.level in counted for one in findings))


def _print_text(findings: Sequence[Finding], linter: Linter) -> None:
    for one in findings:
        sys.stdout.write(f"{one.place}: {one.level}: {one.subject}: {one.message}\n")
    sys.stdout.write(f"{_summary(findings, linter)}\n")


def _print_json(findings: Sequence[Finding], linter: Linter) -> None:
    found = {
        "documents": list(map(str, linter.files)),
        "findings": [asdict(one) for one in findings],
        "notChecked": sorted(linter.unchecked),
    }
    sys.stdout.write(f"{json.dumps(found, indent=2)}\n")


def _print_github(findings: Sequence[Finding], _linter: Linter) -> None:
    """Print the commands that GitHub Actions shows as annotations of the files."""
    for one in findings:
        kind = "error" if one.level == "error" else "warning"
        place = f"file={_property(one.file)},line={one.line}"
        place += "" if one.column is None else f",col={one.column}"
        text = f"{one.subject}: {one.message}"
        sys.stdout.write(f"::{kind} {place},title={_property(f'apim-emulator lint: {one.level}')}::{_data(text)}\n")


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


_PRINTERS: Mapping[str, Callable[[Sequence[Finding], Linter], None]] = {
    "text": _print_text,
    "json": _print_json,
    "github": _print_github,
}


def _summary(findings: Sequence[Finding], linter: Linter) -> str:
    counts = {level: sum(one.level == level for one in findings) for level in LEVELS}
    documents = len(linter.files)
    told = f"{_counted(documents, 'document')}: {_counted(counts['error'], 'error')}, "
    told += f"{counts['unsupported']} unsupported, {_counted(counts['warning'], 'warning')}"
    if linter.unchecked:
        told += f"\nNot checked, since they are not given: {', '.join(sorted(linter.unchecked))}"
    if not all(name.startswith("certificate ") for name in linter.unchecked):
        told += " (--named-values FILE, --fragment NAME=FILE)"
    return "\n".join([told, *linter.unused])


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
