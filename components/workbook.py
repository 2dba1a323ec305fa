"""A workbook that shows what the gateway's callers use, what it costs, and how they fare."""

import json
import uuid
from collections.abc import Sequence
from typing import Any, NotRequired, TypedDict

import pulumi
from pulumi_azure_native import applicationinsights

from components._inputs import read_options
from options import PriceOptions
from options.prices import AS_OF, prices_of
from queries import Value, query

_LOGS = "microsoft.operationalinsights/workspaces"
_SECTIONS: Sequence[tuple[str, str, str]] = (
    ("cost", "Tokens and cost by team and model, in US dollars by the prices of {as_of} or the stack's own", "table"),
    ("tokens", "Tokens by model", "timechart"),
    ("latency", "Latency in milliseconds", "timechart"),
    ("refusals", "Calls that were refused", "table"),
)
"""The query of each part, its title, and how it is shown."""


class WorkbookArgs(TypedDict):
    """Inputs of `Workbook`."""

    resource_group_name: pulumi.Input[str]
    """Resource group of the workbook."""
    resource_group_id: pulumi.Input[str]
    """Resource ID of that group."""
    workspace_id: pulumi.Input[str]
    """Log Analytics workspace that gets the service's gateway logs and the metrics of tokens."""
    service_id: pulumi.Input[str]
    """Resource ID of the API Management service."""
    api_ids: pulumi.Input[list[str]]
    """Identifiers of the APIs on the service that it shows."""
    display_name: pulumi.Input[str]
    """Title."""
    deployments: NotRequired[dict[str, str]]
    """Model of each deployment, by its name, for the cost. Defaults to none: no tokens have a price."""
    prices: NotRequired[list[PriceOptions]]
    """Prices of tokens in place of the program's own."""


class Workbook(pulumi.ComponentResource):
    """An Azure Monitor workbook with tokens and cost by team and model, latency, and refusals."""

    workbook_id: pulumi.Output[str]
    """Resource ID of the workbook."""

    def __init__(self, name: str, args: WorkbookArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("openai-gateway:index:Workbook", name, {}, opts)
        own = [read_options(PriceOptions, price, f"prices[{i}]") for i, price in enumerate(args.get("prices") or ())]
        prices = prices_of(args.get("deployments") or {}, own)

        def content(known: dict[str, Any]) -> str:
            return _content({"service": known["service"], "apis": known["apis"], "prices": prices}, known["workspace"])

        workbook = applicationinsights.Workbook(
            f"{name}-workbook",
            resource_group_name=args["resource_group_name"],
            # A workbook's name is a GUID; the same workbook has the same one each time.
            resource_name_=pulumi.Output.from_input(args["resource_group_id"]).apply(
                lambda group: str(uuid.uuid5(uuid.NAMESPACE_URL, f"{group}|{name}".lower()))
            ),
            kind=applicationinsights.WorkbookSharedTypeKind.SHARED,
            category="workbook",
            display_name=args["display_name"],
            # The service keeps the ID in lower case, and the title as a tag (terraform-provider-azurerm).
            source_id=pulumi.Output.from_input(args["workspace_id"]).apply(str.lower),
            tags={"hidden-title": args["display_name"]},
            serialized_data=pulumi.Output.all(
                service=args["service_id"], apis=args["api_ids"], workspace=args["workspace_id"]
            ).apply(content),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.workbook_id = workbook.id
        self.register_outputs({"workbookId": self.workbook_id})


def _content(values: dict[str, Value], workspace: str) -> str:
    """Return the workbook as JSON: a choice of the time, and below it each query ("Notebook/1.0")."""
    time = {
        "type": 9,
        "content": {
            "version": "KqlParameterItem/1.0",
            "parameters": [
                {
                    "id": str(uuid.uuid5(uuid.NAMESPACE_URL, "openai-gateway/time")),
                    "version": "KqlParameterItem/1.0",
                    "name": "Time",
                    "type": 4,
                    "isRequired": True,
                    "value": {"durationMs": 86_400_000},
                    "typeSettings": {
                        "selectableValues": [
                            {"durationMs": hours * 3_600_000} for hours in (1, 24, 7 * 24, 30 * 24, 90 * 24)
                        ]
                    },
                }
            ],
            "style": "pills",
            "queryType": 0,
            "resourceType": _LOGS,
        },
        "name": "time",
    }
    parts = [
        {
            "type": 3,
            "content": {
                "version": "KqlItem/1.0",
                "query": query(f"workbook/{name}", values),
                "size": 0,
                "title": title.format(as_of=AS_OF.isoformat()),
                "timeContextFromParameter": "Time",
                "queryType": 0,
                "resourceType": _LOGS,
                "crossComponentResources": [workspace],
                "visualization": shown,
            },
            "name": name,
        }
        for name, title, shown in _SECTIONS
    ]
    return json.dumps({"version": "Notebook/1.0", "items": [time, *parts], "isLocked": False}, indent=2)
