"""What people type to run these commands, and where they leave files: this package, or one that is built on it."""

__all__ = ["command", "folder", "module", "starting", "use"]

_OWN = "apim_emulator"
_module = _OWN


def use(name: str) -> None:
    """Let messages speak of `python -m NAME` from now on: a process has one command line."""
    global _module  # noqa: PLW0603
    _module = name


def module() -> str:
    """Return the module that `python -m` runs."""
    return _module


def command() -> str:
    """Return what people type before the name of a command."""
    return "apim-emulator" if _module == _OWN else f"python -m {_module}"


def folder() -> str:
    """Return the folder, in the current one, with what a running emulator leaves for other processes."""
    return ".apim-emulator" if _module == _OWN else f".{_module}"


def starting(stack: str | None = None) -> str:
    """Return what starts something to call: here `serve` alone, elsewhere `up`, of a stack where one is named."""
    if _module == _OWN:
        return f"{command()} serve"
    return f"{command()} up" if stack is None else f"{command()} up --stack {stack}"
