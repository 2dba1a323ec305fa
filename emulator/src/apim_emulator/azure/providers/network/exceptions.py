"""How Microsoft.Network refuses."""

from apim_emulator.azure.exceptions import CodedError


class InUsePrefixCannotBeDeletedError(CodedError):
    """A change of the addresses of a subnet that something uses."""

    code = "InUsePrefixCannotBeDeleted"


class InUseSecurityGroupCannotBeDeletedError(CodedError):
    """A security group that a subnet has."""

    code = "InUseNetworkSecurityGroupCannotBeDeleted"


class InUseSubnetCannotBeDeletedError(CodedError):
    """A subnet that something uses."""

    code = "InUseSubnetCannotBeDeleted"


class InvalidAddressPrefixFormatError(CodedError):
    """Text that is no range of addresses."""

    code = "InvalidAddressPrefixFormat"


class InvalidResourceReferenceError(CodedError):
    """A reference to what does not exist."""

    code = "InvalidResourceReference"


class MoreThanOneZoneGroupError(CodedError):
    """A second group of DNS zones of a private endpoint."""

    code = "MoreThanOnePrivateDnsZoneGroupPerPrivateEndpointNotAllowed"


class PrivateEndpointInDelegatedSubnetError(CodedError):
    """A private endpoint in a subnet that another service has for itself."""

    code = "PrivateEndpointCannotBeCreatedInDelegatedSubnet"


class SecurityRuleConflictError(CodedError):
    """Two rules of one direction with the same priority."""

    code = "SecurityRuleConflict"


class SubnetMissingRequiredDelegationError(CodedError):
    """A delegation that is taken from a subnet while a service needs it."""

    code = "SubnetMissingRequiredDelegation"


class SubnetRangeOutsideNetworkError(CodedError):
    """A subnet beyond its network's addresses."""

    code = "NetcfgSubnetRangeOutsideVnet"


class SubnetRangesOverlapError(CodedError):
    """A subnet over another one's addresses."""

    code = "NetcfgSubnetRangesOverlap"
