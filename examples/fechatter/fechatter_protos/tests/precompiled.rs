//! `src/precompiled.rs` must be what protoc and the code generator yield.
//!
//! After a change of `proto/` or `build/`, renew it with
//! `UPDATE_PRECOMPILED=1 cargo test -p fechatter_protos --test precompiled`.

#[path = "../build/codegen.rs"]
mod codegen;
#[path = "../build/descriptor.rs"]
mod descriptor;
#[path = "../build/protoc.rs"]
mod protoc;
#[path = "../src/wire.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with the library")]
mod wire;

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

#[test]
fn precompiled_file_is_up_to_date() {
    let protoc = protoc::executable();
    if Command::new(&protoc).arg("--version").output().is_err() {
        eprintln!(
            "SKIPPED: cannot run `{}`, so src/precompiled.rs is not checked",
            protoc.to_string_lossy()
        );
        return;
    }

    let crate_dir = Path::new(env!("CARGO_MANIFEST_DIR"));
    let set = protoc::compile(crate_dir, Path::new(env!("CARGO_TARGET_TMPDIR"))).unwrap();
    let generated = codegen::generate(&set).unwrap();

    let precompiled = crate_dir.join("src/precompiled.rs");
    if env::var_os("UPDATE_PRECOMPILED").is_some_and(|value| value == "1") {
        fs::write(&precompiled, &generated).unwrap();
    }
    let committed = fs::read_to_string(&precompiled).unwrap();
    assert!(
        committed == generated,
        "src/precompiled.rs is out of date; renew it with UPDATE_PRECOMPILED=1"
    );
}
