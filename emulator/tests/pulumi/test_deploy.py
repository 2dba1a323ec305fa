"""Programs run in this process, with the cloud in place of the engine."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi_azure_native import cognitiveservices, keyvault, resources

from apim_emulator.azure import Cloud, CloudError
from apim_emulator.azure.faults import Faults
from apim_emulator.pulumi.deploy import DeployError, Deployment, deploy, load_project, load_stack
from apim_emulator.pulumi.mocks import UNKNOWN

PROGRAMS = Path(__file__).parent / "programs"
SMALL = PROGRAMS / "small"


def run(program: Path | Callable[[], Any], config: dict[str, Any] | None = None, **options: Any) -> Deployment:
    return deploy(program, config or {}, options.pop("cloud", None) or Cloud(), project="p", stack="dev", **options)


def small(cloud: Cloud | None = None, *, preview: bool = False) -> Deployment:
    return deploy(
        SMALL / "__main__.py",
        load_stack(SMALL, "dev"),
        cloud or Cloud(),
        project="small",
        stack="dev",
        preview=preview,
    )


def account(name: str, group: pulumi.Input[str], subdomain: str | None = None) -> cognitiveservices.Account:
    properties = cognitiveservices.AccountPropertiesArgs(custom_sub_domain_name=subdomain)
    return cognitiveservices.Account(
        name, resource_group_name=group, kind="OpenAI", sku={"name": "S0"}, properties=properties
    )


def test_a_deployment_that_fails_tells_what_the_program_logged_before() -> None:
    def program() -> None:
        pulumi.log.warn("this may fail")
        account("a", "missing")

    with pytest.raises(DeployError, match="ResourceGroupNotFound") as failed:
        run(program, {"azure-native:location": "swedencentral"})

    assert [(message.severity, message.text) for message in failed.value.messages] == [("warning", "this may fail")]


def test_a_program_is_deployed_and_its_exports_are_plain() -> None:
    cloud = Cloud()

    deployment = small(cloud)

    gateway = cloud.gateways()[0]
    assert deployment.outputs == {
        "greeting": "hello",
        "gatewayUrl": f"https://{gateway.name}.azure-api.net",
        "endpoint": "https://oai-platform.openai.azure.com/",
        "principalId": gateway.identities[0].principal_id,
        "key": cloud.accounts()[0].keys[0],
    }
    assert gateway.named_values == {"openai-api-key": cloud.accounts()[0].keys[0]}


def test_secret_exports_are_known_and_not_shown() -> None:
    deployment = small()

    assert deployment.secret_outputs == {"key"}
    assert deployment.outputs["key"] not in repr(deployment)


def test_warnings_are_returned() -> None:
    assert [(message.severity, message.text) for message in small().messages] == [("warning", "look at this")]


def test_the_location_of_the_provider_is_used_where_a_resource_names_none() -> None:
    cloud = Cloud()
    deployment = small(cloud)

    group = next(found for found in deployment.registrations if found.name == "group")

    assert "location" not in group.inputs
    assert group.outputs["location"] == "swedencentral"


def test_registrations_tell_dependencies_and_secrets() -> None:
    registrations = {found.name: found for found in small().registrations}
    named_value = registrations["key"]

    assert named_value.secret_inputs == {"value"}
    assert {registrations["service"].urn, registrations["account"].urn} <= named_value.dependencies
    assert registrations["account"].urn not in registrations["service"].dependencies
    assert named_value.inputs["value"] not in repr(named_value)


def test_a_preview_creates_nothing_and_knows_no_outputs() -> None:
    cloud = Cloud()

    deployment = small(cloud, preview=True)

    assert cloud.gateways() == ()
    assert deployment.outputs == {
        "greeting": "hello",
        "gatewayUrl": UNKNOWN,
        "endpoint": UNKNOWN,
        "principalId": UNKNOWN,
        "key": UNKNOWN,
    }
    assert deployment.secret_outputs == {"key"}
    assert len(deployment.registrations) == 4


def test_deployments_leave_nothing_to_each_other() -> None:
    before = list(sys.path)
    first, second = small(), small()

    assert first.outputs["gatewayUrl"] == second.outputs["gatewayUrl"]
    assert first.outputs["key"] != second.outputs["key"]
    assert first.messages == second.messages
    assert sys.path == before


async def test_a_deployment_can_be_made_from_a_running_event_loop() -> None:
    deployment = await asyncio.to_thread(small)

    assert small().outputs.keys() == deployment.outputs.keys()


def test_config_reaches_the_program_as_the_engine_gives_it() -> None:
    seen: dict[str, Any] = {}

    def program() -> None:
        config = pulumi.Config()
        seen.update(
            text=config.require("text"),
            number=config.require_int("number"),
            flag=config.require_bool("flag"),
            group=config.require_object("group"),
            names=(pulumi.get_project(), pulumi.get_stack(), pulumi.runtime.is_dry_run()),
        )

    run(program, {"p:text": "1", "p:number": 2, "p:flag": True, "p:group": {"a": [1]}})

    assert seen == {"text": "1", "number": 2, "flag": True, "group": {"a": [1]}, "names": ("p", "dev", False)}


def test_components_are_parents_and_urns_are_those_of_the_engine() -> None:
    class Part(pulumi.ComponentResource):
        def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
            super().__init__("p:index:Part", name, {}, opts)
            resources.ResourceGroup(f"{name}-group", location="swedencentral", opts=pulumi.ResourceOptions(parent=self))
            self.register_outputs({})

    registrations = {found.name: found for found in run(lambda: Part("part")).registrations}

    assert not registrations["part"].custom
    assert registrations["part"].urn == "urn:pulumi:dev::p::p:index:Part::part"
    assert registrations["part-group"].parent == registrations["part"].urn
    assert registrations["part-group"].urn == (
        "urn:pulumi:dev::p::p:index:Part$azure-native:resources:ResourceGroup::part-group"
    )


def test_outputs_of_secret_inputs_and_additional_ones_are_secret() -> None:
    def program() -> None:
        opts = pulumi.ResourceOptions(additional_secret_outputs=["name"])
        group = resources.ResourceGroup("g", location=pulumi.Output.secret("swedencentral"), opts=opts)
        pulumi.export("location", group.location)
        pulumi.export("name", group.name)
        pulumi.export("type", group.type)

    deployment = run(program)

    assert deployment.secret_outputs == {"location", "name"}
    assert deployment.outputs["location"] == "swedencentral"


@pytest.mark.parametrize("imported", [False, True], ids=["get", "import"])
def test_what_exists_can_be_looked_up_and_imported(imported: bool) -> None:
    cloud = Cloud()
    resource_id, _ = cloud.create("azure-native:resources:ResourceGroup", "shared", {"location": "francecentral"})

    def program() -> None:
        if imported:
            found = resources.ResourceGroup("shared", opts=pulumi.ResourceOptions(import_=resource_id))
        else:
            found = resources.ResourceGroup.get("shared", resource_id)
        pulumi.export("location", found.location)
        pulumi.export("id", found.id)

    deployment = run(program, cloud=cloud)

    assert deployment.outputs == {"location": "francecentral", "id": resource_id}
    assert deployment.registrations[0].read


def test_every_resource_that_is_refused_is_named_in_one_error() -> None:
    cloud = Cloud()

    def program() -> None:
        group = resources.ResourceGroup("group", location="swedencentral")
        broken = account("broken", "missing")
        account("dependent", broken.name)
        sound = account("sound", group.name, "sound")
        account("second", sound.id.apply(lambda resource_id: resource_id.split("/")[4]), "sound")

    with pytest.raises(DeployError) as failure:
        run(program, cloud=cloud)

    lines = str(failure.value).splitlines()
    assert lines[0] == "2 resources could not be deployed:"
    assert sorted(line.strip() for line in lines[1:]) == [
        "azure-native:cognitiveservices:Account broken: ResourceGroupNotFound: Resource group 'missing' could not be "
        "found.",
        "azure-native:cognitiveservices:Account second: CustomDomainInUse: the subdomain 'sound' is already used by "
        "another account; pick another name",
    ]
    assert [found.host for found in cloud.accounts()] == ["sound.openai.azure.com"]


def _deployments(chained: bool) -> None:
    group = resources.ResourceGroup("g", location="swedencentral")
    first = account("a", group.name, "first")
    other = account("b", group.name, "second")
    previous = None
    for name, holder in (("x", first), ("y", first), ("z", first), ("x-other", other)):
        opts = pulumi.ResourceOptions(depends_on=[previous] if previous is not None and chained else [])
        previous = cognitiveservices.Deployment(
            name,
            resource_group_name=group.name,
            account_name=holder.name,
            properties={"model": {"format": "OpenAI", "name": "gpt-4o"}},
            opts=opts,
        )


def test_model_deployments_of_an_account_must_wait_for_each_other() -> None:
    cloud = Cloud()

    run(lambda: _deployments(chained=True), cloud=cloud)

    assert {found.host: len(found.deployments) for found in cloud.accounts()} == {
        "first.openai.azure.com": 3,
        "second.openai.azure.com": 1,
    }
    with pytest.raises(DeployError, match="RequestConflict"):
        run(lambda: _deployments(chained=False))


def test_a_refused_call_that_the_program_goes_on_without_is_no_failure() -> None:
    async def look_up() -> str:
        args = {"accountName": "missing", "resourceGroupName": "missing"}
        try:
            await pulumi.runtime.invoke_async("azure-native:cognitiveservices:getAccount", args)
        except Exception as error:  # noqa: BLE001 - the engine's own is no narrower
            return str(error)
        return "found"

    deployment = run(lambda: pulumi.export("said", pulumi.Output.from_input(look_up())))

    assert deployment.outputs["said"].startswith("invoke of azure-native:cognitiveservices:getAccount failed: Resource")


def test_a_preview_after_a_deployment_knows_the_ids_of_what_is_there() -> None:
    cloud = Cloud()

    def program() -> None:
        for name in ("old", *more):
            pulumi.export(name, resources.ResourceGroup(name, resource_group_name=name, location="x").id)

    more: tuple[str, ...] = ()
    first = run(program, cloud=cloud)
    more = ("new",)
    preview = run(program, cloud=cloud, preview=True, after=first)

    assert preview.outputs == {"old": first.outputs["old"], "new": UNKNOWN}


def _groups(**tags_of: str) -> Callable[[], None]:
    def program() -> None:
        for name, owner in tags_of.items():
            resources.ResourceGroup(name, resource_group_name=name, location="x", tags={"owner": owner})

    return program


def _read(cloud: Cloud, deployment: Deployment) -> dict[str, Any]:
    return {found.name: cloud.read(found.type, found.id)["tags"]["owner"] for found in deployment.registrations}


def test_a_deployment_after_another_changes_what_differs_and_deletes_what_is_named_no_more() -> None:
    cloud = Cloud()
    first = run(_groups(same="a", changed="a", gone="a"), cloud=cloud)
    ids = {found.name: found.id for found in first.registrations}

    second = run(_groups(same="a", changed="b", new="a"), cloud=cloud, after=first)

    assert _read(cloud, second) == {"same": "a", "changed": "b", "new": "a"}
    assert {found.name: found.id for found in second.registrations} | {"gone": ids["gone"]} == ids | {
        "new": next(found.id for found in second.registrations if found.name == "new")
    }
    with pytest.raises(CloudError, match="ResourceNotFound"):
        cloud.read(first.registrations[0].type, ids["gone"])


def test_a_preview_of_a_change_changes_nothing() -> None:
    cloud = Cloud()
    first = run(_groups(changed="a", gone="a"), cloud=cloud)
    version = cloud.version

    run(_groups(changed="b"), cloud=cloud, after=first, preview=True)

    assert cloud.version == version
    assert _read(cloud, first) == {"changed": "a", "gone": "a"}


def test_what_cannot_change_in_place_is_made_anew_and_so_is_what_went_with_it() -> None:
    cloud = Cloud()

    def program() -> None:
        group = resources.ResourceGroup("g", resource_group_name="g", location=location)
        account("oai", group.name, "oai-sub")

    location = "x"
    first = run(program, cloud=cloud)
    location = "y"
    with pytest.raises(DeployError, match=r"Account oai: CustomDomainInUse: .* by a deleted account"):
        run(program, cloud=cloud, after=first)

    group = next(found for found in first.registrations if found.name == "g")
    assert cloud.read(group.type, group.id)["location"] == "y"


def test_what_is_left_is_deleted_in_reverse_and_without_what_goes_with_another() -> None:
    cloud = Cloud()

    def program() -> None:
        group = resources.ResourceGroup("g", resource_group_name="g", location="x")
        properties = keyvault.VaultPropertiesArgs(
            tenant_id=cloud.tenant_id,
            sku=keyvault.SkuArgs(family="A", name=keyvault.SkuName.STANDARD),
            enable_rbac_authorization=True,
        )
        vault = keyvault.Vault("v", vault_name="v-one", resource_group_name=group.name, properties=properties)
        keyvault.Secret(
            "s",
            secret_name="s",
            vault_name=vault.name,
            resource_group_name=group.name,
            properties={"value": "x"},
            opts=pulumi.ResourceOptions(deleted_with=vault if together else None),
        )

    together = True
    run(lambda: None, cloud=cloud, after=run(program, cloud=cloud))
    cloud.purge("azure-native:keyvault:Vault", "v-one")

    together = False
    with pytest.raises(DeployError, match="keyvault:Secret s: Forbidden: Caller is not authorized"):
        run(lambda: None, cloud=cloud, after=run(program, cloud=cloud))


def test_what_is_protected_stays_and_so_does_what_is_retained() -> None:
    cloud = Cloud()

    def program(**options: Any) -> None:
        resources.ResourceGroup("g", resource_group_name="g", location="x", opts=pulumi.ResourceOptions(**options))

    retained = run(lambda: program(retain_on_delete=True), cloud=cloud)
    run(lambda: None, cloud=cloud, after=retained)
    assert cloud.read(retained.registrations[0].type, retained.registrations[0].id)
    cloud.delete(retained.registrations[0].id)

    protected = run(lambda: program(protect=True), cloud=cloud)
    with pytest.raises(DeployError, match="g cannot be deleted because it is protected"):
        run(lambda: None, cloud=cloud, after=protected)
    assert cloud.read(protected.registrations[0].type, protected.registrations[0].id)


def _hooked(answers: list[bool], asked: list[pulumi.ErrorHookArgs]) -> Callable[[], None]:
    async def hook(failure: pulumi.ErrorHookArgs) -> bool:
        asked.append(failure)
        return answers.pop(0)

    def program() -> None:
        hooks = pulumi.ResourceHookBinding(on_error=[pulumi.ErrorHook("again", hook)])
        opts = pulumi.ResourceOptions(hooks=hooks)
        resources.ResourceGroup("g", resource_group_name="g", location="x", opts=opts)

    return program


def test_an_error_hook_is_asked_until_it_or_the_cloud_gives_in() -> None:
    group = "azure-native:resources:ResourceGroup"
    asked: list[pulumi.ErrorHookArgs] = []

    deployment = run(_hooked([True, True], asked), cloud=Cloud(faults=Faults(throttle={group: 2})))

    assert [found.name for found in deployment.registrations] == ["g"]
    assert [(failure.name, failure.failed_operation, len(failure.errors)) for failure in asked] == [
        ("g", "create", 1),
        ("g", "create", 2),
    ]
    with pytest.raises(DeployError, match="TooManyRequests"):
        run(_hooked([True, False], asked), cloud=Cloud(faults=Faults(throttle={group: 3})))


def test_an_error_hook_that_fails_ends_the_deployment() -> None:
    cloud = Cloud(faults=Faults(fail={"azure-native:resources:ResourceGroup": "Broken"}))

    with pytest.raises(DeployError, match="an error hook failed: pop from empty list"):
        run(_hooked([], []), cloud=cloud)


def test_a_refused_call_is_named() -> None:
    def program() -> None:
        found = cognitiveservices.get_account_output(account_name="x", resource_group_name="rg")
        pulumi.export("id", found.id)

    with pytest.raises(DeployError, match="getAccount invoke: ResourceGroupNotFound"):
        run(program)


def _raise(error: BaseException) -> Callable[[], None]:
    def program() -> None:
        raise error

    return program


def _raise_in_apply() -> None:
    group = resources.ResourceGroup("g", location="swedencentral")
    group.name.apply(lambda _name: _raise(ValueError("account x has no subdomain"))())


def _raise_in_an_input() -> None:
    group = resources.ResourceGroup("g", location="swedencentral")
    account("a", group.name.apply(lambda _name: str(_raise(ValueError("account x has no subdomain"))())))


def _raise_from_itself() -> None:
    error = ValueError("bad option")
    raise error from error


def _twice() -> None:
    for _ in range(2):
        resources.ResourceGroup("g", location="swedencentral")


def _transform() -> None:
    pulumi.runtime.register_resource_transform(lambda _args: None)
    resources.ResourceGroup("g", location="swedencentral")


@pytest.mark.parametrize(
    ("program", "message"),
    [
        pytest.param(_raise(pulumi.RunError("set p:owner")), "set p:owner", id="run-error"),
        pytest.param(_raise(ValueError("bad option")), "bad option", id="value-error"),
        pytest.param(_raise_from_itself, "bad option", id="value-error-from-itself"),
        pytest.param(_raise(SystemExit(3)), "the program ended itself with exit code 3", id="exit"),
        pytest.param(_raise_in_apply, "account x has no subdomain", id="in-apply"),
        pytest.param(_raise_in_an_input, "account x has no subdomain", id="in-an-input"),
        pytest.param(
            _twice,
            "duplicate resource URN urn:pulumi:dev::p::azure-native:resources:ResourceGroup::g; "
            "give the resource another name",
            id="duplicate-name",
        ),
        pytest.param(
            _transform, "the emulator runs no transforms; deploy with the Pulumi engine to use them", id="transform"
        ),
        pytest.param(
            lambda: pulumi.Config().require("owner"),
            "Missing required configuration variable 'p:owner'\n"
            "\tplease set a value using the command `pulumi config set p:owner <value>`",
            id="missing-config",
        ),
    ],
)
def test_a_program_that_gives_up_says_why(program: Callable[[], None], message: str) -> None:
    with pytest.raises(DeployError) as failure:
        run(program)

    assert str(failure.value) == message


def test_a_bug_in_a_program_passes_unchanged() -> None:
    with pytest.raises(ZeroDivisionError):
        run(lambda: 1 / 0)


def test_no_secret_is_in_an_error() -> None:
    def program() -> None:
        group = resources.ResourceGroup("g", location="swedencentral")
        properties = keyvault.SecretPropertiesArgs(value=pulumi.Output.secret("s3cr3t"))
        keyvault.Secret("s", resource_group_name=group.name, vault_name="missing", properties=properties)

    with pytest.raises(DeployError, match="ParentResourceNotFound") as failure:
        run(program)

    assert "s3cr3t" not in str(failure.value)


def test_a_program_that_is_no_python_program_is_left_to_the_engine(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: chat\nruntime: yaml\n", encoding="utf-8")

    with pytest.raises(DeployError, match="Python programs alone run: use the engine"):
        run(load_project(tmp_path).program)


def test_a_stack_has_the_projects_defaults_under_its_own_values() -> None:
    assert load_stack(SMALL, "dev") == {
        "small:greeting": "hello",
        "small:sizes": {"small": 1},
        "azure-native:location": "swedencentral",
        "small:owner": "platform",
    }


def test_a_project_names_its_program() -> None:
    project = load_project(SMALL)

    assert (project.name, project.program) == ("small", SMALL / "__main__.py")


@pytest.mark.parametrize(
    ("folder", "stack", "part"),
    [
        pytest.param("small", "prod", "there are dev, listed, ownerless, sealed, torn", id="unknown-stack"),
        pytest.param("small", "ownerless", "small:owner missing", id="missing-value"),
        pytest.param("small", "sealed", "small:owner is encrypted", id="encrypted-value"),
        pytest.param("small", "torn", "Pulumi.torn.yaml:3: ", id="broken-yaml"),
        pytest.param("small", "listed", "config must be a mapping", id="config-is-a-list"),
        pytest.param("broken", "dev", "name is missing", id="project-without-a-name"),
        pytest.param(".", "dev", "there is no Pulumi project here", id="no-project"),
    ],
)
def test_a_config_that_cannot_be_read_is_one_line(folder: str, stack: str, part: str) -> None:
    with pytest.raises(DeployError) as failure:
        load_stack(PROGRAMS / folder, stack)

    assert part in str(failure.value)
    assert "\n" not in str(failure.value)


@pytest.mark.parametrize(
    ("content", "part"), [(b"\xff", "UTF-8"), (b"- a", "must be a mapping")], ids=["binary", "list"]
)
def test_a_file_that_is_no_config_is_refused(tmp_path: Path, content: bytes, part: str) -> None:
    (tmp_path / "Pulumi.yaml").write_bytes(content)

    with pytest.raises(DeployError, match=part):
        load_project(tmp_path)
