from typing import Any
from xml.etree import ElementTree as ET

from hypothesis import strategies as st

from policies import CacheLookup, CachingType, DownstreamCachingType
from tests.policies.reader import read_texts
from tests.policies.record import Record
from tests.policies.values import choice, filled, flag_expressions, maybe, options, tokens

varied = {
    "vary_by_developer": flag_expressions,
    "vary_by_developer_groups": flag_expressions,
    "downstream_caching_type": maybe(choice(DownstreamCachingType)),
    "must_revalidate": maybe(flag_expressions),
    "caching_type": maybe(st.sampled_from(CachingType)),
    "vary_by_query_parameter": st.lists(filled, max_size=2),
}


def _children(element: ET.Element) -> dict[str, Any]:
    return {
        "vary_by_header": read_texts(element, "vary-by-header"),
        "vary_by_query_parameter": read_texts(element, "vary-by-query-parameter"),
    }


RECORD = Record(
    CacheLookup,
    examples=(
        CacheLookup(vary_by_developer=False),
        CacheLookup(vary_by_developer=False, vary_by_header=["Authorization"]),
    ),
    drawn=options(
        CacheLookup,
        **varied,
        allow_private_response_caching=maybe(st.just(False)),
        vary_by_header=st.lists(tokens, max_size=2),
    )
    | options(
        CacheLookup,
        **varied,
        allow_private_response_caching=flag_expressions,
        vary_by_header=st.just(["Accept", "authorization"]),
    ),
    renders={
        "cache-lookup takes every option": (
            CacheLookup(
                vary_by_developer="@(context.User != null)",
                vary_by_developer_groups=True,
                downstream_caching_type=DownstreamCachingType.PRIVATE,
                must_revalidate=False,
                caching_type=CachingType.INTERNAL,
                allow_private_response_caching=True,
                vary_by_header=["Authorization", "Accept"],
                vary_by_query_parameter=["version"],
            ),
            """
        <cache-lookup vary-by-developer="@(context.User != null)" vary-by-developer-groups="true" \
downstream-caching-type="private" must-revalidate="false" caching-type="internal" \
allow-private-response-caching="true">
            <vary-by-header>Authorization</vary-by-header>
            <vary-by-header>Accept</vary-by-header>
            <vary-by-query-parameter>version</vary-by-query-parameter>
        </cache-lookup>
        """,
        ),
    },
    refuses=(
        (
            lambda: CacheLookup(vary_by_developer=False, allow_private_response_caching="@(true)"),
            "cache-lookup allow_private_response_caching would return a response to other callers; "
            "add Authorization to vary_by_header",
        ),
        (
            lambda: CacheLookup(vary_by_developer=False, vary_by_query_parameter=[" "]),
            "cache-lookup vary_by_query_parameter ' ' is empty; give it a value",
        ),
    ),
    children=_children,
)
