"""Virtual networks, their subnets, and the private endpoints in them (Microsoft.Network)."""

VIRTUAL_NETWORK = "azure-native:network:VirtualNetwork"
SUBNET = "azure-native:network:Subnet"
SECURITY_GROUP = "azure-native:network:NetworkSecurityGroup"
PUBLIC_IP_ADDRESS = "azure-native:network:PublicIPAddress"
PRIVATE_ENDPOINT = "azure-native:network:PrivateEndpoint"
ZONE_GROUP = "azure-native:network:PrivateDnsZoneGroup"

PATH = "Microsoft.Network"
"""Namespace of the ARM types."""
