from hypothesis import strategies as st

from policies import IncludeFragment
from tests.policies.record import Record
from tests.policies.values import options

RECORD = Record(
    IncludeFragment,
    examples=(IncludeFragment(fragment_id="a"),),
    drawn=options(
        IncludeFragment, fragment_id=st.from_regex(r"[a-zA-Z0-9_]([\w-]{0,8}\w)?", fullmatch=True, alphabet="aZ0_-")
    ),
    renders={
        "include-fragment names a fragment": (
            IncludeFragment(id="i", fragment_id="strip_credentials-1"),
            '<include-fragment id="i" fragment-id="strip_credentials-1" />',
        ),
    },
    refuses=(
        *(
            (
                lambda name=name: IncludeFragment(fragment_id=name),
                f"include-fragment fragment_id {name!r} is not a fragment name; "
                "use 1 to 80 letters, digits, underscores and inner hyphens",
            )
            for name in ("", "-a", "a-", "a.b", "@(1)", "{{f}}", "a" * 81, "a\n")
        ),
    ),
)
