"""Decoding the section `images`: what it gives, and the exact text of what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from doit_cargo.core.errors import ConfigError
from doit_cargo.core.image_settings import ExecProbe, HttpProbe, Images, Service, Smoke
from doit_cargo.core.model import Crate, CrateGraph
from doit_cargo.core.settings import image_values
from doit_cargo.core.settings.config import check_ship, load_config

HEAD = "workspace: .\ntargets: {x86_64: x86_64-unknown-linux-musl}\n"
FULL = """\
images:
  engine: buildah
  default: true
  dockerfile: build/Dockerfile
  prefix: acme/shop
  registry: registry.acme.org:5000
  insecure: true
  tags: ["{version}", "g{revision}", latest]
  user: "1000:100"
  certificates: /etc/ssl/certs/ca-certificates.crt
  timezones: [UTC, Europe/Berlin]
  services:
    shop:
      port: 8080
      health: [--health, -v]
      env: {SHOP_DB: "db:1"}
      smoke:
        http: {path: /ready?deep=1, status: 204, body: ok}
        needs: [admin]
        env: {SHOP_DB: none}
      stop: 30
    admin:
      smoke: {exec: {argv: [--version], code: 3}}
"""


def decode(root: Path, section: str) -> Images | None:
    path = root / "pipeline.yaml"
    path.write_text(HEAD + section)
    return load_config(path, root).images


def faults(root: Path, section: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        decode(root, section)
    return [fault.removeprefix("pipeline.yaml:") for fault in caught.value.faults]


def test_without_the_section_there_are_no_images(tmp_path: Path) -> None:
    assert decode(tmp_path, "") is None


def test_an_empty_section_has_every_default(tmp_path: Path) -> None:
    """The Dockerfile is docker/Dockerfile where there is one, else the package's own."""
    own = Path(image_values.__file__).parents[1] / "images" / "Dockerfile"
    assert decode(tmp_path, "images: {}\n") == Images(engine="auto", dockerfile=own)

    theirs = tmp_path / "docker" / "Dockerfile"
    theirs.parent.mkdir()
    theirs.touch()
    assert decode(tmp_path, "images: {}\n") == Images(engine="auto", dockerfile=theirs)


def test_the_projects_dockerfile_is_the_packages() -> None:
    own = Path(image_values.__file__).parents[1] / "images" / "Dockerfile"

    assert own.read_text() == (Path(__file__).parents[3] / "docker" / "Dockerfile").read_text()


def test_every_key_is_decoded(tmp_path: Path) -> None:
    shop = Service(
        port=8080,
        health=("--health", "-v"),
        env={"SHOP_DB": "db:1"},
        smoke=Smoke(
            probe=HttpProbe(path="/ready?deep=1", status=204, body="ok"),
            needs=("admin",),
            env={"SHOP_DB": "none"},
        ),
        stop=30,
    )
    admin = Service(smoke=Smoke(probe=ExecProbe(argv=("--version",), code=3)))
    expected = Images(
        engine="buildah",
        default=True,
        dockerfile=tmp_path / "build" / "Dockerfile",
        prefix="acme/shop",
        registry="registry.acme.org:5000",
        insecure=True,
        tags=("{version}", "g{revision}", "latest"),
        user="1000:100",
        certificates=Path("/etc/ssl/certs/ca-certificates.crt"),
        timezones=("UTC", "Europe/Berlin"),
        services={"shop": shop, "admin": admin},
    )

    assert decode(tmp_path, FULL) == expected


def test_the_folder_of_the_layouts_counts_only_with_images(tmp_path: Path) -> None:
    output = "output: {context: docker, binaries: out}\n"

    assert decode(tmp_path, output) is None
    assert faults(tmp_path, output + "images: {}\n") == [
        "3: output.images: 'docker/images' and the folder of 'context' overlap"
    ]


NO_REGISTRY = "is not a registry: a host with a domain or a port, nothing more"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("engine: podman", "engine: 'podman' is not one of auto, buildah, docker"),
        ("registry: me:pass@host.io", f"registry: 'me:pass@host.io' {NO_REGISTRY}"),
        ("registry: docker", f"registry: 'docker' {NO_REGISTRY}"),
        ("user: root",
         "user: 'root' is not a user: a numeric user, not root, and perhaps a group: 65532:65532"),
        ("tags: ['{date}']",
         "tags[0]: '{date}' is not a tag: letters, digits, '_.-', {version}, {revision}"),
        ("dockerfile: ../x", "dockerfile: '../x' is outside the root folder {root}"),
        ("services: {a: {port: 0}}",
         "services.a.port: '0' is not a port: a whole number from 1 to 65535"),
        ("services: {a: {port: [1]}}",
         "services.a.port: this is not a port: a whole number from 1 to 65535"),
        ("services: {a: {smoke: {needs: []}}}",
         "services.a.smoke: set either 'http' or 'exec'"),
        ("services: {a: {port: 1, smoke: {http: {path: /}, exec: {argv: [x]}}}}",
         "services.a.smoke: set either 'http' or 'exec'"),
        ("services: {a: {smoke: {http: {path: /}}}}",
         "services.a.smoke.http: the service has no 'port' to ask"),
        ("services: {shop: {}, b: {smoke: {exec: {argv: [x]}, needs: [shp]}}}",
         "services.b.smoke.needs: no service 'shp', did you mean 'shop'?"),
        ("services: {a: {smoke: {exec: {argv: [x]}, needs: [a]}}}",
         "services.a.smoke.needs: the service depends on itself"),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_its_place(tmp_path: Path, line: str, expected: str) -> None:
    found = faults(tmp_path, f"images:\n  {line}\n")

    assert found == [f"4: images.{expected.replace('{root}', str(tmp_path))}"]


def test_a_circle_of_needs_is_told_for_each_in_it(tmp_path: Path) -> None:
    smoke = "{smoke: {exec: {argv: [x]}, needs: [%s]}}"
    rows = [f"    {name}: {smoke % other}\n" for name, other in ("ab", "bc", "cb", "da")]

    assert faults(tmp_path, "images:\n  services:\n" + "".join(rows)) == [
        "6: images.services.b.smoke.needs: the service depends on itself",
        "7: images.services.c.smoke.needs: the service depends on itself",
    ]


def crates(root: Path, *bins: str) -> CrateGraph:
    crate = Crate(
        name="shop",
        version="1.0.0",
        manifest=root / "shop" / "Cargo.toml",
        dependencies=(),
        bins=bins,
        has_lib=False,
        build_script=None,
    )
    return CrateGraph(root=root, target_directory=root / "target", crates={"shop": crate})


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ("services: {shop: {}}", []),
        ("services:\n    shopp: {}", [
            "5: images.services.shopp: 'shopp' is not shipped, did you mean 'shop'?"]),
        ("services:\n    Admin: {}", [
            ("5: images.services.Admin: 'Admin' cannot name an image, "
             "it must be lower case and start plainly")]),
        ("tags: [latest]", [
            "3: images: 'Admin' cannot name an image, it must be lower case and start plainly"]),
    ],
)  # fmt: skip
def test_what_has_an_image_is_shipped_and_can_name_it(
    tmp_path: Path, section: str, expected: list[str]
) -> None:
    decode(tmp_path, f"images:\n  {section}\n")
    config = load_config(tmp_path / "pipeline.yaml", tmp_path)
    found: tuple[str, ...] = ()
    try:
        check_ship(config, crates(tmp_path, "shop", "Admin"))
    except ConfigError as error:
        found = error.faults

    assert list(found) == [f"pipeline.yaml:{text}" for text in expected]


def test_the_bundled_configuration_has_an_image_for_each_binary() -> None:
    root = Path(__file__).parents[3]
    config = load_config(root / "config" / "pipeline.yaml", root)
    assert config.images
    services = config.images.services or {}

    assert set(services) == {binary.name for binary in config.ship or ()}
    assert {name: service.port for name, service in services.items()} == {
        "fechatter_server": 6688,
        "notify_server": 6687,
        "indexer": 6689,
        "analytics_server": 6690,
        "fechatter_gateway": 8080,
        "bot": None,
    }
    assert all(service.smoke and service.health for service in services.values())
