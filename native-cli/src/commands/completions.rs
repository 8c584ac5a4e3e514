//! `innerspan completions`

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::print;
use crate::cli::Cli;
use crate::failure::Failure;

const EXAMPLES: &str = "\
EXAMPLES
  innerspan completions bash > ~/.local/share/bash-completion/completions/innerspan
  innerspan completions zsh > ~/.zfunc/_innerspan
  innerspan completions fish > ~/.config/fish/completions/innerspan.fish";

/// The shell to complete for.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Completions {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

impl Completions {
    pub fn run(self) -> Result<(), Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "innerspan", &mut script);
        print(String::from_utf8_lossy(&script).trim_end())
    }
}
