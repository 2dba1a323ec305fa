"""Hypothesis strategies: policies about who calls from where, requests of the gateway's own, caches and validation."""

from typing import Any

from hypothesis import strategies as st

from policies import (
    AddressRange,
    AuthenticationBasic,
    AuthenticationCertificate,
    AuthenticationManagedIdentity,
    CacheLookup,
    CacheLookupValue,
    CacheRemoveValue,
    CacheStore,
    CacheStoreValue,
    CachingType,
    ContentFormat,
    ContentTypeMap,
    ContentTypeMapping,
    Cors,
    DownstreamCachingType,
    FindAndReplace,
    IpFilter,
    IpFilterAction,
    LogToEventHub,
    MessageParameters,
    MockResponse,
    PathParameters,
    Proxy,
    RequestMode,
    SendOneWayRequest,
    SendRequest,
    SetBody,
    SetHeader,
    SetMethod,
    ValidateContent,
    ValidatedContent,
    ValidateHeaders,
    ValidateParameters,
    ValidateStatusCode,
    ValidationAction,
)
from tests.policies.values import (
    choice,
    expressions,
    filled,
    flag_expressions,
    flags,
    maybe,
    named_values,
    names,
    options,
    plain,
    texts,
    tokens,
    upto,
)

INT = 2**31 - 1

methods = st.sampled_from(["GET", "POST", "OPTIONS", "M-SEARCH"])
actions = choice(ValidationAction)

caching = {"key": filled, "caching_type": maybe(st.sampled_from(CachingType))}
cache_lookup_value = options(CacheLookupValue, **caching, variable_name=plain, default_value=maybe(texts))
cache_store_value = options(CacheStoreValue, **caching, value=texts, duration=upto(1, INT))
cache_remove_value = options(CacheRemoveValue, **caching)
set_method = options(SetMethod, value=methods | expressions | named_values)
find_and_replace = options(FindAndReplace, from_=texts.filter(bool), to=texts)

origins = st.sampled_from(["https://a.example", "http://localhost:8080/", "https://[::1]:8443", "app://x", "{{o}}"])
headers = st.lists(tokens | st.just("*"), max_size=2)
cross_origin = {
    "terminate_unmatched_request": maybe(flag_expressions),
    "allowed_headers": headers,
    "expose_headers": headers,
}
some_methods = {
    "allowed_methods": st.lists(methods | st.just("*") | expressions, min_size=1, max_size=3),
    "preflight_result_max_age": maybe(upto(0, 2**32 - 1)),
}
some_origins = st.lists(origins, min_size=1, max_size=3)
cors = (
    options(Cors, **cross_origin, allow_credentials=maybe(flag_expressions), allowed_origins=some_origins)
    | options(Cors, **cross_origin, **some_methods, allowed_origins=some_origins)
    | options(
        Cors, **cross_origin, **some_methods, allow_credentials=maybe(st.just(False)), allowed_origins=st.just(["*"])
    )
)

v4 = st.ip_addresses(v=4)
v6 = st.ip_addresses(v=6)
addresses = (v4 | v6).map(str) | expressions | named_values
ranges = st.one_of(
    *(
        st.builds(lambda ends: AddressRange(from_=str(min(ends)), to=str(max(ends))), st.tuples(kind, kind))
        for kind in (v4, v6)
    ),
    st.builds(AddressRange, from_=named_values, to=v4.map(str)),
)
ip_filter = options(
    IpFilter,
    action=choice(IpFilterAction),
    addresses=st.lists(addresses, min_size=1, max_size=3),
    address_ranges=st.lists(ranges, max_size=2),
) | options(IpFilter, action=choice(IpFilterAction), address_ranges=st.lists(ranges, min_size=1, max_size=2))

authentication_certificate = (
    options(AuthenticationCertificate, thumbprint=filled)
    | options(AuthenticationCertificate, certificate_id=plain)
    | options(AuthenticationCertificate, body=expressions, password=maybe(named_values))
)
proxy = options(Proxy, url=filled) | options(Proxy, url=filled, username=filled, password=named_values)

parts: dict[str, st.SearchStrategy[Any]] = {
    "certificate": maybe(authentication_certificate),
    "proxy": maybe(proxy),
    "headers": st.lists(st.builds(SetHeader, name=tokens, values=st.just(["a"])), max_size=2),
    "body": maybe(st.builds(SetBody, value=texts)),
    "identity": maybe(
        st.builds(
            AuthenticationManagedIdentity,
            resource=filled,
            output_token_variable_name=st.none(),
            ignore_error=maybe(flags),
        )
    ),
}
kept: dict[str, st.SearchStrategy[Any]] = {
    **parts,
    "response_variable_name": plain,
    "ignore_error": maybe(flags),
    "buffer_response": maybe(flags),
    "fail_on_error_status_code": maybe(flags),
}
urls = st.sampled_from(["https://a.example/b?c=<&>", "http://127.0.0.1:8080/"]) | expressions | named_values
send_request = (
    options(SendRequest, **kept, mode=st.sampled_from([None, RequestMode.NEW]), url=urls, method=set_method)
    | options(
        SendRequest,
        **kept,
        mode=st.just(RequestMode.COPY) | expressions,
        url=maybe(urls),
        method=maybe(set_method),
        timeout=maybe(upto(1, INT)),
    )
    | options(SendRequest, **kept, mode=st.just(RequestMode.COPY), timeout_ms=maybe(upto(1, INT)))
)

send_one_way_request = options(
    SendOneWayRequest,
    **parts,
    mode=st.sampled_from([None, RequestMode.NEW]),
    url=urls,
    method=set_method,
    timeout=maybe(st.integers(1, INT)),
) | options(SendOneWayRequest, **parts, mode=st.just(RequestMode.COPY) | expressions, url=maybe(urls))

authentication_basic = options(
    AuthenticationBasic, username=filled.filter(lambda text: ":" not in text), password=named_values
)
log_to_eventhub = options(
    LogToEventHub, logger_id=plain, partition_id=maybe(st.integers(0, INT)), value=texts
) | options(LogToEventHub, logger_id=plain, partition_key=maybe(texts), value=texts)
mock_response = options(
    MockResponse,
    enabled=maybe(flags),
    status_code=maybe(st.integers(200, 599)),
    content_type=maybe(plain),
    index=maybe(st.integers(0, 1000)),
)
varied = {
    "vary_by_developer": flag_expressions,
    "vary_by_developer_groups": flag_expressions,
    "downstream_caching_type": maybe(choice(DownstreamCachingType)),
    "must_revalidate": maybe(flag_expressions),
    "caching_type": maybe(st.sampled_from(CachingType)),
    "vary_by_query_parameter": st.lists(filled, max_size=2),
}
cache_lookup = options(
    CacheLookup,
    **varied,
    allow_private_response_caching=maybe(st.just(False)),
    vary_by_header=st.lists(tokens, max_size=2),
) | options(
    CacheLookup,
    **varied,
    allow_private_response_caching=flag_expressions,
    vary_by_header=st.just(["Accept", "authorization"]),
)
cache_store = options(
    CacheStore, duration=upto(1, INT), cache_response=maybe(flag_expressions), caching_mode=maybe(plain)
)

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
validate_content = options(
    ValidateContent,
    **names(ValidateContent),
    unspecified_content_type_action=actions,
    max_size=upto(1, 102_400),
    size_exceeded_action=actions,
    content_type_map=maybe(content_type_map),
    contents=st.lists(contents, max_size=2),
)
by_name = st.dictionaries(plain.map(str.lower), actions, max_size=2)
either = {"specified_parameter_action": actions, "unspecified_parameter_action": actions}
message_parameters = maybe(st.builds(MessageParameters, **either, parameters=by_name))
validate_parameters = options(
    ValidateParameters,
    **names(ValidateParameters),
    **either,
    headers=message_parameters,
    query=message_parameters,
    path=maybe(st.builds(PathParameters, specified_parameter_action=actions, parameters=by_name)),
)
validate_headers = options(
    ValidateHeaders,
    **names(ValidateHeaders),
    specified_header_action=actions,
    unspecified_header_action=actions,
    headers=by_name,
)
validate_status_code = options(
    ValidateStatusCode,
    **names(ValidateStatusCode),
    unspecified_status_code_action=actions,
    status_codes=st.dictionaries(st.integers(200, 599), actions, max_size=2),
)
