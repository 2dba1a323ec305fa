from typing import Any
from xml.etree import ElementTree as ET

from hypothesis import strategies as st

from policies import HarmCategory, LlmContentSafety, SafetyCategory, SeverityLevels
from policies.shared.checks import INT_MAX
from tests.policies.reader import many, read_texts, scalar
from tests.policies.record import Record
from tests.policies.values import (
    Strategies,
    choice,
    expressions,
    filled,
    flag_expressions,
    maybe,
    named_values,
    options,
    upto,
)

categories = st.lists(
    st.builds(SafetyCategory, name=choice(HarmCategory), threshold=upto(0, 6)),
    min_size=1,
    max_size=3,
    unique_by=lambda category: category.name,
)

checks: list[Strategies] = [
    {"categories": categories, "output_type": maybe(choice(SeverityLevels))},
    {"blocklist_ids": st.lists(filled, min_size=1, max_size=1)},
    {"shield_prompt": st.just(True) | expressions | named_values},
]

HATE = SafetyCategory(name=HarmCategory.HATE, threshold=4)


def _safety(**options: Any) -> LlmContentSafety:
    return LlmContentSafety(**{"backend_id": "b", "categories": [HATE], **options})


def _children(element: ET.Element) -> dict[str, Any]:
    categories = element.find("categories")
    return {
        "output_type": None if categories is None else scalar(SeverityLevels | str, categories.get("output-type")),
        "categories": many(SafetyCategory, element.iterfind("categories/category")),
        "blocklist_ids": read_texts(element.find("blocklists"), "id"),
    }


RECORD = Record(
    LlmContentSafety,
    examples=(
        LlmContentSafety(backend_id="a", shield_prompt=True),
        LlmContentSafety(backend_id="a", categories=[SafetyCategory(name=HarmCategory.HATE, threshold=1)]),
        SafetyCategory(name='@("Hate")', threshold=1),
    ),
    drawn=st.one_of(
        *(
            options(
                LlmContentSafety,
                **some,
                backend_id=filled,
                enforce_on_completions=maybe(flag_expressions),
                window_size=maybe(upto(1000, INT_MAX)),
                window_overlap_size=maybe(upto(0, 999)),
            )
            for some in checks
        )
    ),
    renders={
        "llm-content-safety takes every option": (
            LlmContentSafety(
                id="s",
                backend_id="safety",
                shield_prompt=True,
                enforce_on_completions=True,
                window_size=2000,
                window_overlap_size=1999,
                output_type=SeverityLevels.EIGHT,
                categories=[
                    SafetyCategory(name=HarmCategory.HATE, threshold=7),
                    SafetyCategory(name=HarmCategory.SELF_HARM, threshold=0),
                    SafetyCategory(name='@("Sexual")', threshold="{{threshold}}"),
                ],
                blocklist_ids=["words"],
            ),
            """
        <llm-content-safety id="s" backend-id="safety" shield-prompt="true" enforce-on-completions="true" \
window-size="2000" window-overlap-size="1999">
            <categories output-type="EightSeverityLevels">
                <category name="Hate" threshold="7" />
                <category name="SelfHarm" threshold="0" />
                <category name="@(&quot;Sexual&quot;)" threshold="{{threshold}}" />
            </categories>
            <blocklists>
                <id>words</id>
            </blocklists>
        </llm-content-safety>
        """,
        ),
        "llm-content-safety looks for four levels by default": (
            LlmContentSafety(backend_id="safety", categories=[SafetyCategory(name=HarmCategory.VIOLENCE, threshold=6)]),
            """
        <llm-content-safety backend-id="safety">
            <categories>
                <category name="Violence" threshold="6" />
            </categories>
        </llm-content-safety>
        """,
        ),
        "llm-content-safety checks answers": (
            LlmContentSafety(backend_id="safety", blocklist_ids=["@(context.Api.Name)"]),
            """
        <llm-content-safety backend-id="safety">
            <blocklists>
                <id>@(context.Api.Name)</id>
            </blocklists>
        </llm-content-safety>
        """,
        ),
    },
    refuses=(
        (
            lambda: _safety(categories=[], shield_prompt=False, enforce_on_completions=True),
            "llm-content-safety checks nothing; give categories, blocklist_ids or shield_prompt",
        ),
        (lambda: _safety(backend_id=""), "llm-content-safety backend_id '' is empty; give it a value"),
        (
            lambda: _safety(window_size=0),
            "llm-content-safety window_size 0 is not allowed; use 1 to 2147483647 characters",
        ),
        (
            lambda: _safety(window_size=100, window_overlap_size=100),
            "llm-content-safety window_overlap_size 100 is not allowed; use 0 to 99 characters",
        ),
        (
            lambda: _safety(window_overlap_size=-1),
            "llm-content-safety window_overlap_size -1 is not allowed; use 0 to 2147483647 characters",
        ),
        (
            lambda: _safety(categories=[], shield_prompt=True, output_type=SeverityLevels.FOUR),
            "llm-content-safety has output_type but no categories; give categories or remove it",
        ),
        (
            lambda: _safety(categories=[HATE, HATE]),
            "llm-content-safety has category Hate more than once; keep one threshold",
        ),
        *(
            (
                lambda levels=levels: _safety(
                    categories=[SafetyCategory(name=HarmCategory.SEXUAL, threshold=7)], output_type=levels
                ),
                "llm-content-safety threshold of Sexual 7 is not allowed; use 0 to 6",
            )
            for levels in (None, SeverityLevels.FOUR)
        ),
        (
            lambda: SafetyCategory(name=HarmCategory.HATE, threshold=8),
            "safety category threshold 8 is not allowed; use 0 to 7",
        ),
        (
            lambda: SafetyCategory(name="Hate", threshold=4),
            "safety category name 'Hate' is not allowed; use HarmCategory.HATE or HarmCategory.SELF_HARM or "
            "HarmCategory.SEXUAL or HarmCategory.VIOLENCE or an expression such as @(...)",
        ),
        (
            lambda: _safety(blocklist_ids=["a", "b"]),
            "llm-content-safety has 2 blocklist_ids; the schema allows one; use a policy for each",
        ),
        (lambda: _safety(blocklist_ids=[""]), "llm-content-safety blocklist_ids '' is empty; give it a value"),
    ),
    children=_children,
)
