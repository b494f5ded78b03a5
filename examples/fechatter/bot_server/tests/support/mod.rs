//! Running Fechatter's programs.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use fechatter_core::http::Endpoint;

/// Generous, for busy machines; nothing waits this long when all is well.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// The programs of the workspace.
pub(crate) const PROGRAMS: [&str; 6] = [
    "fechatter_server",
    "analytics_server",
    "notify_server",
    "fechatter_gateway",
    "bot",
    "indexer",
];

/// A program's executable.
///
/// Cargo builds a package's own programs for its tests, but not those of other
/// packages, which this does where it is needed.
pub(crate) fn executable(name: &str) -> PathBuf {
    static BUILT: OnceLock<()> = OnceLock::new();

    let directory = Path::new(env!("CARGO_BIN_EXE_bot")).parent().unwrap();
    BUILT.get_or_init(|| build_programs(directory));
    directory.join(name)
}

/// Builds every program into `directory`, such as `target/debug` or
/// `target/TRIPLE/release`.
fn build_programs(directory: &Path) {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--workspace", "--bins"]);
    cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
    let profile = match directory.file_name().and_then(OsStr::to_str).unwrap() {
        "debug" => "dev",
        other => other,
    };
    cargo.args(["--profile", profile]);
    let mut target_dir = directory.parent().unwrap();
    let triple = target_dir.file_name().and_then(OsStr::to_str).unwrap();
    if triple.starts_with(&format!("{}-", std::env::consts::ARCH)) {
        cargo.args(["--target", triple]);
        target_dir = target_dir.parent().unwrap();
    }
    cargo.arg("--target-dir").arg(target_dir);
    assert!(cargo.status().unwrap().success(), "cargo build failed");
}

/// Runs a program to its end.
pub(crate) fn output(name: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(executable(name));
    command.args(arguments).envs(variables.iter().copied());
    command.output().unwrap()
}

/// A running program, which does not outlive the test.
pub(crate) struct Program {
    name: String,
    child: Child,
    log: Receiver<String>,
}

impl Program {
    /// Starts a program.
    pub(crate) fn start(name: &str, variables: &[(&str, &str)]) -> Self {
        let mut child = Command::new(executable(name))
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = child.stderr.take().unwrap();
        let (sender, log) = mpsc::channel();
        // The pipe must be emptied even when nobody looks at the log.
        thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        Self {
            name: name.to_owned(),
            child,
            log,
        }
    }

    /// Starts a server on a free port; returns where it is, too.
    pub(crate) fn serve(name: &str, addr: &str, variables: &[(&str, &str)]) -> (Self, Endpoint) {
        let variables = [variables, &[(addr, "127.0.0.1:0")]].concat();
        let program = Self::start(name, &variables);
        let line = program.wait_for("msg=\"listening\"");
        let addr = line
            .split(' ')
            .find_map(|field| field.strip_prefix("addr="))
            .unwrap();
        let endpoint = addr.parse().unwrap();
        (program, endpoint)
    }

    /// Waits for a log entry with the given text.
    pub(crate) fn wait_for(&self, text: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.log.recv_timeout(left) {
                Ok(line) if line.contains(text) => return line,
                Ok(_) => {}
                Err(error) => panic!("{} does not log {text:?}: {error}", self.name),
            }
        }
    }

    /// Sends a signal, and returns how the program has ended within a second.
    pub(crate) fn end_by(mut self, signal: &str) -> ExitStatus {
        let kill = format!("kill -{signal} {}", self.child.id());
        let sent = Command::new("sh").args(["-c", &kill]).status().unwrap();
        assert!(sent.success());
        let started = Instant::now();
        while started.elapsed() < Duration::from_secs(1) {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            thread::sleep(Duration::from_millis(5));
        }
        panic!("{} has not ended a second after SIG{signal}", self.name);
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Calls `probe` until it finds something.
pub(crate) fn eventually<T>(what: &str, mut probe: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = probe() {
            return found;
        }
        assert!(Instant::now() < deadline, "timeout: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}
