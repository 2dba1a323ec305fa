#!/usr/bin/env bash
# Reports what is missing for `pulumi up` to Azure, before anything is created. Usage: preflight.sh STACK
set -u
stack=$1
missing=()

[ -f "Pulumi.$stack.yaml" ] ||
  missing+=("Pulumi.$stack.yaml does not exist: copy Pulumi.dev.yaml to it, or name one of: $(ls Pulumi.*.yaml | sed 's/Pulumi\.\(.*\)\.yaml/\1/' | paste -sd' ')")

if ! command -v pulumi >/dev/null; then
  missing+=("the Pulumi CLI is not on the PATH: install it (https://www.pulumi.com/docs/install), then run 'pulumi login'")
elif ! pulumi whoami --non-interactive >/dev/null 2>&1; then
  missing+=("the Pulumi CLI is not logged in to a state backend: run 'pulumi login', or 'pulumi login --local' to keep the state on this machine")
fi

# A service principal or workload identity (OIDC) logs in with these variables, a person with the Azure CLI.
if [ -z "${ARM_CLIENT_ID:-}" ]; then
  if ! command -v az >/dev/null; then
    missing+=("the Azure CLI is not on the PATH: install it (https://learn.microsoft.com/cli/azure/install-azure-cli), then run 'az login'; or set ARM_CLIENT_ID and the other ARM_ variables for a service principal")
  elif ! az account show >/dev/null 2>&1; then
    missing+=("the Azure CLI is not logged in: run 'az login', and 'az account set --subscription NAME' to choose the subscription")
  fi
fi

[ ${#missing[@]} -eq 0 ] && exit 0
printf 'cannot deploy the stack %s to Azure:\n' "$stack" >&2
printf '  - %s\n' "${missing[@]}" >&2
printf "nothing was created. 'make demo' needs none of this.\n" >&2
exit 2
