"""Values of the random provider: the same for the same seed and name, passwords excepted."""

RANDOM_STRING = "random:index/randomString:RandomString"
RANDOM_PASSWORD = "random:index/randomPassword:RandomPassword"  # noqa: S105 - a type token
RANDOM_UUID = "random:index/randomUuid:RandomUuid"
RANDOM_ID = "random:index/randomId:RandomId"
