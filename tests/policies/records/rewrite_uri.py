from policies import RewriteUri
from tests.policies.record import Record
from tests.policies.values import any_type, expressions, flags, literals, maybe, named_values, options

RECORD = Record(
    RewriteUri,
    examples=(RewriteUri(template="/a"),),
    drawn=options(
        RewriteUri, template=literals.map("/".__add__) | expressions | named_values, copy_unmatched_params=maybe(flags)
    ),
    renders={
        "rewrite-uri drops other parameters": (
            RewriteUri(id="r", template="/deployments/{id}?a=1&b=2", copy_unmatched_params=False),
            '<rewrite-uri id="r" template="/deployments/{id}?a=1&amp;b=2" copy-unmatched-params="false" />',
        ),
    },
    refuses=(
        (
            lambda: RewriteUri(template="/a", copy_unmatched_params=any_type("@(true)")),
            "rewrite-uri copy_unmatched_params '@(true)' is not allowed; use True or False",
        ),
        (lambda: RewriteUri(template="a/b"), "rewrite-uri template 'a/b' is not a path; begin it with /"),
        (lambda: RewriteUri(template="{{a b}}"), "rewrite-uri template '{{a b}}' is not a path; begin it with /"),
        (lambda: RewriteUri(template=""), "rewrite-uri template '' is empty; give it a value"),
    ),
)
