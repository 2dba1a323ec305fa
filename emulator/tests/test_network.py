import pytest
from yarl import URL

from apim_emulator.network import HostRefusedError, Network


@pytest.fixture
def network() -> Network:
    network = Network()
    network.route("login.microsoftonline.com", "http://127.0.0.1:1001")
    network.route("*.openai.azure.com", "http://127.0.0.1:1002/")
    network.route("*.eu.openai.azure.com", "http://127.0.0.1:1003")
    network.route("special.openai.azure.com", "http://[::1]:1004")
    return network


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://login.microsoftonline.com/t/v2.0?a=1%20b", "http://127.0.0.1:1001/t/v2.0?a=1%20b"),
        ("https://LOGIN.microsoftonline.com./t", "http://127.0.0.1:1001/t"),
        ("https://contoso.openai.azure.com/a%2Fb", "http://127.0.0.1:1002/a%2Fb"),
        ("https://a.b.openai.azure.com/", "http://127.0.0.1:1002/"),
        ("https://a.eu.openai.azure.com/", "http://127.0.0.1:1003/"),
        ("https://special.openai.azure.com/", "http://[::1]:1004/"),
        ("http://127.0.0.1:8080/x", "http://127.0.0.1:8080/x"),
        ("http://localhost:8080/x", "http://localhost:8080/x"),
    ],
)
def test_url_is_mapped(network: Network, url: str, target: str) -> None:
    assert str(network.target(URL(url, encoded=True))) == target


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/?key=hunter2",
        "https://openai.azure.com/",
        "https://evilopenai.azure.com/",
        "https://login.microsoftonline.com.example.com/",
        "https://localhost.example.com/",
        "http://169.254.169.254/metadata",
        "http://0.0.0.0/",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "https://user:hunter2@login.microsoftonline.com/",
        "http://user@127.0.0.1/",
        "http://127.0.0.1@evil.com/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0x7f.1/",
        "http://017700000001/",
        "http://127.1/",
        "http://0/",
        "http://[::]/",
        "http://[::ffff:10.0.0.1]/",
        "http://[::ffff:169.254.169.254]/",
        "http://[fe80::1]/",
        "http://127.0.0.1.nip.io/",
        "http://localtest.me/",
        "http://localhost./",
        "http://localhost%00.evil.com/",
        "gopher://127.0.0.1/",
        "//127.0.0.1/",
    ],
)
def test_every_other_host_is_refused(network: Network, url: str) -> None:
    with pytest.raises(HostRefusedError) as caught:
        network.target(URL(url))

    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("base", ["http://example.com", "ftp://127.0.0.1", "127.0.0.1:80"])
def test_routes_lead_to_this_machine_only(network: Network, base: str) -> None:
    with pytest.raises(ValueError, match="loopback"):
        network.route("x.example.com", base)


def test_later_route_replaces_an_earlier_one(network: Network) -> None:
    network.route("login.microsoftonline.com", "http://127.0.0.1:2000")

    assert network.target(URL("https://login.microsoftonline.com/")).port == 2000


def test_a_private_host_has_another_server() -> None:
    network = Network()
    network.route("*.openai.azure.com", "http://127.0.0.1:1001", "http://127.0.0.1:1002")
    private = {"own.openai.azure.com"}

    assert str(network.target(URL("https://OWN.openai.azure.com/a"), private)) == "http://127.0.0.1:1002/a"
    assert str(network.target(URL("https://other.openai.azure.com/a"), private)) == "http://127.0.0.1:1001/a"
    assert str(network.target(URL("https://own.openai.azure.com/a"))) == "http://127.0.0.1:1001/a"


def test_the_other_server_is_on_this_machine_too() -> None:
    with pytest.raises(ValueError, match="is not an http or https URL on a loopback address"):
        Network().route("*.openai.azure.com", "http://127.0.0.1:1001", "http://example.com")


def test_a_route_that_was_taken_back_leads_nowhere(network: Network) -> None:
    network.forget("LOGIN.microsoftonline.com")
    network.forget("special.openai.azure.com")
    network.forget("unknown.contoso.com")

    with pytest.raises(HostRefusedError):
        network.target(URL("https://login.microsoftonline.com/t"))
    assert network.target(URL("https://special.openai.azure.com/")) == URL("http://127.0.0.1:1002/")
