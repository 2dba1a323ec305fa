"""Liquid templates, as far as they are supported."""

import pytest

from apim_emulator.gateway import PolicyLoadError
from apim_emulator.testing import PolicyBench

PLAIN = '{"a": {"b": [1]}, "percent": "5 %"}'


def document(template: str, value: str = "'x'") -> str:
    return (
        f"<policies><inbound><set-variable name='v' value={value}/><return-response>"
        f"<set-body template='liquid'><![CDATA[{template}]]></set-body></return-response></inbound></policies>"
    )


@pytest.mark.parametrize(
    ("template", "value", "text"),
    [
        pytest.param(PLAIN, "'x'", PLAIN, id="text alone"),
        pytest.param("@", "'x'", "@", id="no expression"),
        pytest.param("<{{ context.Variables[\"v\"] }}|{{context.Variables['v']}}>", "'x'", "<x|x>", id="variable"),
        pytest.param('{{context.Variables["absent"]}}.', "'x'", ".", id="variable that is not there"),
        pytest.param('{{context.Variables["v"]}}', "'@(1 + 1)'", "2", id="number"),
        pytest.param('{{context.Variables["v"]}}', "'@(1 == 1)'", "true", id="boolean"),
    ],
)
def test_text_and_variables_are_written(template: str, value: str, text: str) -> None:
    assert PolicyBench(document(template, value)).get().text == text


def test_variable_of_another_type_fails_the_call() -> None:
    bench = PolicyBench(document('{{context.Variables["v"]}}', "'@(1.5)'"))

    assert bench.get().status_code == 500


@pytest.mark.parametrize(
    "template",
    [
        "{% if true %}{% endif %}",
        '{{ context.Variables["v"] | upcase }}',
        '{{- context.Variables["v"] -}}',
        "{{ body }",
    ],
)
def test_other_tags_are_refused(template: str) -> None:
    with pytest.raises(PolicyLoadError, match="of Liquid only"):
        PolicyBench(document(template))


def test_named_values_go_before_tags() -> None:
    assert PolicyBench(document("{{name}}"), named_values={"name": "n"}).get().text == "n"
