"""Azure Monitor (Microsoft.Insights): where resources send their logs, and who is told of what they say."""

DIAGNOSTIC_SETTING = "azure-native:monitor:DiagnosticSetting"
ACTION_GROUP = "azure-native:monitor:ActionGroup"
SCHEDULED_QUERY_RULE = "azure-native:monitor:ScheduledQueryRule"
