"""Answers that an API's policy gives in place of the account's."""

from policies import ReturnResponse, SetBody, SetHeader, SetStatus


def json_answer(code: int | str, reason: str, body: str, *headers: SetHeader) -> ReturnResponse:
    """Return the policy that ends the call with JSON; nothing in `body` may come from the request."""
    return ReturnResponse(
        status=SetStatus(code=code, reason=reason),
        headers=[SetHeader(name="Content-Type", values=["application/json"]), *headers],
        body=SetBody(value=body),
    )
