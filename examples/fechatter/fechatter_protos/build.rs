//! Generates the crate's types from `proto/`.
//!
//! protoc compiles the `.proto` files; its descriptor set is then turned into
//! Rust by `build/codegen.rs`. Where no protoc can be run, as in many
//! cross-compilation images, `CROSS_COMPILATION=1` selects the committed result
//! of that, `src/precompiled.rs`, which a test keeps up to date.

#[path = "build/codegen.rs"]
mod codegen;
#[path = "build/descriptor.rs"]
mod descriptor;
#[path = "build/protoc.rs"]
mod protoc;
#[path = "src/wire.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with the library")]
mod wire;

use std::env;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

const PRECOMPILED: &str = "src/precompiled.rs";

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed={}", protoc::PROTO_DIR);
    println!("cargo::rerun-if-changed={PRECOMPILED}");
    println!("cargo::rerun-if-env-changed=PROTOC");
    println!("cargo::rerun-if-env-changed=CROSS_COMPILATION");

    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            for line in error.to_string().lines() {
                println!("cargo::error={line}");
            }
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let out_dir = env::var_os("OUT_DIR").ok_or("OUT_DIR is not set: run this through cargo")?;
    let out_dir = Path::new(&out_dir);

    let code = if env::var_os("CROSS_COMPILATION").is_some_and(|value| value == "1") {
        fs::read_to_string(PRECOMPILED)
            .map_err(|error| format!("cannot read {PRECOMPILED}: {error}"))?
    } else {
        let set = protoc::compile(Path::new("."), out_dir)?;
        codegen::generate(&set)?
    };

    let target = out_dir.join("protos.rs");
    fs::write(&target, code)
        .map_err(|error| format!("cannot write {}: {error}", target.display()))?;
    Ok(())
}
