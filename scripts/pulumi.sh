#!/usr/bin/env bash
# Runs `pulumi COMMAND` on a stack: on this machine for the stack sandbox, on Azure for any other.
# Usage: pulumi.sh COMMAND STACK
set -euo pipefail
command=$1 stack=$2
python=.venv/bin/python

if [ "$stack" != sandbox ]; then
  bash "$(dirname "$0")/preflight.sh" "$stack"
  bash "$(dirname "$0")/environment.sh"
  exec pulumi "$command" --stack "$stack"
fi

bash "$(dirname "$0")/environment.sh"
if ! command -v pulumi >/dev/null; then
  if [ "$command" = up ]; then
    echo "the Pulumi CLI is not on the PATH, so the program runs on Pulumi's mocks in this process"
    exec "$python" -m sandbox up --stack sandbox
  fi
  echo "error: make $command needs the Pulumi CLI (https://www.pulumi.com/docs/install); 'make up' works without it" >&2
  exit 2
fi

exports=$("$python" -m sandbox env --stack sandbox)
eval "$exports"
pulumi stack select --create sandbox
case $command in
preview) pulumi preview --stack sandbox ;;
*) pulumi "$command" --yes --stack sandbox ;;
esac
if [ "$command" = up ]; then
  echo "make serve   serves what is deployed, and follows further changes"
fi
