//! The model card: `README.md` of a model folder.

use std::fmt::Write;

use super::checkpoint::EpochRecord;
use crate::metric::Report;
use crate::model::ModelConfig;

/// The card of a trained model in Markdown.
pub(super) fn card(
    config: &ModelConfig,
    report: &Report,
    best: &EpochRecord,
    encoder: &str,
) -> String {
    let labels: Vec<&str> = config.labels.iter().collect();
    let mut card = String::from(
        "---\nlibrary_name: innerspan\npipeline_tag: token-classification\ntags:\n- named-entity-recognition\n- nested-ner\n---\n\n# Nested named-entity recognition\n\n",
    );
    let _ = writeln!(
        card,
        "Recognises {} entity types, nested ones included: {}.\n",
        labels.len(),
        labels.join(", ")
    );
    let _ = writeln!(card, "```sh\ninnerspan predict --model . --text \"…\"\n```\n");
    let _ = writeln!(
        card,
        "## Scores on the development data\n\nEpoch {} of the run, chosen by strict F1 on the same data, so expect a little less on new text.\n",
        best.epoch
    );
    let _ = writeln!(card, "| | precision | recall | F1 | support |\n|---|---:|---:|---:|---:|");
    let mut row = |name: &str, score: &crate::metric::Score| {
        let [p, r, f] = [score.precision(), score.recall(), score.f1()].map(|x| x * 100.0);
        let _ = writeln!(card, "| {name} | {p:.2} | {r:.2} | {f:.2} | {} |", score.gold);
    };
    row("**strict**", &report.strict);
    row("boundary", &report.boundary);
    for (label, score) in &report.per_label {
        row(label, score);
    }
    let _ = writeln!(card, "\n## Training\n\nEncoder: {encoder}.");
    if let Some(facts) = &config.training {
        let _ = writeln!(
            card,
            "Sentences or documents: {}. Device: {}.\n",
            facts.documents, facts.device
        );
        let settings = toml::to_string(&facts.settings).unwrap_or_default();
        let _ = writeln!(card, "```toml\n{}```", settings);
    }
    card
}
