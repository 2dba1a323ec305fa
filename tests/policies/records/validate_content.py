from typing import Any
from xml.etree import ElementTree as ET

from hypothesis import strategies as st

from policies import (
    ContentFormat,
    ContentTypeMap,
    ContentTypeMapping,
    ValidateContent,
    ValidatedContent,
    ValidationAction,
)
from tests.policies.reader import attributes, many
from tests.policies.record import Record
from tests.policies.values import actions, flag_expressions, flags, maybe, names, options, plain, upto

mappings = st.builds(ContentTypeMapping, from_=plain, to=plain) | st.builds(
    ContentTypeMapping, when=flag_expressions, to=plain
)

content_type_map = st.builds(
    ContentTypeMap,
    any_content_type_value=maybe(plain),
    missing_content_type_value=maybe(plain),
    types=st.lists(mappings, min_size=1, max_size=2),
) | st.builds(ContentTypeMap, any_content_type_value=plain)

contents = st.sampled_from([{}, {"schema_id": plain}, {"schema_id": plain, "schema_ref": plain}]).flatmap(
    lambda schema: st.builds(
        ValidatedContent,
        validate_as=st.sampled_from(ContentFormat),
        type=maybe(plain),
        action=actions,
        allow_additional_properties=maybe(flags),
        case_insensitive_property_names=maybe(flags),
        **schema,
    )
)

IGNORE, PREVENT, DETECT = ValidationAction.IGNORE, ValidationAction.PREVENT, ValidationAction.DETECT


def _content(**options: Any) -> ValidatedContent:
    return ValidatedContent(**{"validate_as": ContentFormat.JSON, "action": PREVENT, **options})


def _body(**options: Any) -> ValidateContent:
    return ValidateContent(
        **{"unspecified_content_type_action": PREVENT, "max_size": 1, "size_exceeded_action": PREVENT, **options}
    )


def _children(element: ET.Element) -> dict[str, Any]:
    mapped = element.find("content-type-map")
    return {
        "content_type_map": None
        if mapped is None
        else ContentTypeMap(
            **attributes(ContentTypeMap, mapped), types=many(ContentTypeMapping, mapped.findall("type"))
        ),
        "contents": many(ValidatedContent, element.findall("content")),
    }


RECORD = Record(
    ValidateContent,
    examples=(
        ContentTypeMap(any_content_type_value="a/b"),
        ContentTypeMapping(from_="a/b", to="c/d"),
        ContentTypeMapping(when=True, to="c/d"),
        ValidateContent(unspecified_content_type_action=PREVENT, max_size=1, size_exceeded_action=PREVENT),
        ValidatedContent(validate_as=ContentFormat.JSON, action=PREVENT),
        ValidatedContent(validate_as=ContentFormat.JSON, action=PREVENT, schema_id="a"),
    ),
    drawn=options(
        ValidateContent,
        **names(ValidateContent),
        unspecified_content_type_action=actions,
        max_size=upto(1, 102_400),
        size_exceeded_action=actions,
        content_type_map=maybe(content_type_map),
        contents=st.lists(contents, max_size=2),
    ),
    renders={
        "validate-content takes every option": (
            ValidateContent(
                id="v",
                unspecified_content_type_action=PREVENT,
                max_size=102400,
                size_exceeded_action="@(context.Api.Name)",
                errors_variable_name="errors",
                content_type_map=ContentTypeMap(
                    any_content_type_value="application/json",
                    missing_content_type_value="text/plain",
                    types=[
                        ContentTypeMapping(from_="application/hal+json", to="application/json"),
                        ContentTypeMapping(when="@(context.Request.Body == null)", to="text/plain"),
                    ],
                ),
                contents=[
                    ValidatedContent(
                        validate_as=ContentFormat.JSON,
                        type="application/json",
                        action=DETECT,
                        allow_additional_properties=False,
                    ),
                    ValidatedContent(validate_as=ContentFormat.JSON, type="text/json", action="{{action}}"),
                    ValidatedContent(validate_as=ContentFormat.JSON, action=IGNORE),
                ],
            ),
            """
        <validate-content id="v" unspecified-content-type-action="prevent" max-size="102400" \
size-exceeded-action="@(context.Api.Name)" errors-variable-name="errors">
            <content-type-map any-content-type-value="application/json" missing-content-type-value="text/plain">
                <type from="application/hal+json" to="application/json" />
                <type when="@(context.Request.Body == null)" to="text/plain" />
            </content-type-map>
            <content validate-as="json" type="application/json" action="detect" \
allow-additional-properties="false" />
            <content validate-as="json" type="text/json" action="{{action}}" />
            <content validate-as="json" action="ignore" />
        </validate-content>
        """,
        ),
        "validate-content validates the size alone": (
            ValidateContent(unspecified_content_type_action=DETECT, max_size="{{size}}", size_exceeded_action=PREVENT),
            '<validate-content unspecified-content-type-action="detect" max-size="{{size}}" '
            'size-exceeded-action="prevent" />',
        ),
    },
    refuses=(
        (
            lambda: _content(schema_ref="#/a"),
            "validated content has schema_ref without schema_id; name the schema that it is part of",
        ),
        *(
            (
                lambda size=size: _body(max_size=size),
                f"validate-content max_size {size} is not allowed; use 1 to 102400 bytes",
            )
            for size in (0, 102_401)
        ),
        (
            lambda: _body(size_exceeded_action="block"),
            "validate-content size_exceeded_action 'block' is not allowed; use ValidationAction.IGNORE or "
            "ValidationAction.PREVENT or ValidationAction.DETECT or an expression such as @(...)",
        ),
        (
            lambda: _body(errors_variable_name=""),
            "validate-content errors_variable_name '' is empty; give it a value",
        ),
        (
            ContentTypeMap,
            "content type map is empty; give any_content_type_value, missing_content_type_value or types",
        ),
        (
            lambda: ContentTypeMap(any_content_type_value=""),
            "content type map any_content_type_value '' is empty; give it a value",
        ),
        *(
            (
                lambda options=options: ContentTypeMapping(to="a", **options),
                "content type mapping needs either from_ or when; give exactly one of them",
            )
            for options in ({}, {"from_": "a", "when": True})
        ),
        (lambda: ContentTypeMapping(from_="a", to=""), "content type mapping to '' is empty; give it a value"),
        (
            lambda: _content(type="@(1)"),
            "validated content type '@(1)' is a policy expression, which is not allowed here; give the value itself",
        ),
    ),
    children=_children,
)
