"""Workspaces that fail for real: what each crate does, and the row of the table that explains it.

The crates of TOGETHER are members of one workspace, so that one cargo shows all their failures.
A tool is missing by PATH being empty where the real crate looks for it: in its build script.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from doit_cargo.core.hosts import this_host
from helpers.workspaces import app, package, virtual

NO_TOOLS = 'std::env::set_var("PATH", "/nonexistent");'


class Failing(NamedTuple):
    """A binary crate: its build script's body, its main.rs and what else its manifest says.

    `row` is the hint's, `said` the words of cargo, the compiler or the script above it.
    """

    row: str
    said: str
    script: str = ""
    main: str = "fn main() {}\n"
    manifest: str = ""
    files: tuple[tuple[str, str], ...] = ()


def member(name: str, failing: Failing) -> dict[str, str]:
    """The crate's files."""
    found = {
        f"{name}/Cargo.toml": package(name, failing.manifest),
        f"{name}/src/main.rs": failing.main,
        **{f"{name}/{path}": text for path, text in failing.files},
    }
    if failing.script:
        found[f"{name}/build.rs"] = f"fn main() {{ {failing.script} }}\n"
    return found


def needs(*crates: str) -> str:
    """Build dependencies, each `name = version`."""
    return "\n".join(["[build-dependencies]", *crates])


TOGETHER = {
    "cmake-absent": Failing(
        row="cmake",
        said="is `cmake` not installed?",
        script=f'{NO_TOOLS} cmake::build("native");',
        manifest=needs('cmake = "0.1"'),
    ),
    "protoc-absent": Failing(
        row="protoc-absent",
        said="Could not find `protoc`",
        script=(
            'std::env::set_var("PROTOC", "/nonexistent/protoc"); '
            'prost_build::compile_protos(&["a.proto"], &["."]).unwrap();'
        ),
        manifest=needs('prost-build = { version = "0.14", default-features = false }'),
        files=(("a.proto", 'syntax = "proto3";\n'),),
    ),
    "protoc-failed": Failing(
        row="protoc-failed",
        said="protoc failed: ",
        script='prost_build::compile_protos(&["a.proto"], &["."]).unwrap();',
        manifest=needs('prost-build = { version = "0.14", default-features = false }'),
        files=(("a.proto", 'syntax = "proto3";\nimport "elsewhere/b.proto";\n'),),
    ),
    "pkgconfig-absent": Failing(
        row="pkg-config",
        said="pkg-config",
        script=(
            f'{NO_TOOLS} std::env::set_var("PKG_CONFIG_ALLOW_CROSS", "1"); '
            'if let Err(e) = pkg_config::probe_library("zlib") { panic!("{}", e) }'
        ),
        manifest=needs('pkg-config = "0.3"'),
    ),
    "pkgconfig-cross": Failing(
        row="pkg-config-cross",
        said="pkg-config has not been configured to support cross-compilation",
        script='if let Err(e) = pkg_config::probe_library("zlib") { panic!("{}", e) }',
        manifest=needs('pkg-config = "0.3"'),
    ),
    "perl-absent": Failing(
        row="build-tool",
        said="Command 'perl' not found",
        script=f"{NO_TOOLS} openssl_src::Build::new().build();",
        manifest=needs('openssl-src = "300"'),
    ),
    "make-absent": Failing(
        row="a-program",
        said="kind: NotFound",
        script='std::process::Command::new("/nonexistent/make").status().unwrap();',
    ),
    "nasm-absent": Failing(
        row="nasm",
        said="nasm",
        script=f'{NO_TOOLS} nasm_rs::compile_library("liba.a", &["a.asm"]).unwrap();',
        manifest=needs('nasm-rs = "0.3"'),
        files=(("a.asm", "ret\n"),),
    ),
    "own-compiler": Failing(
        row="c-compiler",
        said="x86_64-linux-none-gcc",  # musl-tools bring x86_64-linux-musl-gcc
        script='cc::Build::new().compiler("x86_64-linux-none-gcc").file("a.c").compile("a");',
        manifest=needs('cc = "1"'),
        files=(("a.c", "int a;\n"),),
    ),
    "openssl": Failing(
        row="openssl",
        said="Could not find directory of OpenSSL installation",
        manifest='[dependencies]\nopenssl-sys = "0.9"\n',
    ),
    "swagger": Failing(
        row="swagger-ui",
        said="failed to download Swagger UI",
        manifest=(
            "[dependencies.utoipa-swagger-ui]\n"
            'version = "9"\ndefault-features = false\n'
        ),
    ),
    "download": Failing(
        row="download",
        said="failed to lookup address information",
        script='std::net::TcpStream::connect("host.invalid:80").unwrap();',
    ),
    "libclang": Failing(
        row="libclang",
        said="libclang",
        script=(
            'std::env::set_var("LIBCLANG_PATH", "/nonexistent"); '
            'if let Err(e) = clang_sys::load() { panic!("Unable to find libclang: {:?}", e) }'
        ),
        manifest=needs('clang-sys = { version = "1", features = ["runtime"] }'),
    ),
    "no-std-for": Failing(
        row="std",
        said="can't find crate for",
        script=(
            'let done = std::process::Command::new(std::env::var("RUSTC").unwrap())'
            '.args(["--target", "sparc64-unknown-linux-gnu", "--crate-type", "lib", "a.rs"])'
            '.status().unwrap(); assert!(done.success(), "rustc failed");'
        ),
        files=(("a.rs", "\n"),),
    ),
    "host-linker": Failing(
        row="linker-absent",
        said="linker `cc` not found",
        script=(
            'let done = std::process::Command::new(std::env::var("RUSTC").unwrap())'
            '.args([concat!(env!("CARGO_MANIFEST_DIR"), "/a.rs")]).env("PATH", "/nonexistent")'
            '.current_dir(std::env::var("OUT_DIR").unwrap()).status().unwrap(); '
            'assert!(done.success(), "rustc failed");'
        ),
        files=(("a.rs", "fn main() {}\n"),),
    ),
    "glibc-header": Failing(
        row="glibc-header",
        said="'execinfo.h' file not found",
        script='cc::Build::new().file("a.c").compile("a");',
        manifest=needs('cc = "1"'),
        files=(("a.c", "#include <execinfo.h>\n"),),
    ),
    "header": Failing(
        row="c-header",
        said="'no/such.h' file not found",
        script='cc::Build::new().file("a.c").compile("a");',
        manifest=needs('cc = "1"'),
        files=(("a.c", "#include <no/such.h>\n"),),
    ),
    "glibc-symbol": Failing(
        row="glibc-symbol",
        said="gnu_get_libc_version",
        main=(
            'extern "C" { fn gnu_get_libc_version() -> *const u8; }\n'
            'fn main() { println!("{:?}", unsafe { gnu_get_libc_version() }); }\n'
        ),
    ),
    "glibc-function": Failing(
        row="glibc-function",
        said="cannot find function `malloc_trim` in crate `libc`",
        main="fn main() { unsafe { libc::malloc_trim(0); } }\n",
        manifest='[dependencies]\nlibc = "0.2"\n',
    ),
    "library-dynamic": Failing(
        row="system-library",
        said="pq",
        script='println!("cargo:rustc-link-lib=dylib=pq");',
    ),
    "library-static": Failing(
        row="system-library",
        said='unable to find static system library "pq"',
        script='println!("cargo:rustc-link-lib=static=pq");',
    ),
    "symbol-set": Failing(
        row="linker-flag",
        said="--defsym",
        script='println!("cargo:rustc-link-arg=-Wl,--defsym=mine=1");',
    ),
    "symbol-file": Failing(
        row="linker-flag",
        said="--retain-symbols-file",
        script='println!("cargo:rustc-link-arg=-Wl,--retain-symbols-file=list");',
    ),
    "definitions": Failing(
        row="linker-flag",
        said="-z muldefs",
        script='println!("cargo:rustc-link-arg=-Wl,-z,muldefs");',
    ),
    "disk-full": Failing(
        row="disk-full",
        said="No space left on device",
        script='std::fs::write("/dev/full", "x").unwrap();',
    ),
    "read-only": Failing(
        row="read-only",
        said="Permission denied",
        script=(
            'let _ = std::os::unix::fs::symlink("/sys", "src/generated"); '
            'std::fs::write("src/generated/code.rs", "").unwrap();'
        ),
    ),
    "environment": Failing(
        row="environment",
        said="RELEASE_NAME",
        main='fn main() { println!(env!("RELEASE_NAME")); }\n',
    ),
    "script-environment": Failing(
        row="script-environment",
        said="NotPresent",
        script='std::env::var("RELEASE_NAME").unwrap();',
    ),
    "killed": Failing(
        row="killed",
        said="signal: 9",
        main="hungry::grow!();\nfn main() {}\n",
        manifest='[dependencies]\nhungry = { path = "../hungry" }\n',
    ),
}  # fmt: skip

# Macros that run inside the compiler: one ends as under the kernel's out-of-memory killer, one
# asks for more than there is.
HUNGRY = {
    "hungry/Cargo.toml": package("hungry", "[lib]\nproc-macro = true\n"),
    "hungry/src/lib.rs": """\
use proc_macro::TokenStream;

#[proc_macro]
pub fn grow(_: TokenStream) -> TokenStream {
    let own = std::process::id().to_string();
    let argv = ["-c", "kill -KILL $0", &own];
    std::process::Command::new("/bin/sh").args(argv).status().unwrap();
    loop { std::thread::park() }
}

#[proc_macro]
pub fn explode(_: TokenStream) -> TokenStream {
    let much = Vec::<u8>::with_capacity(1 << 60);
    much.iter().map(|n| n.to_string()).collect::<String>().parse().unwrap()
}
""",
}


class Alone(NamedTuple):
    """A workspace that cargo gives up as a whole, or of which one thing is shown.

    `files` stand beside the binary crate `app`, `settings` are lines of config/pipeline.yaml,
    `command` is doit's. `rustup`: this can only fail so where there is a rustup.
    """

    row: str
    said: str
    files: Mapping[str, str] = MappingProxyType({})
    settings: str = ""
    env: Mapping[str, str] = MappingProxyType({})
    command: tuple[str, ...] = ()
    targets: str = "{x86_64: x86_64-unknown-linux-musl}"
    rustup: bool = False


NOWHERE = "127.0.0.1:1"  # refuses at once
HOST_LINKER = f"CARGO_TARGET_{this_host().upper().replace('-', '_')}_LINKER"

APP = {"Cargo.toml": virtual('"app"'), **app("app")}
LOCKED = """\
version = 4

[[package]]
name = "app"
version = "0.1.0"
dependencies = ["itoa"]

[[package]]
name = "itoa"
version = "1.0.11"
source = "registry+https://github.com/rust-lang/crates.io-index"
checksum = "49f1f14873335454500d59611f1cf4a4b0f786f9ac11f4312a78e4cf2566695b"
"""
ITOA = {**app("app", '[dependencies]\nitoa = "=1.0.11"\n'), "Cargo.lock": LOCKED}


def linking(name: str) -> dict[str, str]:
    """A library that links libz."""
    return {
        f"{name}/Cargo.toml": package(name, 'links = "z"\n'),
        f"{name}/src/lib.rs": "",
        f"{name}/build.rs": "fn main() {}\n",
    }


ALONE = {
    "OpenSSL for native-tls": Alone(
        row="openssl-of-native-tls",
        said="Could not find directory of OpenSSL installation",
        files=app("app", '[dependencies]\nnative-tls = "0.2"\n'),
    ),
    "a target without std": Alone(
        row="std-of-the-target",
        said="Rust's std for s390x-unknown-linux-musl is not installed",
        env={"DOIT_CARGO_CACHE": "/nonexistent"},  # whatever this machine has
        targets="{s390x: s390x-unknown-linux-musl}",
    ),
    # What the compiler prints before it dies names no crate: beside others it may go to another.
    "a macro that asks for too much": Alone(
        row="out-of-memory",
        said="memory allocation of",
        files={
            **HUNGRY,
            **app("app", '[dependencies]\nhungry = { path = "../hungry" }\n'),
            "app/src/main.rs": "hungry::explode!();\nfn main() {}\n",
        },
    ),
    "a linker named on another host": Alone(
        row="linker-of-another-host",
        said="linker `x86_64-linux-musl-none` not found",
        files={
            ".cargo/config.toml": "[target.x86_64-unknown-linux-musl]\n"
            'linker = "x86_64-linux-musl-none"\n'
        },
        settings="env: {CARGO_TARGET_X86_64_UNKNOWN_LINUX_MUSL_LINKER: x86_64-linux-musl-none}\n",
    ),
    "ld for the linker of build scripts": Alone(
        row="host-linker-libraries",
        said="cannot find -lgcc_s",
        files={"app/build.rs": "fn main() {}\n"},
        settings=f"env: {{{HOST_LINKER}: ld}}\n",
    ),
    "a wrapper that is not there": Alone(
        row="wrapper",
        said="never executed",
        settings="env: {RUSTC_WRAPPER: no-sccache}\n",
    ),
    "a lock file out of date": Alone(
        row="lock",
        said="--locked",
        files={"Cargo.lock": "version = 4\n"},
    ),
    "a binary whose feature is off": Alone(
        row="required-features",
        said="requires the features: `extra`",
        files=app(
            "app",
            "[[bin]]\nname = 'app'\npath = 'src/main.rs'\n"
            "required-features = ['extra']\n[features]\nextra = []\n",
        ),
    ),
    "offline, not downloaded": Alone(
        row="offline",
        said="offline",
        files=ITOA,
        settings="cargo: {offline: true}\n",
        env={"CARGO_HOME": "empty"},
    ),
    "no way to the registry": Alone(
        row="registry",
        said="config.json failed",
        files=ITOA,
        env={"CARGO_HOME": "empty", "https_proxy": f"http://{NOWHERE}", "CARGO_NET_RETRY": "0"},
    ),
    "a git repository out of reach": Alone(
        row="git-access",
        said="unable to update https",
        files=app("app", f'[dependencies]\nx = {{ git = "https://{NOWHERE}/x.git" }}\n'),
        env={"CARGO_NET_RETRY": "0"},
    ),
    "one library linked twice": Alone(
        row="two-links",
        said="links",
        files={
            **linking("one"),
            **linking("two"),
            **app("app", '[dependencies]\none = { path = "../one" }\ntwo = { path = "../two" }\n'),
        },
    ),
    "a rust-version to come": Alone(
        row="compiler",
        said="1.999",
        files={"app/Cargo.toml": package("app", 'rust-version = "1.999"\n')},
    ),
    "an edition to come": Alone(
        row="compiler",
        said="2099",
        files=app("app", edition="2099"),
    ),
    "a toolchain that is not there": Alone(
        row="toolchain-file",
        said="toolchain 1.0.99",
        files={"rust-toolchain.toml": '[toolchain]\nchannel = "1.0.99"\n'},
        rustup=True,
    ),
    "a toolchain that rustup cannot fetch": Alone(
        row="toolchain-file",
        said="toolchain install 1.0.99",
        files={"rust-toolchain.toml": '[toolchain]\nchannel = "1.0.99"\n'},
        env={"RUSTUP_DIST_SERVER": f"http://{NOWHERE}", "RUSTUP_MAX_RETRIES": "0"},
        command=("setup",),
        rustup=True,
    ),
}
