import math
from typing import Any

from hypothesis import strategies as st

from policies import Dimension, EmitMetric
from policies.shared.checks import INT_MAX
from tests.policies.reader import read_dimensions
from tests.policies.record import Record
from tests.policies.values import dimensions, expressions, flags, maybe, named_values, options, plain

LOCATION = [Dimension(name="Location")]


def _metric(**options: Any) -> EmitMetric:
    return EmitMetric(**{"name": "n", "dimensions": LOCATION, **options})


RECORD = Record(
    EmitMetric,
    examples=(EmitMetric(name="a", dimensions=[Dimension(name="API ID")]),),
    drawn=options(
        EmitMetric,
        name=plain,
        namespace=maybe(plain),
        value=maybe(
            st.floats(allow_nan=False, allow_infinity=False)
            | st.integers(-INT_MAX, INT_MAX)
            | expressions
            | named_values
        ),
        default_dimensions=maybe(flags),
        dimensions=dimensions,
    ),
    renders={
        "emit-metric takes every option": (
            EmitMetric(
                name="Request",
                namespace="mine",
                value=1.5,
                default_dimensions=True,
                dimensions=[Dimension(name="@(context.Api.Name)", value="a")],
            ),
            """
        <emit-metric name="Request" namespace="mine" value="1.5" default-dimensions="true">
            <dimension name="@(context.Api.Name)" value="a" />
        </emit-metric>
        """,
        ),
        **{
            f"emit-metric sends {text}": (
                EmitMetric(name="n", value=value, dimensions=[Dimension(name="Location")]),
                f"""
            <emit-metric name="n" value="{text}">
                <dimension name="Location" />
            </emit-metric>
            """,
            )
            for value, text in ((0, "0"), (1e-7, "1e-07"), (-1e300, "-1e+300"), ("@(1.0)", "@(1.0)"))
        },
    },
    refuses=(
        (
            lambda: _metric(name="@(1)"),
            "emit-metric name '@(1)' is a policy expression, which is not allowed here; give the value itself",
        ),
        (lambda: _metric(namespace=""), "emit-metric namespace '' is empty; give it a value"),
        *(
            (
                lambda value=value: _metric(value=value),
                f"emit-metric value {value} is not finite; use a number that a double holds",
            )
            for value in (math.nan, math.inf, 10**309)
        ),
        (
            lambda: _metric(value="12"),
            "emit-metric value '12' is not allowed; use a number or an expression such as @(...)",
        ),
        (lambda: _metric(dimensions=[]), "emit-metric dimensions [] is empty; give at least one Dimension"),
        (
            lambda: _metric(dimensions=LOCATION * 11),
            "emit-metric has 11 dimensions, 0 of them custom; use at most 10, at most 5 of them custom",
        ),
    ),
    children=read_dimensions,
)
