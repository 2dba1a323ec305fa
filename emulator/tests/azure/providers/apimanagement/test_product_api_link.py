import pytest

from apim_emulator.azure import CloudError
from emulator.tests.azure.azure import Azure


@pytest.fixture
def linked(azure: Azure) -> Azure:
    """A service with two APIs, two products, and a link."""
    azure.service()
    for name in ("openai", "other"):
        azure.api(name)
    for name in ("p", "q"):
        azure.apim("Product", productId=name, displayName=name)
    link(azure, "p", "openai", "first")
    return azure


def link(azure: Azure, product: str, api: str, name: str) -> None:
    api_id = api if api.startswith("/") else f"{azure.service_id()}/apis/{api}"
    azure.apim("ProductApiLink", productId=product, apiLinkId=name, apiId=api_id)


def test_a_link_puts_an_api_into_a_product(linked: Azure) -> None:
    link(linked, "q", "openai", "second")
    link(linked, "q", "other", "third")

    products = {product.id: product.api_ids for product in linked.cloud.gateways()[0].products}
    assert products == {"p": {"openai"}, "q": {"openai", "other"}}


@pytest.mark.parametrize("api", ["missing", "openai/operations/embeddings_create", "/apis/openai"])
def test_it_links_an_api_of_the_service_by_its_whole_id(linked: Azure, api: str) -> None:
    with pytest.raises(CloudError, match=r"API .* was not found"):
        link(linked, "p", api, "second")


def test_an_api_is_linked_once(linked: Azure) -> None:
    with pytest.raises(CloudError, match=r"already linked to the API by .*/apiLinks/first"):
        link(linked, "p", "openai", "second")


def test_names_of_links_are_unique_in_the_service(linked: Azure) -> None:
    with pytest.raises(CloudError, match=r"'First' is already used by .*/products/p/apiLinks/first"):
        link(linked, "q", "openai", "First")


def test_without_its_link_the_api_is_out(linked: Azure) -> None:
    linked.cloud.delete(f"{linked.service_id()}/products/p/apiLinks/first")

    assert linked.cloud.gateways()[0].products[0].api_ids == frozenset()
