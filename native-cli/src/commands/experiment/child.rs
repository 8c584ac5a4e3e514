//! This program as a child of itself: a run that crashes or runs out of memory takes nothing else with it, and its
//! memory is its own.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use innerspan::Error;

use crate::failure::Failure;
use crate::stderr;

/// Time between two looks at whether a child has ended.
const PAUSE: Duration = Duration::from_millis(50);

/// How a child ended.
pub enum Ended {
    /// Well; what it printed.
    Well(String),
    /// With a message.
    Badly(String),
    /// Because it was told to.
    Stopped,
}

/// Runs this program with `arguments` to its end, or until `stop`. What it says goes to `log`, and indented to the user.
///
/// Its standard input stays open as long as this process lives: `train --supervised` ends with it.
pub fn run(arguments: &[&str], log: &Path, stop: &AtomicBool) -> Result<Ended, Failure> {
    let program = std::env::current_exe()
        .map_err(|error| Failure::new(format!("this program cannot find itself: {error}")))?;
    let log_file = File::options().create(true).append(true).open(log);
    let log_file = log_file.map_err(|error| Error::io(log, error))?;
    let mut command = Command::new(program);
    command.args(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // Ctrl-C in a terminal goes to a whole group of processes; a child is told by its parent instead
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let failed = |error| Failure::new(format!("a run could not be started: {error}"));
    let mut child = command.spawn().map_err(failed)?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let printed = std::thread::spawn(move || {
        let mut text = String::new();
        let read = stdout.map(|mut stdout| stdout.read_to_string(&mut text));
        read.and_then(Result::ok).map(|_| text).unwrap_or_default()
    });
    let said = std::thread::spawn(move || stderr.map(|s| listen(s, log_file)).unwrap_or_default());
    let status = wait(&mut child, stdin, stop).map_err(failed)?;
    let (printed, said) = (joined(printed), joined(said));
    Ok(match status.code() {
        Some(0) => Ended::Well(printed),
        Some(130) if stop.load(Ordering::Relaxed) => Ended::Stopped,
        _ => Ended::Badly(reason(&said, status)),
    })
}

/// Waits for the end; passes a wish to stop on once.
fn wait(
    child: &mut Child,
    mut stdin: Option<ChildStdin>,
    stop: &AtomicBool,
) -> std::io::Result<ExitStatus> {
    let mut told = false;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if stop.load(Ordering::Relaxed) && !told {
            told = true;
            // a child that has just ended no longer listens
            let _ = stdin.as_mut().map(|stdin| stdin.write_all(b"s").and_then(|()| stdin.flush()));
        }
        std::thread::sleep(PAUSE);
    }
}

/// Passes lines on, and returns the error message at their end.
fn listen(said: impl Read, mut log: File) -> String {
    let mut message = String::new();
    for line in BufReader::new(said).split(b'\n') {
        let Ok(line) = line else { break };
        let line = String::from_utf8_lossy(&line);
        let line = line.trim_end();
        // a log that cannot be written does not end the run
        let _ = writeln!(log, "{line}");
        if line.starts_with("error: ") {
            message = line.trim_start_matches("error: ").to_owned();
        } else if !message.is_empty() {
            message += &format!(" ({})", line.trim());
        } else {
            stderr::say(format!("  {line}"));
        }
    }
    message
}

fn joined(thread: JoinHandle<String>) -> String {
    thread.join().unwrap_or_default()
}

/// Why a child failed.
fn reason(said: &str, status: ExitStatus) -> String {
    if !said.is_empty() {
        return said.to_owned();
    }
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        let guess = if signal == 9 { "; the system does that when memory runs out" } else { "" };
        return format!("ended by signal {signal}{guess}");
    }
    format!("ended with {status}")
}
