//! `innerspan experiment`

mod breakdown;
mod child;
mod frequency;
mod markdown;
mod page;
mod plan;
mod queue;
mod results;
mod summary;
mod vary;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Args;
use innerspan::Error;
use innerspan::device::DeviceChoice;
use innerspan::model::weights::write_atomically;

use self::plan::Plan;
use self::queue::{Loaded, Queue};
use self::results::{RESULTS_FILE, Record, Results};
use self::summary::Summary;
use super::print;
use crate::failure::Failure;
use crate::stderr;

const EXAMPLES: &str = "\
EXAMPLES
  innerspan experiment comparison.toml --dry-run
  innerspan experiment comparison.toml
  innerspan experiment comparison.toml --report

The file names an encoder, corpora, systems, and the shares of the training data and the seeds that
each system is trained with; docs/experiments.md has a complete one. Stopped or killed, the same
command goes on; runs that have ended are not done again. The output folder holds results.jsonl (a
line for each run), predictions/ (what each model finds in the development data), report.md and
report.html.";

/// Names of the reports, in the output folder.
const MARKDOWN_FILE: &str = "report.md";
const PAGE_FILE: &str = "report.html";

/// An experiment, and how much of it to do.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Experiment {
    /// The TOML file that describes it
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The folder for results [default: as the file says, or the file's name without .toml]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Where to run: auto takes a real GPU if there is one [default: as the file says, or auto]
    #[arg(long, value_name = "auto|cpu|wgpu")]
    device: Option<DeviceChoice>,
    /// Lists the runs, and does none
    #[arg(long)]
    dry_run: bool,
    /// Writes the reports of what has been done so far, and does no run
    #[arg(long, conflicts_with = "dry_run")]
    report: bool,
    /// Does runs again whose settings or data have changed since, and forgets their old results
    #[arg(long)]
    redo: bool,
}

impl Experiment {
    pub fn run(self) -> Result<(), Failure> {
        let plan = Plan::read(&self.file)?;
        plan.check()?;
        let out = self.out.clone().or(plan.out.clone());
        let out = out.unwrap_or_else(|| self.file.with_extension(""));
        if out == self.file {
            return Err(Failure::usage("the file's name has no extension to leave out")
                .hint("give --out, or out = \"…\" in the file"));
        }
        let mut results = Results::read(&out)?;
        if self.dry_run {
            return list(&plan, &results);
        }
        let corpora: BTreeMap<String, Loaded> = plan
            .corpora
            .iter()
            .map(|corpus| Ok((corpus.name.clone(), Loaded::read(corpus)?)))
            .collect::<Result<_, Failure>>()?;
        let device = self.device.or(plan.device).unwrap_or_default().to_string();
        let queue = Queue { plan: &plan, out: &out, corpora: &corpora, device };
        self.compare(&queue, &mut results)?;
        if self.report {
            return write_reports(&queue, &results);
        }
        fs::create_dir_all(&out).map_err(|error| Error::io(&out, error))?;
        let _lock = lock(&out)?;
        let stop = watched()?;
        let failed = queue.work(&mut results, &stop)?;
        write_reports(&queue, &results)?;
        if failed.is_empty() {
            return Ok(());
        }
        let count = stderr::count(failed.len(), "run has", "runs have");
        Err(Failure::new(format!("{count} failed:\n  {}", failed.join("\n  "))).hint(format!(
            "the logs are in {}; the same command tries them again",
            out.join("runs").display()
        )))
    }

    /// Refuses results that the file as it is now would not give.
    fn compare(&self, queue: &Queue, results: &mut Results) -> Result<(), Failure> {
        let mut changed = Vec::new();
        for run in queue.plan.runs() {
            let Some(record) = results.of(&run.id).filter(|record| record.done().is_some()) else {
                continue;
            };
            let changes = record.facts.changes(&queue.facts(&run));
            if !changes.is_empty() {
                changed.push((run.id.clone(), format!("{}: {}", run.title(), changes.join(", "))));
            }
        }
        if changed.is_empty() {
            return Ok(());
        }
        let lines: Vec<&str> = changed.iter().map(|(_, line)| line.as_str()).collect();
        let lines = lines.join("\n  ");
        if self.redo && !self.report {
            stderr::say(format!("these are done again:\n  {lines}"));
            return changed.iter().try_for_each(|(run, _)| results.forget(run));
        }
        Err(Failure::new(format!("done with other settings before:\n  {lines}")).hint(
            "--redo does them again; another --out, or other names for the systems, keeps both",
        ))
    }
}

/// Prints the runs and which of them have been done.
fn list(plan: &Plan, results: &Results) -> Result<(), Failure> {
    for run in plan.runs() {
        let state = match results.of(&run.id).map(Record::done) {
            Some(Some(_)) => "done   ",
            Some(None) => "failed ",
            None => "to do  ",
        };
        print(format!("{state} {}", run.title()))?;
    }
    Ok(())
}

/// Keeps a second process out of the folder until the file is dropped.
fn lock(out: &Path) -> Result<fs::File, Failure> {
    let path = out.join(".lock");
    let file = fs::File::create(&path).map_err(|error| Error::io(&path, error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(Failure::new(format!(
            "{}: another process is at work on this experiment",
            out.display()
        ))),
        Err(fs::TryLockError::Error(error)) => Err(Error::io(&path, error).into()),
    }
}

/// Becomes true at Ctrl-C; a second one ends the process, and the run under way with it.
fn watched() -> Result<Arc<AtomicBool>, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    let handler = Arc::clone(&stop);
    let set = ctrlc::set_handler(move || {
        if handler.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
        eprintln!("\nstopping the run under way and saving; Ctrl-C again aborts at once");
    });
    set.map_err(|error| Failure::new(format!("Ctrl-C cannot be watched: {error}")))?;
    Ok(stop)
}

/// Writes both reports and prints the tables.
fn write_reports(queue: &Queue, results: &Results) -> Result<(), Failure> {
    let summary = Summary::new(queue, results)?;
    if summary.cells.is_empty() {
        return Err(Failure::new(format!(
            "{}: no run has ended yet",
            queue.out.join(RESULTS_FILE).display()
        )));
    }
    let tables = markdown::report(&summary);
    write(&queue.out.join(MARKDOWN_FILE), &tables)?;
    let page_path = queue.out.join(PAGE_FILE);
    write(&page_path, &page::report(&summary))?;
    print(markdown::scores(&summary).trim_end())?;
    stderr::say(format!("reports in {} and {MARKDOWN_FILE} beside it", page_path.display()));
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    use std::io::Write;
    Ok(write_atomically(path, |file| {
        file.write_all(text.as_bytes()).map_err(|error| Error::io(path, error))
    })?)
}
