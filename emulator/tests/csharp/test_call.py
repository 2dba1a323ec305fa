from typing import Any

import pytest

from apim_emulator.csharp import EvaluationError, Type, bodies_read, compile_expression
from apim_emulator.csharp.runtime.exceptions import StoppedError
from apim_emulator.gateway.context import Context
from apim_emulator.gateway.context.objects import Named, User
from emulator.tests.csharp.calls import CALL, NOW, context


def evaluate(text: str, call: Context) -> Any:
    return compile_expression(text, Type.OBJECT)(call)


def called(**changes: object) -> Context:
    found = context(CALL)
    for name, value in changes.items():
        setattr(found.request if hasattr(found.request, name) else found, name, value)
    return found


def test_body_is_gone_after_it_was_read() -> None:
    call = called()

    assert evaluate("@(context.Request.Body.As<string>())", call) == '{"model":"gpt-4o"}'
    assert call.request.body_consumed
    with pytest.raises(StoppedError, match="read before"):
        evaluate("@(context.Request.Body.As<string>())", call)


@pytest.mark.parametrize("argument", ["true", "preserveContent: true"])
def test_body_stays_where_its_content_is_preserved(argument: str) -> None:
    call = called()

    for _ in range(2):
        assert evaluate(f'@((string)context.Request.Body.As<JObject>({argument})["model"])', call) == "gpt-4o"


def test_request_without_a_body_has_null() -> None:
    assert evaluate("@(context.Request.Body == null)", called(has_body=False, body=None)) is True


def test_body_that_is_not_in_memory_cannot_be_read() -> None:
    with pytest.raises(StoppedError, match="not in memory"):
        evaluate("@(context.Request.Body.As<string>())", called(body=None))


@pytest.mark.parametrize(
    ("body", "text", "exception"),
    [
        (b"<xml/>", "context.Request.Body.As<JObject>()", "JsonReaderException"),
        (b"[1]", "context.Request.Body.As<JObject>()", "JsonReaderException"),
        (b"", "context.Request.Body.As<JObject>()", "NotSupportedException"),
        (b"\xff", "context.Request.Body.As<string>()", "NotSupportedException"),
        (b"{a:1}", "context.Request.Body.As<JObject>()", "NotSupportedException"),
    ],
)
def test_body_of_another_kind_throws(body: bytes, text: str, exception: str) -> None:
    with pytest.raises(EvaluationError) as caught:
        evaluate(f"@({text})", called(body=body))

    assert caught.value.exception == exception
    assert body.decode(errors="replace")[:3] not in str(caught.value) or not body


def test_form_is_read_by_name() -> None:
    text = '@(context.Request.Body.AsFormUrlEncodedContent()["state"].Single())'

    assert evaluate(text, called(body=b"a=1&state=x%20y")) == "x y"


def test_time_is_that_of_the_call() -> None:
    call = called()
    call.now, call.timestamp = (lambda: NOW + 5), NOW

    assert evaluate("@(context.Elapsed.TotalSeconds)", call) == 5.0
    assert evaluate("@(DateTimeOffset.UtcNow.ToUnixTimeSeconds())", call) == NOW + 5
    assert evaluate('@(context.Timestamp.ToString("s"))', call) == "2023-11-14T22:13:20"


def test_trace_messages_are_kept() -> None:
    call = called()

    evaluate('@{ context.Trace("a" + 1); return 0; }', call)

    assert call.traced == ["a1"]


@pytest.mark.parametrize(
    "text",
    ["context.Product.Name", "context.Subscription.Key", "context.User.Email", "context.Deployment.Region",
     "context.Operation.Name", "context.Api.ServiceUrl.Host"],
)  # fmt: skip
def test_what_the_sandbox_does_not_know_is_an_error(text: str) -> None:
    call = context({**CALL, "service": None})
    call.product = call.subscription = Named("id")
    call.user, call.region = User("id"), None
    if call.operation is not None:
        call.operation = type(call.operation)("id", "GET", "/")

    with pytest.raises(StoppedError, match="does not know"):
        evaluate(f"@({text})", call)


@pytest.mark.parametrize(
    ("text", "bodies"),
    [
        ("@(context.Request.Body.As<string>())", {"Request"}),
        ("@(context.Response.Body.As<JObject>(true).Count + context.Request.Headers.Count)", {"Response"}),
        ('@(((IResponse)context.Variables["r"]).Body.As<string>())', {"Variables"}),
        (
            '@{ var r = context.Variables.GetValueOrDefault<IResponse>("r"); return r?.Body.As<string>(); }',
            {"Variables"},
        ),
        ("@{ var call = context; var r = call.Request; var b = r.Body; return b.As<string>(); }", {"Request"}),
        ("@{ var r = context.Response; Func<string> f = () => r?.Body?.As<string>(); return f(); }", {"Response"}),
        ("@{ string f(IRequest r) => r.Body.As<string>(); return f(context.Request); }", {"Request"}),
        ("@(new[] { context.Request }.Select(r => r.Body.As<string>()).First())", {"Request"}),
        ("@(context . Request\n/* */ . Body.As<string>())", {"Request"}),
        ("@(context.Request.Body == null)", {"Request"}),
        ('@("context.Request.Body")', set()),
        ("@(1 /* context.Response.Body */)", set()),
        ("@(context.Request.Method)", set()),
    ],
)
def test_bodies_that_an_expression_reads_are_known_when_it_is_loaded(text: str, bodies: set[str]) -> None:
    assert bodies_read(text) == bodies


def test_tokens_of_a_variable_are_shared_like_objects_in_csharp() -> None:
    call = called()
    call.variables["o"] = evaluate('@(JObject.Parse("{\\"n\\":1}"))', call)

    evaluate('@{ var o = (JObject)context.Variables["o"]; o["n"] = 2; return 0; }', call)

    assert evaluate('@((int)((JObject)context.Variables["o"])["n"])', call) == 2


def test_guid_and_random_numbers_differ() -> None:
    found = {evaluate("@(Guid.NewGuid().ToString() + new Random().Next())", called()) for _ in range(5)}

    assert len(found) == 5
    assert all(0 <= evaluate("@(new Random().Next(3))", called()) < 3 for _ in range(20))


def test_boxed_numbers_keep_their_type() -> None:
    call = called()
    call.variables["n"] = evaluate("@(5L)", call)

    assert evaluate('@((long)context.Variables["n"])', call) == 5
    with pytest.raises(EvaluationError, match="InvalidCastException"):
        evaluate('@((int)context.Variables["n"])', call)
