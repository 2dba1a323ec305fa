"""Private DNS zones (Microsoft.Network)."""

PRIVATE_ZONE = "azure-native:privatedns:PrivateZone"
ZONE_LINK = "azure-native:privatedns:VirtualNetworkLink"
RECORD_SET = "azure-native:privatedns:PrivateRecordSet"

PATH = "Microsoft.Network/privateDnsZones"
"""ARM type of a zone."""
