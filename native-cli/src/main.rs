//! `innerspan` on the command line: parses arguments, calls the library, shows what it returns.

mod cli;
mod commands;
mod corpus;
mod cost;
mod failure;
mod hub;

mod progress;
mod render;
mod settings_table;
mod stderr;
mod toml_file;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use clap::Parser;

use crate::failure::Failure;

/// Every tensor operation takes and gives back memory; this allocator keeps it warm.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    silence_graphics_drivers();
    let cli = cli::Cli::parse();
    stderr::set_up(cli.verbose, cli.quiet);
    std::panic::set_hook(Box::new(|panic| {
        eprintln!(
            "error: this is a bug in innerspan: {panic}\n  hint: please report it with the command and the input"
        );
    }));
    let outcome = catch_unwind(AssertUnwindSafe(|| cli.command.run()));
    ExitCode::from(match outcome {
        Ok(Ok(())) => 0,
        Ok(Err(failure)) => failure.report(),
        Err(_) => Failure::FAILED,
    })
}

/// Mesa's drivers print an error on stderr where no desktop is running, whatever is asked of them.
fn silence_graphics_drivers() {
    if std::env::var_os("XDG_RUNTIME_DIR").is_none() {
        // SAFETY: no other thread runs yet.
        unsafe { std::env::set_var("XDG_RUNTIME_DIR", std::env::temp_dir()) };
    }
}
