"""Azure Managed Redis (Microsoft.Cache/redisEnterprise)."""

CLUSTER = "azure-native:redisenterprise:RedisEnterprise"
DATABASE = "azure-native:redisenterprise:Database"

PATH = "Microsoft.Cache/redisEnterprise"
"""ARM type of a cluster."""

NAME = "^(?=.{1,60}$)[A-Za-z0-9]+(-[A-Za-z0-9]+)*$"
"""What the names of clusters and databases match (ARM types)."""
