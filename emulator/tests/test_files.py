"""Files that people write: YAML whose aliases would make too much of it."""

import pytest
import yaml

from apim_emulator.files import UniqueKeys, read_yaml

LAUGHS = "a0: &a0 [x]\n" + "".join(
    f"a{number}: &a{number} [{', '.join([f'*a{number - 1}'] * 10)}]\n" for number in range(1, 12)
)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param(LAUGHS, "aliases repeat too much", id="a billion laughs"),
        pytest.param("a: &a [*a]", "an alias contains itself", id="a list in itself"),
        pytest.param("a: &a {b: [*a]}", "an alias contains itself", id="a mapping in itself"),
    ],
)
def test_aliases_that_make_too_much_are_refused(text: str, problem: str) -> None:
    with pytest.raises(yaml.MarkedYAMLError, match=problem):
        read_yaml(text)
    with pytest.raises(yaml.MarkedYAMLError, match=problem):
        yaml.load(text, UniqueKeys)  # noqa: S506 - a safe one


def test_an_alias_that_is_used_often_is_read() -> None:
    text = "a: &a {b: 1}\nc: [" + ", ".join(["*a"] * 1000) + "]"

    assert read_yaml(text)["c"] == [{"b": 1}] * 1000
