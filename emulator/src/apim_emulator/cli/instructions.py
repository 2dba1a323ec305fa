"""How to call an API of a running emulator: a curl command and a Python program that work as they stand."""

import json
import shlex
import sys
from pathlib import Path

from apim_emulator.cli.program import module
from apim_emulator.cli.session import Api

__all__ = ["API_VERSION", "curl_command", "python_program", "token_command", "token_header"]

API_VERSION = "2024-10-21"
"""Version of the REST API that the stand-in Azure OpenAI speaks."""
PROMPT = "Hello"


def curl_command(api: Api, stack: str, model: str) -> str:
    """Shell command, to be run in the project's folder where it has to get a token."""
    url = f"{api.url}/deployments/{model}/chat/completions?api-version={API_VERSION}"
    body: dict[str, object] = {"messages": [{"role": "user", "content": PROMPT}]}
    if _is_v1(api):
        url, body = f"{api.url}/chat/completions", {"model": model, **body}
    data = shlex.quote(json.dumps(body))
    words = ["curl", "-sS", shlex.quote(url), "-H", "'Content-Type: application/json'", "-d", data]
    if api.key is not None:
        words += ["-H", shlex.quote(f"api-key: {api.key}")]
    if api.callers:
        words += ["-H", token_header("Authorization", api, stack)]
    return " ".join(words)


def token_header(name: str, api: Api, stack: str) -> str:
    """Return a word of a shell command: a header of this name with a token."""
    return f'{shlex.quote(f"{name}: Bearer ")}"$({token_command(api, stack)})"'


def token_command(api: Api, stack: str) -> str:
    """Shell command that prints a token for an API."""
    return f"{shlex.quote(_python())} -m {module()} token --stack {shlex.quote(stack)} --api {shlex.quote(api.name)}"


def python_program(api: Api, model: str) -> str:
    """Program with the OpenAI client."""
    endpoint = api.url.removesuffix("/openai")
    arguments = [f"azure_endpoint={endpoint!r}" if endpoint != api.url else f"base_url={api.url!r}"]
    arguments.append(f"api_version={API_VERSION!r}")
    client, key, token = "AzureOpenAI", f"api_key={api.key!r}", "azure_ad_token_provider=token"
    if _is_v1(api):
        # The plain client sends its key as a bearer token, but a subscription key goes into the header api-key.
        client, key, token = "OpenAI", f"api_key='none', default_headers={ {'api-key': api.key}!r}", "api_key=token"
        arguments = [f"base_url={api.url!r}"]
    lines = [f"from openai import {client}", ""]
    if api.callers:
        caller = api.callers[0]
        lines = ["import json", "from urllib.parse import urlencode", "from urllib.request import urlopen", "", *lines]
        lines += [
            "def token():",
            f"    form = {caller.form!r}",
            f"    with urlopen({caller.token_url!r}, urlencode(form).encode()) as answer:",
            '        return json.load(answer)["access_token"]',
            "",
        ]
        arguments.append(token)
        if api.key is not None:
            arguments.append(f"default_headers={ {'api-key': api.key}!r}")
    elif api.key is not None:
        arguments.append(key)
    messages = [{"role": "user", "content": PROMPT}]
    lines += [
        f"client = {client}({', '.join(arguments)})",
        f"completion = client.chat.completions.create(model={model!r}, messages={messages!r})",
        "print(completion.choices[0].message.content)",
    ]
    return "\n".join(lines)


def _is_v1(api: Api) -> bool:
    """Return whether an API is the v1 API, as far as its path tells."""
    return api.url.endswith("/openai/v1")


def _python() -> str:
    """Interpreter that runs now, from the current folder where it is below it."""
    python = Path(sys.executable)
    return str(python.relative_to(Path.cwd())) if python.is_relative_to(Path.cwd()) else str(python)
