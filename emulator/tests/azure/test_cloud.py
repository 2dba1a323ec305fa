from concurrent.futures import ThreadPoolExecutor

from apim_emulator.azure import Cloud
from apim_emulator.model import ControlPlane
from emulator.tests.azure.azure import Azure


def test_the_cloud_is_a_control_plane(cloud: Cloud) -> None:
    control_plane: ControlPlane = cloud

    assert [*control_plane.gateways(), *control_plane.accounts(), *control_plane.applications()] == []


def test_threads_see_whole_changes(azure: Azure) -> None:
    azure.service()

    def create(number: int) -> int:
        azure.api(f"api-{number}")
        return len([api for api in azure.cloud.gateways()[0].apis if len(api.operations) != 2])

    with ThreadPoolExecutor(8) as pool:
        incomplete = sum(pool.map(create, range(40)))

    assert incomplete == 0
    assert len(azure.cloud.gateways()[0].apis) == 40
