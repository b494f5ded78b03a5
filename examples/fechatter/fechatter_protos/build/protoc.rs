//! Running protoc.

use std::env;
use std::error::Error;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

use crate::descriptor::FileSet;

/// Where the `.proto` files are, relative to the crate.
pub(crate) const PROTO_DIR: &str = "proto";

/// The protoc to run: `$PROTOC`, or the one on the `PATH`.
pub(crate) fn executable() -> OsString {
    env::var_os("PROTOC")
        .filter(|path| !path.is_empty())
        .unwrap_or_else(|| "protoc".into())
}

/// Compiles every file in `proto/` of the crate at `crate_dir`.
pub(crate) fn compile(crate_dir: &Path, scratch_dir: &Path) -> Result<FileSet, Box<dyn Error>> {
    let output = scratch_dir.join("descriptors.bin");
    let protoc = executable();

    let result = Command::new(&protoc)
        .arg("--include_imports")
        .arg("--include_source_info")
        .arg(prefixed("--descriptor_set_out=", &output))
        .arg(prefixed("--proto_path=", &crate_dir.join(PROTO_DIR)))
        .args(proto_files(&crate_dir.join(PROTO_DIR))?)
        .output()
        .map_err(|error| cannot_run(&protoc, &error))?;
    if !result.status.success() {
        let stderr = String::from_utf8_lossy(&result.stderr);
        return Err(format!("protoc failed ({}):\n{}", result.status, stderr.trim_end()).into());
    }

    let bytes = fs::read(&output)
        .map_err(|error| format!("cannot read protoc's {}: {error}", output.display()))?;
    FileSet::decode(&bytes)
        .map_err(|error| format!("cannot understand protoc's descriptors: {error}").into())
}

/// The names of the `.proto` files in `dir`, sorted to keep the build
/// reproducible.
fn proto_files(dir: &Path) -> Result<Vec<OsString>, String> {
    let failed = |error: io::Error| format!("cannot list {}: {error}", dir.display());
    let mut names = Vec::new();
    for entry in fs::read_dir(dir).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        if Path::new(&name)
            .extension()
            .is_some_and(|extension| extension == "proto")
        {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

fn prefixed(option: &str, path: &Path) -> OsString {
    let mut argument = OsString::from(option);
    argument.push(path);
    argument
}

fn cannot_run(protoc: &OsString, error: &io::Error) -> String {
    format!(
        "cannot run protoc as `{}`: {error}\n\
         Do one of the following:\n\
         - install the protobuf compiler (Debian, Ubuntu: apt-get install protobuf-compiler);\n\
         - set PROTOC to the path of a protoc executable;\n\
         - set CROSS_COMPILATION=1 to use the committed src/precompiled.rs.",
        protoc.to_string_lossy()
    )
}
