"""Calls to evaluate an expression in, with the variables, headers and members that it names."""

import json
import random
import re
from collections.abc import Mapping
from typing import Any

_URL = {"scheme": "https", "host": "contoso.example", "port": 443, "path": "/api/models", "query": "q=1&a=x%20y&a=2"}
_SERVICE = {"scheme": "https", "host": "backend.example", "port": 443, "path": "/openai", "query": ""}
_TEXTS = (
    "abc", "", "Bearer abc.def", "a.b.c", "5", "-1", "0", "429", "true", "false", "x=1; y=2", "a,b;c", "/oauth/x",
    "Zm9v", "https://contoso.example/a?b=c", "0f8fad5b-d9cb-469f-a165-70867728950e", "a%20b+c%2F", "gpt-4o",
    "max-age=60, private", "Hello World", "10.1.2.3:80", "code=c0de&client_id=a%26b&redirect_uri=https%3A%2F%2Fx",
    "null", "é€", "1234-5678-1234-5678",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJtZSIsIm5hbWUiOiJBIn0.c2ln", "AAAAAAAAAAAAAAAAAAAAAA==", "Basic dTpw",
)  # fmt: skip
_TYPED = re.compile(r"""\(\s*([\w.<>\[\]]+)\s*\)\s*\(?context\.Variables(?:\.GetValueOrDefault)?[\[(]\s*"([^"]*)\"""")
_GENERIC = re.compile(r"""Variables\.GetValueOrDefault<([\w.<>\[\]]+)>\(\s*"([^"]*)\"""")
_NAMED = re.compile(r"""Variables(?:\.\w+)?[\[(]\s*"([^"]*)\"""")
_HEADER = re.compile(r"""Headers(?:\.\w+)?[\[(]\s*"([^"]*)\"""")
_QUERY = re.compile(r"""Query(?:\.\w+)?[\[(]\s*"([^"]*)\"""")
_PARAMETER = re.compile(r"""MatchedParameters(?:\.\w+)?[\[(]\s*"([^"]*)\"""")
_MEMBER = re.compile(r"""(?:\[|GetValue\(|Value<[\w?]+>\(|Property\s*\(|SelectToken\()\s*"\$?\.?([\w.\[\]-]+)\"""")


def _value(rng: random.Random) -> Any:
    return rng.choice(
        [
            1,
            0,
            7,
            1.5,
            2.0,
            True,
            False,
            None,
            "text",
            "",
            "3",
            "2024-01-02T03:04:05Z",
            [1, 2],
            ["a", "b"],
            {"a": 1},
            [],
            12345678901,
        ]
    )


def _object(rng: random.Random, paths: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for path in paths:
        if rng.random() < 0.15:
            continue
        at: Any = found
        steps = re.findall(r"[\w-]+", path)
        for step in steps[:-1]:
            if not isinstance(at.get(step), dict):
                at[step] = {}
            at = at[step]
        at[steps[-1]] = _text(rng) if rng.random() < 0.5 else _value(rng)
    if rng.random() < 0.3:
        found["messages"] = [{"role": "user", "content": "hi"}, _object(rng, paths[:2]) if len(paths) > 2 else {}]
    return found


def _text(rng: random.Random) -> str:
    return rng.choice(_TEXTS)


def _json(rng: random.Random, paths: list[str], kind: str = "JObject") -> str:
    if kind == "JArray":
        return json.dumps([_object(rng, paths) for _ in range(rng.randrange(4))])
    return json.dumps(_object(rng, paths), ensure_ascii=rng.random() < 0.5, indent=rng.choice([None, 2]))


def _response(rng: random.Random, paths: list[str], headers: list[str]) -> dict[str, Any]:
    return {
        "status": rng.choice([200, 200, 202, 401, 403, 404, 429, 500, 503]),
        "reason": rng.choice(["OK", "Backend pool is empty", "Too Many Requests"]),
        "headers": [[name, _text(rng)] for name in headers if rng.random() < 0.8 and name.isascii()],
        "body": rng.choice(
            [_json(rng, paths), _json(rng, paths), _json(rng, paths, "JArray"), "not json", "<a/>", "a=1&b=2"]
        ),
    }


def _variable(rng: random.Random, kind: str, paths: list[str], headers: list[str]) -> dict[str, Any]:
    kind = {"String": "string", "Int32": "int", "Boolean": "bool"}.get(kind, kind)
    if rng.random() < 0.03:
        return {"t": "null"}
    simple: dict[str, Any] = {
        "string": _text(rng) if rng.random() < 0.7 else _json(rng, paths, rng.choice(["JObject", "JArray"])),
        "int": rng.choice([0, 1, 2, -1, 429, 3600, 2**31 - 1]),
        "long": rng.choice([0, 1, 1_700_000_100, 2**40]),
        "double": rng.choice([0.0, 0.5, 0.8, 1.25]),
        "bool": rng.random() < 0.5,
        "DateTime": 638_355_968_000_000_000 + rng.randrange(10**12),
        "byte[]": "AAECAwQFBgcICQoLDA0ODw==",
        "Authorization": "tok3n",
    }
    if kind in simple:
        return {"t": kind, "v": simple[kind]}
    if kind == "IResponse":
        return {"t": kind, "v": _response(rng, paths, headers)}
    if kind == "Jwt":
        claims = {name: rng.choice(["v", ["a", "sendEmail"], 5, True]) for name in [*paths, "roles", "sub", "name"]}
        return {"t": kind, "v": '{"alg":"RS256","typ":"JWT"}', "p": json.dumps(claims | {"exp": 1_700_000_500})}
    if kind in {"JObject", "JArray", "JToken"}:
        return {"t": kind, "v": _json(rng, paths, "JObject" if kind == "JToken" else kind)}
    return {"t": "string", "v": _text(rng)}


def scenarios(text: str, count: int) -> tuple[Mapping[str, Any], ...]:
    """Make calls for one expression, the same ones each time."""
    paths = list(dict.fromkeys(_MEMBER.findall(text)))
    headers = list(dict.fromkeys([*_HEADER.findall(text), "Authorization", "X-One"]))
    kinds = {name: kind for kind, name in [*_TYPED.findall(text), *_GENERIC.findall(text)]}
    names = list(dict.fromkeys(_NAMED.findall(text)))
    found = []
    for number in range(count):
        rng = random.Random(f"{number} {text}")  # noqa: S311 - the same each time
        url: dict[str, Any] = dict(_URL)
        for name in _QUERY.findall(text):
            url["query"] += f"&{name}=v{rng.randrange(3)}%2B"
        found.append(
            {
                "named": rng.random() < 0.8,
                "service": _SERVICE,
                "variables": {
                    name: _variable(rng, kinds.get(name, "string"), paths, headers)
                    for name in names
                    if rng.random() < 0.92
                },
                "request": {
                    "method": rng.choice(["GET", "POST", "PUT"]),
                    "headers": [[name, _text(rng)] for name in headers if rng.random() < 0.8 and name.isascii()],
                    "url": url,
                    "original": url,
                    "body": rng.choice(
                        [_json(rng, paths), _json(rng, paths), _json(rng, paths, "JArray"), "a=1&state=s", None]
                    ),
                    "parameters": {name: _text(rng) for name in _PARAMETER.findall(text) if rng.random() < 0.9},
                },
                "response": None if rng.random() < 0.1 else _response(rng, paths, headers),
            }
        )
    return tuple(found)
