"""`rewrite-uri`: gives the backend another path and query than the caller used."""

import re
from urllib.parse import quote

from apim_emulator.csharp import EvaluationError
from apim_emulator.gateway.context import Context
from apim_emulator.gateway.context.query import Query
from apim_emulator.gateway.exchange import Exchange
from apim_emulator.gateway.http.headers import is_safe_path
from apim_emulator.gateway.loading.element import Element
from apim_emulator.gateway.loading.policy import Policy, Run, Site

_QUERY = "!$%&'()*+,-./:;=?@[]_~|"
_URL = re.compile(r"\s*[A-Za-z][A-Za-z0-9+.-]*://")
_PARAMETER = re.compile(r"\{\*?([^{}/]+)\}")


def _compile(element: Element, _site: Site) -> Run:
    template = element.text("template")
    copy = element.flag("copy-unmatched-params", default=True)
    literal = element.node.attributes["template"]
    if _URL.match(literal):
        element.refuse("is the path on the backend, without scheme and host", "template")

    async def run(exchange: Exchange) -> None:
        context = exchange.context
        path, _, query = _filled(template(context), context).partition("?")
        # The slash may be left out (inferred: public policies do).
        path = f"/{path.removeprefix('/')}"
        if not is_safe_path(path):
            raise EvaluationError("UriFormatException")
        request = context.request
        kept = _unmatched(request.query, context) if copy else ""
        request.path = path
        request.query = Query("&".join(part for part in (_escaped(query), kept) if part))

    return run


def _escaped(query: str) -> str:
    """Escape what may not stand in a query as it is, such as blanks, line breaks and the start of a fragment."""
    try:
        return quote(query, safe=_QUERY)
    except UnicodeEncodeError:
        raise EvaluationError("UriFormatException") from None


def _filled(template: str, context: Context) -> str:
    """Put in the matched parameters, in the encoding in which they arrived."""
    matched = context.request.matched_parameters

    def value(match: re.Match[str]) -> str:
        if match[1] not in matched:
            raise EvaluationError("KeyNotFoundException")
        return matched[match[1]]

    return _PARAMETER.sub(value, template)


def _unmatched(query: Query, context: Context) -> str:
    """Keep the query parameters that the operation's URL template does not name."""
    operation = context.operation
    template = Query("" if operation is None else operation.url_template.partition("?")[2])
    kept = query.copy()
    for name in template.names():
        kept.remove(name)
    return str(kept)


POLICY = Policy("rewrite-uri", _compile, sections=("inbound",))
