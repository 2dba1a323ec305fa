"""Refusals of Azure OpenAI, with the status codes and bodies of the service.

Those of authentication and deployments are as its callers report them; those of request parameters are OpenAI's own
texts, which Azure passes on. Where a text is inferred, its function says so.
"""

from collections.abc import Mapping


class AzureOpenAIError(Exception):
    """A refused request."""

    def __init__(self, status: int, body: dict[str, object], headers: Mapping[str, str] | None = None) -> None:
        """Answer with a status code, a JSON body and headers beside the usual ones."""
        super().__init__(f"status {status}")
        self.status = status
        self.body = body
        self.headers = headers or {}


def _coded(status: int, code: str, message: str) -> AzureOpenAIError:
    return AzureOpenAIError(status, {"error": {"code": code, "message": message}})


def invalid_key() -> AzureOpenAIError:
    """Refuse a key that is not the account's."""
    return _coded(
        401,
        "401",
        "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an"
        " active subscription and use a correct regional API endpoint for your resource.",
    )


def invalid_token() -> AzureOpenAIError:
    """Refuse a token that is missing, invalid, expired or for another audience; its body has a shape of its own."""
    return AzureOpenAIError(
        401,
        {
            "statusCode": 401,
            "message": "Unauthorized. Access token is missing, invalid, audience is incorrect"
            " (https://cognitiveservices.azure.com), or have expired.",
        },
    )


def public_access_disabled() -> AzureOpenAIError:
    """Refuse a caller who does not come through a private endpoint where `publicNetworkAccess` is Disabled."""
    return _coded(403, "AccessDenied", "Public access is disabled. Please configure private endpoint.")


def key_authentication_disabled() -> AzureOpenAIError:
    """Refuse any key where `disableLocalAuth` is set."""
    return _coded(403, "AuthenticationTypeDisabled", "Key based authentication is disabled for this resource.")


def permission_denied(principal_id: str, action: str, operation: str) -> AzureOpenAIError:
    """Refuse a principal without a role on the account; the status is 401."""
    return _coded(
        401,
        "PermissionDenied",
        f"The principal `{principal_id}` lacks the required data action `{action}` to perform `{operation}` operation.",
    )


def resource_not_found() -> AzureOpenAIError:
    """Refuse an unknown path, method or API version; that an unknown host gets the same is inferred."""
    return _coded(404, "404", "Resource not found")


def deployment_not_found() -> AzureOpenAIError:
    """Refuse the name of a deployment that the account does not have."""
    return _coded(
        404,
        "DeploymentNotFound",
        "The API deployment for this resource does not exist. If you created the deployment within the last 5 minutes,"
        " please wait a moment and try again.",
    )


def throttled(operation: str, api_version: str, seconds: int) -> AzureOpenAIError:
    """Refuse a call for want of quota (tokens per minute of the deployment)."""
    message = (
        f"Requests to the {operation} Operation under Azure OpenAI API version {api_version} have exceeded token rate"
        f" limit of your current OpenAI S0 pricing tier. Please retry after {seconds} seconds. Please go here:"
        " https://aka.ms/oai/quotaincrease if you would like to further increase the default rate limit."
    )
    return AzureOpenAIError(429, {"error": {"code": "429", "message": message}}, {"Retry-After": str(seconds)})


def model_not_found(model_id: str) -> AzureOpenAIError:
    """Refuse the ID of a model that the account does not have; code and text are inferred."""
    return _coded(404, "ResourceNotFound", f"The model '{model_id}' does not exist.")


def version_not_supported() -> AzureOpenAIError:
    """Refuse an API version that the v1 API does not know, as its callers report it."""
    return _coded(400, "BadRequest", "API version not supported")


def not_offered(operation: str) -> AzureOpenAIError:
    """Refuse what Azure offers and the stand-in does not; the words are its own."""
    return _coded(400, "OperationNotSupported", f"The stand-in for Azure OpenAI does not offer {operation}.")


def response_not_found(response_id: str) -> AzureOpenAIError:
    """Refuse the ID of a response that the account does not have."""
    message = f"Response with id '{response_id:.100}' not found."
    return AzureOpenAIError(404, invalid_request(message).body)


def operation_not_supported(operation: str, model: str) -> AzureOpenAIError:
    """Refuse an operation that the deployment's model cannot do."""
    return _coded(
        400,
        "OperationNotSupported",
        f"The {operation} operation does not work with the specified model, {model}. Please choose different model and"
        " try again. You can learn more about which models can be used with each operation here:"
        " https://go.microsoft.com/fwlink/?linkid=2197993.",
    )


def too_deep() -> AzureOpenAIError:
    """Refuse a body of too many levels; words are inferred."""
    return invalid_request("The JSON body of your request has too many levels.")


def invalid_request(message: str, *, param: str | None = None, code: str | None = None) -> AzureOpenAIError:
    """Refuse a request body."""
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    return AzureOpenAIError(400, {"error": error})
