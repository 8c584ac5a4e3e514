//! `innerspan stats`

use std::path::PathBuf;

use clap::Args;
use innerspan::data;
use serde_json::json;

use super::{print, print_json};
use crate::corpus::{self, Reading};
use crate::failure::Failure;

const EXAMPLES: &str = "\
EXAMPLES
  innerspan stats train.jsonl
  innerspan stats train.tsv dev.tsv
  innerspan stats brat-folder --json";

/// What to count.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Stats {
    /// Annotated text: files or folders in any format that `convert` reads; counted together
    #[arg(value_name = "INPUT", required = true)]
    inputs: Vec<PathBuf>,
    /// Prints JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    reading: Reading,
}

impl Stats {
    pub fn run(self) -> Result<(), Failure> {
        let mut documents = Vec::new();
        for input in &self.inputs {
            documents.append(&mut corpus::load(input, &self.reading)?);
        }
        let stats = data::Stats::of(&documents);
        if !self.json {
            return print(stats.to_string().trim_end());
        }
        let types: serde_json::Map<_, _> =
            stats.types.iter().map(|(name, count)| (name.clone(), json!(count))).collect();
        print_json(&json!({
            "documents": stats.documents,
            "empty_documents": stats.empty_documents,
            "words": stats.words,
            "entities": stats.entities,
            "overlapping": stats.overlapping,
            "overlapping_share": stats.overlapping_share(),
            "duplicates": stats.duplicates,
            "ambiguous": stats.ambiguous,
            "imbalance": stats.imbalance(),
            "evenness": stats.evenness(),
            "types": types,
            "lengths": stats.lengths,
            "depths": stats.depths,
        }))
    }
}
