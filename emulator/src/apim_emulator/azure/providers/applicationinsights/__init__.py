"""Application Insights (Microsoft.Insights): components, which keep telemetry, and workbooks, which show it."""

COMPONENT = "azure-native:applicationinsights:Component"
WORKBOOK = "azure-native:applicationinsights:Workbook"

PATH = "Microsoft.Insights/components"
"""ARM type of a component."""
