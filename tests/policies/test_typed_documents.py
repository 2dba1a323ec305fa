"""Typed documents on the emulator's bench."""

from apim_emulator.testing import PolicyBench
from policies import Choose, Document, ForwardRequest, SetHeader, SetVariable, When


def test_options_are_rendered() -> None:
    teams = When(
        condition='@(context.Request.Headers.ContainsKey("X-Team"))', policies=[SetVariable(name="team", value="known")]
    )
    policy = Document(
        inbound=[Choose(when=[teams])], backend=[ForwardRequest()], outbound=[SetHeader(name="X-A", values=["1"])]
    )

    response = PolicyBench(policy).get(headers={"X-Team": "a"})

    assert response.variables == {"team": "known"}
    assert response.headers["X-A"] == "1"
