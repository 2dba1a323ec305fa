#!/usr/bin/env bash
# Makes .venv, and brings it up to date when what it installs has changed. Says nothing where there is nothing to do.
# PYTHON names the Python; without it .venv keeps the one it has, and a new .venv takes the first that fits on the PATH.
set -euo pipefail
cd "$(dirname "$0")/.."

needed='Python 3.11, 3.12 or 3.13'
named=${PYTHON:-}
python='' # what .venv is made with

fail() {
  printf 'error: %s\n' "$1" >&2
  exit 2
}

# Prints a Python's version and where it is installed; for the Python of an environment, where that was made from.
installation() {
  "$1" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3], sys.base_prefix)' 2>/dev/null
}

# Prints what keeps .venv from being made with a Python, or nothing.
unfit() {
  local found
  if ! found=$(installation "$1"); then
    echo 'does not run'
  elif [[ $found != 3.1[123].* ]]; then
    echo "is Python ${found%% *}"
  elif ! "$1" -c 'import ensurepip, venv' 2>/dev/null; then
    echo "is Python ${found%% *} without ensurepip (on Debian and Ubuntu: the package python3-venv)"
  fi
}

# Sets python to the one that is named, or else to the first on the PATH that fits.
choose() {
  local candidate reason unfitting=''
  if [ -n "$named" ]; then
    reason=$(unfit "$named")
    [ -z "$reason" ] || fail "PYTHON=$named $reason: name $needed, or leave PYTHON out to take one from the PATH"
    python=$named
    return
  fi
  for candidate in python3 python3.13 python3.12 python3.11; do
    command -v "$candidate" >/dev/null || continue
    reason=$(unfit "$candidate")
    if [ -z "$reason" ]; then
      python=$candidate
      return
    fi
    unfitting+="; $candidate $reason"
  done
  fail "$needed is needed, and none is on the PATH$unfitting: install one (https://www.python.org/downloads), or name one, \
as in make PYTHON=/opt/python3.12/bin/python3"
}

# Prints why .venv cannot stay as it is, or nothing.
outdated() {
  local found
  if ! found=$(installation .venv/bin/python) || ! .venv/bin/python -c 'import pip' 2>/dev/null; then
    echo 'it does not run'
  elif [[ $found != 3.1[123].* ]]; then
    echo "it has Python ${found%% *}"
  elif [ -n "$named" ] && [ "$found" != "$(installation "$python")" ]; then
    echo "it has another Python, ${found/ / of }"
  fi
}

[ -z "$named" ] || choose
if [ -e .venv ] || [ -L .venv ]; then
  reason=$(outdated)
  if [ -n "$reason" ]; then
    if [ -L .venv ] || [ ! -f .venv/pyvenv.cfg ]; then
      fail ".venv cannot be used, since $reason, and make did not make it: move it away, and run make again"
    fi
    [ -n "$python" ] || choose
    echo "removing .venv, since $reason"
    rm -r .venv
  fi
fi
if [ ! -e .venv ]; then
  [ -n "$python" ] || choose
  found=$(installation "$python")
  echo "making .venv with Python ${found%% *}, $(command -v "$python")"
  "$python" -m venv .venv || fail 'the environment could not be made; Python says why above'
fi

for source in requirements.txt requirements-dev.txt emulator/pyproject.toml; do
  [ .venv/installed -nt "$source" ] || stale=$source
done
[ -n "${stale:-}" ] || exit 0
echo 'installing requirements-dev.txt into .venv'
.venv/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt ||
  fail 'the packages could not be installed; pip says why above'
touch .venv/installed
