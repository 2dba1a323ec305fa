"""Log search alerts: rules that run a query again and again, and fire by what it returns."""

import re
from collections.abc import Mapping
from typing import Any

from apim_emulator.azure.exceptions import ResourceNotFoundError, ValidationError
from apim_emulator.azure.providers.managedidentity.identities import attach_identities
from apim_emulator.azure.providers.monitor import ACTION_GROUP, SCHEDULED_QUERY_RULE
from apim_emulator.azure.providers.monitor.exceptions import BadRequestError
from apim_emulator.azure.resource_types import Shape, Text, always, arm_type, get_function
from apim_emulator.azure.state import Resource, State

_PATH = "Microsoft.Insights/scheduledQueryRules"
_FREQUENCIES = ("PT1M", "PT5M", "PT10M", "PT15M", "PT30M", "PT45M", *(f"PT{hours}H" for hours in range(1, 7)), "P1D")
"""How often a rule can run (terraform-provider-azurerm, `monitor_scheduled_query_rules_alert_v2_resource.go`)."""
_WINDOWS = [*_FREQUENCIES, "P2D"]
"""The time that a rule can look back; also for how long its actions can be muted (the same source)."""
_LONGEST_STATEFUL = _WINDOWS.index("PT6H")
_MOST_DIMENSIONS = 6
_MOST_PERIODS = 6
_MOST_BYTES = 64 * 1024
_UNSUPPORTED = re.compile(r"\b(?:bag_unpack|pivot|narrow)\b")
_NOT_EVERY_MINUTE = re.compile(r"\b(?:search|union|take|limit|ingestion_time)\b")

_CONDITION = Shape(
    "",
    "alertSensitivity criterionType dimensions failingPeriods ignoreDataBefore metricMeasureColumn metricName "
    "minRecurrenceCount operator query resourceIdColumn threshold timeAggregation",
    dimensions=Shape("name operator values", operator=Text(values=("Include", "Exclude"))),
    failingPeriods=Shape("", "minFailingPeriodsToAlert numberOfEvaluationPeriods"),
    # The REST API calls the first one Equals, and takes Equal (azure-rest-api-specs #21794).
    operator=Text(values=("Equal", "GreaterThan", "GreaterThanOrEqual", "LessThan", "LessThanOrEqual")),
    timeAggregation=Text(values=("Count", "Average", "Minimum", "Maximum", "Total")),
)


def _complete(state: State, resource: Resource, _group: Resource) -> None:
    """Check a rule of the kind LogAlert; the emulator has no other kind.

    The rules on values are those of terraform-provider-azurerm and of "Create or edit a log search alert rule"; the
    words are ours.
    """
    inputs = resource.inputs
    for required in ("criteria", "evaluationFrequency", "scopes", "severity", "windowSize"):
        if inputs.get(required) is None:
            raise BadRequestError(f"{required} is missing; a rule of the kind LogAlert needs it", required)
    severity = inputs["severity"]
    if severity not in range(5):
        raise BadRequestError(f"severity {severity} is not 0 to 4", "severity")
    _check_scope(state, inputs["scopes"])
    _check_times(inputs)
    conditions = inputs["criteria"].get("allOf") or []
    if not conditions:
        raise BadRequestError("criteria.allOf is empty; a rule needs a condition", "criteria.allOf")
    for index, condition in enumerate(conditions):
        _check_condition(condition, f"criteria.allOf[{index}]", inputs["evaluationFrequency"])
    for index, group in enumerate((inputs.get("actions") or {}).get("actionGroups") or ()):
        found = state.find(group)
        if found is None or found.token != ACTION_GROUP:
            raise ResourceNotFoundError("action group", group, f"actions.actionGroups[{index}]")
    if inputs.get("identity") and ";" in resource.name:
        raise ValidationError("the name of a rule that uses an identity cannot have a semicolon", "ruleName")
    size = len(str(inputs).encode())
    if size > _MOST_BYTES:
        raise BadRequestError(f"the properties have {size} bytes; at most {_MOST_BYTES} are allowed", "criteria")
    attach_identities(state, resource)


def _check_scope(state: State, scopes: list[str]) -> None:
    if len(scopes) != 1:
        raise BadRequestError(f"scopes has {len(scopes)} resources; a rule has one", "scopes")
    if state.find(scopes[0]) is None:
        raise ResourceNotFoundError("scope", scopes[0], "scopes[0]")


def _check_times(inputs: Mapping[str, Any]) -> None:
    frequency, window, muted = (
        inputs.get(name) for name in ("evaluationFrequency", "windowSize", "muteActionsDuration")
    )
    # Inferred: that a rule sees all data, so that it does not run less often than it looks back.
    if _WINDOWS.index(str(frequency)) > _WINDOWS.index(str(window)):
        raise BadRequestError(
            f"evaluationFrequency {frequency} is longer than windowSize {window}", "evaluationFrequency"
        )
    stateful = inputs.get("autoMitigate", True)
    if stateful and muted is not None:
        raise BadRequestError("muteActionsDuration needs autoMitigate to be false", "muteActionsDuration")
    if stateful and _WINDOWS.index(str(frequency)) > _LONGEST_STATEFUL:
        raise BadRequestError(f"autoMitigate is not possible with evaluationFrequency {frequency}", "autoMitigate")


def _check_condition(condition: Mapping[str, Any], where: str, frequency: str) -> None:
    for required in ("query", "operator", "threshold", "timeAggregation"):
        if condition.get(required) is None:
            raise BadRequestError(f"{where}.{required} is missing", f"{where}.{required}")
    # Inferred: Count counts rows, all others need the column that they are about.
    counts, column = condition["timeAggregation"] == "Count", condition.get("metricMeasureColumn")
    if counts != (column is None):
        raise BadRequestError(
            f"timeAggregation {condition['timeAggregation']} {'takes no' if counts else 'needs a'} metricMeasureColumn",
            f"{where}.metricMeasureColumn",
        )
    if len(condition.get("dimensions") or ()) > _MOST_DIMENSIONS:
        raise BadRequestError(f"{where} has more than {_MOST_DIMENSIONS} dimensions", f"{where}.dimensions")
    periods = condition.get("failingPeriods") or {}
    fewest, of = periods.get("minFailingPeriodsToAlert", 1), periods.get("numberOfEvaluationPeriods", 1)
    if not 1 <= fewest <= of <= _MOST_PERIODS:
        raise BadRequestError(
            f"{fewest} failing periods of {of} are not possible; at most {_MOST_PERIODS}", f"{where}.failingPeriods"
        )
    query = str(condition["query"])
    if "AggregatedValue" in query or (found := _UNSUPPORTED.search(query)):
        word = "AggregatedValue" if "AggregatedValue" in query else found and found[0]
        raise BadRequestError(f"a log search alert cannot use {word}", f"{where}.query")
    if frequency == "PT1M" and (found := _NOT_EVERY_MINUTE.search(query)):
        raise BadRequestError(f"a rule that runs every minute cannot use {found[0]}", f"{where}.query")


TYPE = arm_type(
    token=SCHEDULED_QUERY_RULE,
    path=_PATH,
    names="ruleName",
    shape=Shape(
        "resourceGroupName",
        "actions autoMitigate checkWorkspaceAlertsStorageConfigured criteria description displayName enabled "
        "evaluationFrequency identity kind location muteActionsDuration overrideQueryTimeRange resolveConfiguration "
        "ruleName scopes severity skipQueryValidation tags targetResourceTypes windowSize",
        actions=Shape("", "actionGroups actionProperties customProperties"),
        criteria=Shape("", "allOf", allOf=_CONDITION),
        evaluationFrequency=Text(values=_FREQUENCIES),
        identity=Shape("type", "userAssignedIdentities"),
        kind=Text(values=("LogAlert",)),
        muteActionsDuration=Text(values=_WINDOWS[1:]),
        overrideQueryTimeRange=Text(values=[*_WINDOWS[1:], "PT20M"]),
        windowSize=Text(values=_WINDOWS),
    ),
    complete=_complete,
    pattern=r"^[^*<>%{}&:\\?/#]{0,259}[^*<>%{}&:\\?/#. ]$",
    immutable={"scopes": always},
)

GET = get_function("azure-native:monitor:getScheduledQueryRule", _PATH, "ruleName")
