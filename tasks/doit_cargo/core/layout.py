"""Where everything lies: artifacts, records, packages, the Docker build context."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from doit_cargo.core.model import RELEASE, Binary, Config, Context, Target
from doit_cargo.core.text import one_line

# The guide's context holds x86_64 at its root; a further architecture gets a context of its own.
CONTEXT_ARCH = "x86_64"
BINARY_MODE = 0o755
FILE_MODE = 0o644


def artifact(ctx: Context, target: Target, binary: str) -> Path:
    """Where cargo leaves an executable: `<target dir>/<triple>/<profile folder>/<bin>`."""
    return target_folder(ctx, target) / binary


def host_folder(ctx: Context) -> Path:
    """Where cargo builds with the profile for this machine: build scripts, macros."""
    return ctx.graph.target_directory / profile_folder(ctx.config.profile)


def target_folder(ctx: Context, target: Target) -> Path:
    """Where cargo builds with the profile for a target."""
    return ctx.graph.target_directory / target.triple / profile_folder(ctx.config.profile)


def cargo_folders(ctx: Context, *targets: Target) -> tuple[Path, ...]:
    """Of these targets or all, the host's first: in the order in which cargo locks them."""
    wanted = targets or ctx.config.targets
    return (host_folder(ctx), *(target_folder(ctx, target) for target in wanted))


def final_executable(ctx: Context, target: Target, binary: Binary) -> Path:
    """The executable that is verified and packaged: cargo's own, or that after `split_debug`."""
    if ctx.config.split_debug:
        return profile_state(ctx.config) / "stripped" / target.arch / binary.name
    return artifact(ctx, target, binary.name)


def debug_file(config: Config, target: Target, binary: Binary) -> Path:
    """What `split_debug` keeps of a binary, outside of every build context."""
    return config.outputs.debug / target.arch / binary.crate / f"{binary.name}.debug"


def profile_folder(profile: str) -> str:
    """The folder name of a profile: cargo puts `dev` and `test` in `debug`, `bench` in `release`.

    Source: The Cargo Book, "Build cache".
    """
    return {"dev": "debug", "test": "debug", "bench": "release"}.get(profile, profile)


def state_database(config: Config) -> Path:
    """Doit's memory of finished tasks."""
    return config.outputs.state / "state.sqlite3"


def content_index(config: Config) -> Path:
    """SHA-256s of files that have not been touched since, of all profiles."""
    return config.outputs.state / "index.json"


def cargo_cache_index(config: Config) -> Path:
    """The same for what cargo keeps, which no no-op has to load."""
    return profile_state(config) / "cargo-cache-index.json"


def made(ctx: Context) -> tuple[Path, ...]:
    """The folders in which no input of any crate lies: what runs, cargo and Python write."""
    config = ctx.config
    return (*config.filled.values(), ctx.graph.target_directory, config.root / "__pycache__")


def event_log(config: Config) -> Path:
    """A JSON line for each thing done."""
    return config.outputs.state / "log.jsonl"


def former_event_log(config: Config) -> Path:
    """The one before, when it had grown large."""
    path = event_log(config)
    return path.with_name(f"{path.name}.1")


def history(config: Config) -> Path:
    """The runs that did something; `clean` keeps it."""
    return config.outputs.state / "history.sqlite3"


def ownership_marks(config: Config) -> Path:
    """The folder of marks, one for each output folder that a run has taken over."""
    return config.outputs.state / "owned"


def state_entries(config: Config) -> tuple[Path, ...]:
    """All that runs keep in the state folder but lock and history; losing the first harms least."""
    database = state_database(config)
    return (
        *(database.with_name(database.name + suffix) for suffix in ("", "-wal", "-shm")),
        content_index(config), cargo_cache_index(config), config.outputs.state / "records",
        ownership_marks(config), event_log(config), former_event_log(config),
        engine_storage(config), work_folder(config),
        config.outputs.state / "stripped", config.outputs.state / "scripts",
        config.outputs.state / "profiles", pace(config),
    )  # fmt: skip


def profile_state(config: Config) -> Path:
    """The folder of what is remembered of a profile's builds: no other's is ever touched."""
    state = config.outputs.state
    return state if config.profile == RELEASE else state / "profiles" / config.profile


def pace(config: Config) -> Path:
    """How long cargo took for a unit."""
    return profile_state(config) / "pace.json"


def foretold_record(config: Config) -> Path:
    """For which crates it was said what they need."""
    return config.outputs.state / "records" / "foretold.json"


def toolchain_record(config: Config, target: Target) -> Path:
    """The record of what all builds of a target depend on."""
    return _record(config, target, "toolchain", "toolchain")


def build_record(config: Config, target: Target, crate: str) -> Path:
    """The record of a compiled crate."""
    return build_records(config, target, (crate,))[crate]


def build_records(config: Config, target: Target, crates: Iterable[str]) -> dict[str, Path]:
    """The records of compiled crates, by the crates' names."""
    folder = _records(config, target, "build")
    return {crate: folder / f"{crate}.json" for crate in crates}


def script_folder(config: Config, target: Target) -> Path:
    """What is known of a target's build scripts that want to run always."""
    return profile_state(config) / "scripts" / target.arch


def script_commands(config: Config, target: Target, crate: str) -> Path:
    """How cargo ran a crate's build script that wants to run always: variables, not for others."""
    return script_folder(config, target) / f"{crate}.json"


def verify_record(config: Config, target: Target, binary: Binary) -> Path:
    """The record of an executable's verdict."""
    return _record(config, target, "verify", binary.name)


def host_record(config: Config) -> Path:
    """The record of what this machine's own build scripts and macros may have read."""
    return profile_state(config) / "records" / "host.json"


def cargo_cache_record(config: Config) -> Path:
    """The record of what cargo holds of packages for later builds, of all targets."""
    return profile_state(config) / "records" / "cargo-cache.json"


def image_record(config: Config, target: Target, binary: Binary) -> Path:
    """The record of an image: engine, references, id, platform, SHA-256 of its binary."""
    return _image_record(config, target, "image", binary.name)


def verify_image_record(config: Config, target: Target, binary: Binary) -> Path:
    """The record of what was found inside an image."""
    return _image_record(config, target, "verify-image", binary.name)


def smoke_record(config: Config, target: Target, binary: Binary) -> Path:
    """The record of an image's trial that went well."""
    return _image_record(config, target, "smoke", binary.name)


def index_record(config: Config, binary: Binary) -> Path:
    """The record of an image for every platform: digest, and what is in it."""
    return config.outputs.state / "records" / "index" / f"{binary.name}.json"


def oci_layout(config: Config, binary: Binary) -> Path:
    """The OCI layout folder of a binary's image for every platform."""
    return config.outputs.images / binary.name


def engine_storage(config: Config) -> Path:
    """Where buildah keeps the images: a store of this workspace's own."""
    return config.outputs.state / "containers"


def work_folder(config: Config, name: str = "") -> Path:
    """A folder that a task fills and removes; only one run at a time is in it. Or all of them."""
    return config.outputs.state / "work" / name


def _record(config: Config, target: Target, step: str, name: str) -> Path:
    return _records(config, target, step) / f"{name}.json"


def _records(config: Config, target: Target, step: str) -> Path:
    """Of a stage up to the verdict, which each profile has of its own."""
    return profile_state(config) / "records" / target.arch / step


def _image_record(config: Config, target: Target, step: str, name: str) -> Path:
    """Of a stage beyond, which there is once for all profiles."""
    return config.outputs.state / "records" / target.arch / step / f"{name}.json"


def packages(config: Config, target: Target) -> Path:
    """The folder of an architecture's verified binaries and their manifest."""
    return config.outputs.binaries / target.arch


def packaged(config: Config, target: Target, binary: Binary) -> Path:
    """A verified binary in its package folder."""
    return packages(config, target) / binary.crate / binary.name


def manifest(config: Config, target: Target) -> Path:
    """The manifest of an architecture's binaries."""
    return packages(config, target) / "MANIFEST.txt"


def checksums(config: Config, target: Target) -> Path:
    """The same sums in the form of sha256sum."""
    return packages(config, target) / "SHA256SUMS"


def staging(config: Config, target: Target) -> Path:
    """The `binaries` folder of an architecture's Docker build context."""
    top = config.outputs.context
    return (top if target.arch == CONTEXT_ARCH else top / target.arch) / "binaries"


def staged(config: Config, target: Target, binary: Binary) -> Path:
    """A binary in the Docker build context."""
    return staging(config, target) / binary.crate / binary.name


def relative(paths: Iterable[Path], root: Path) -> tuple[str, ...]:
    """The paths as a user is shown them: relative to the root where they lie below it."""
    return tuple(
        one_line(path.relative_to(root) if path.is_relative_to(root) else path) for path in paths
    )
