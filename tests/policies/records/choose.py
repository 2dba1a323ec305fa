from typing import Any
from xml.etree import ElementTree as ET

from hypothesis import strategies as st

from policies import Base, Choose, IncludeFragment, Policy, SetVariable, When
from tests.policies.reader import attributes, read_policy
from tests.policies.record import Record
from tests.policies.values import any_type, flag_expressions, maybe, options


def choose(policies: st.SearchStrategy[Policy]) -> st.SearchStrategy[Policy]:
    branch = st.lists(policies, max_size=2)
    whens = st.builds(When, condition=flag_expressions, policies=branch)
    return options(Choose, when=st.lists(whens, min_size=1, max_size=2), otherwise=maybe(branch))


def _children(element: ET.Element) -> dict[str, Any]:
    otherwise = element.find("otherwise")
    return {
        "when": [
            When(policies=[read_policy(child) for child in branch], **attributes(When, branch))
            for branch in element.findall("when")
        ],
        "otherwise": None if otherwise is None else [read_policy(child) for child in otherwise],
    }


RECORD = Record(
    Choose,
    examples=(
        Choose(when=[When(condition=True)]),
        When(condition=True),
    ),
    drawn=choose,
    renders={
        "choose keeps the order of its conditions and nests": (
            Choose(
                id="c",
                when=[
                    When(condition='@(context.Api.Name == "a")', policies=[SetVariable(name="a", value="1")]),
                    When(condition=False, policies=[]),
                ],
                otherwise=[Choose(when=[When(condition=True, policies=[IncludeFragment(fragment_id="f")])])],
            ),
            """
        <choose id="c">
            <when condition="@(context.Api.Name == &quot;a&quot;)">
                <set-variable name="a" value="1" />
            </when>
            <when condition="false" />
            <otherwise>
                <choose>
                    <when condition="true">
                        <include-fragment fragment-id="f" />
                    </when>
                </choose>
            </otherwise>
        </choose>
        """,
        ),
    },
    refuses=(
        (
            lambda: When(condition="yes"),
            "when condition 'yes' is not allowed; use True or False or an expression such as @(...)",
        ),
        (lambda: Choose(when=any_type([Base()])), "choose when Base() is not allowed; use When"),
        (lambda: When(condition=True, policies=[any_type("x")]), "when policies 'x' is not allowed; use Policy"),
        (lambda: Choose(when=[]), "choose when [] is empty; give at least one When"),
    ),
    children=_children,
)
