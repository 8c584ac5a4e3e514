//! Documents and a whole report to test with.

use std::collections::HashMap;

use innerspan::data::{Document, Entity};

use super::Palette;
use super::report::{Compared, CurvePoint, ReportInput, ScoreRow, report};

/// A document from mark-up as in `demo/corpus.txt`: `[LABEL text [LABEL text]]`.
pub fn marked(source: &str) -> Document {
    let mut doc = Document::default();
    let mut open = Vec::new();
    let mut rest = source;
    while let Some(c) = rest.chars().next() {
        let mut used = c.len_utf8();
        match c {
            '[' => {
                let (label, _) = rest[1..].split_once(' ').unwrap_or_default();
                used += label.len() + 1;
                open.push(doc.entities.len());
                let start = doc.text.len();
                doc.entities.push(Entity { start, end: start, label: label.into(), score: None });
            }
            ']' => {
                if let Some(entity) = open.pop() {
                    doc.entities[entity].end = doc.text.len();
                }
            }
            c => doc.text.push(c),
        }
        rest = &rest[used..];
    }
    doc
}

/// The held-out chapter of the demo with made-up predictions, scores and a made-up learning curve.
pub fn sample() -> ReportInput {
    let corpus = include_str!("../../demo/corpus.txt");
    let held_out =
        corpus.split("## ").filter(|c| c.lines().next().is_some_and(|l| l.ends_with("(held out)")));
    let sentences: Vec<Compared> = held_out
        .flat_map(|chapter| chapter.lines().skip(1))
        .filter(|l| !l.is_empty())
        .map(marked)
        .map(predicted)
        .collect();
    let mut support: HashMap<String, usize> = HashMap::new();
    for entity in sentences.iter().flat_map(|s| &s.gold.entities) {
        *support.entry(entity.label.clone()).or_default() += 1;
    }
    let palette = Palette::of(support.keys().map(String::as_str));
    let row = |name: &str, f1: f64, support| ScoreRow {
        name: name.into(),
        precision: (f1 + 0.03).min(1.0),
        recall: (f1 - 0.03).max(0.0),
        f1,
        support,
    };
    let f1_of = |n: usize| 1.0 - 0.78 / (1.0 + n as f64 / 6.0);
    ReportInput {
        title: "Innerspan demo".into(),
        lead: "A small transformer, trained from nothing on the books of nine harbours and tested on a tenth."
            .into(),
        facts: [
            ("Device", "CPU (flex), 2 threads: no GPU was found"),
            ("Head", "global-pointer"),
            ("Loss", "eiou-emc, β = 0.5"),
            ("Encoder", "tiny: 3 layers, 128 hidden, 2 314 word pieces"),
            ("Seed", "1"),
            ("Time", "1 min 34 s"),
        ]
        .map(|(k, v)| (k.to_owned(), v.to_owned()))
        .to_vec(),
        curve: (0..=24)
            .map(|epoch| CurvePoint {
                epoch,
                loss: if epoch == 0 { None } else { Some(3.2 / (1.0 + epoch as f64 / 2.5) + 0.05 * (epoch % 3) as f64) },
                f1: f1_of(epoch) - 0.22 - 0.012 * (epoch % 2) as f64,
                boundary_f1: f1_of(epoch) - 0.12,
            })
            .collect(),
        scores: vec![
            row("Strict", 0.724, Some(support.values().sum())),
            row("Boundary only", 0.803, Some(support.values().sum())),
            row("Macro over types", 0.655, None),
            row("Nested", 0.698, Some(92)),
            row("Flat", 0.771, Some(63)),
        ],
        per_label: palette.labels().map(|l| row(l, 0.35 + 0.06 * l.len() as f64, support.get(l).copied())).collect(),
        per_length: [("1", 54), ("2", 155), ("3", 21), ("4", 20), ("5", 26), ("6-10", 47), ("11+", 5)]
            .map(|(l, n)| row(l, 0.9 - 0.08 * l.len() as f64, Some(n)))
            .to_vec(),
        errors: [("wrong type", 14), ("wrong boundary", 22), ("missed", 31), ("spurious", 12)]
            .map(|(k, n)| (k.to_owned(), n))
            .to_vec(),
        sentences,
        palette,
    }
}

/// Predictions that are wrong here and there, by a rule that touches every kind of error.
fn predicted(gold: Document) -> Compared {
    let mut predicted = Vec::new();
    for (i, e) in gold.entities.iter().enumerate() {
        let mut e = Entity { score: Some(0.93), ..e.clone() };
        match (gold.text.len() * 7 + e.start * 5 + e.end * 3 + i) % 13 {
            0 => continue,
            1 => e.label = if e.label == "SHIP" { "PERSON".into() } else { "SHIP".into() },
            2 => {
                e.end = gold.text[..e.end].rfind(' ').filter(|&end| end > e.start).unwrap_or(e.end)
            }
            3 => predicted.push(Entity {
                start: 0,
                end: gold.text.find(' ').unwrap_or(1),
                label: "ORG".into(),
                score: Some(0.51),
            }),
            _ => {}
        }
        predicted.push(e);
    }
    Compared { gold, predicted }
}

/// Writes the sample report and the picture's page to `$RENDER_SAMPLE`, for eyes.
#[test]
#[ignore = "writes files for people to look at; set RENDER_SAMPLE to a folder"]
fn write_sample_report() {
    let folder = std::path::PathBuf::from(
        std::env::var_os("RENDER_SAMPLE").expect("RENDER_SAMPLE names a folder"),
    );
    let input = sample();
    std::fs::write(folder.join("report.html"), report(&input)).expect("the folder can be written");
    let picture = [
        "The [FAULT worn [PART brake lining of the [PART net winch of the [SHIP Estrela do Sul]]]] was noticed \
         too late.",
        "[PERSON Einar Skoglund], [ROLE senior surveyor of the [ORG [PLACE Lodsvik] Class Register]], climbs every \
         mast.",
        "A shim of [MEASURE 80 µm] cured the [FAULT misalignment of the [PART alternator]].",
    ];
    let body = maud::html! {
        style { "main { padding: 1rem 1.2rem; max-width: none } .sentence { max-width: none }" }
        @for line in picture { p class="sentence" { (super::html::highlight(&marked(line), &input.palette)) } }
    };
    std::fs::write(folder.join("picture.html"), super::html::page("Innerspan", body))
        .expect("the folder can be written");
    let style = super::terminal::TerminalStyle {
        unicode: true,
        ..super::terminal::TerminalStyle::plain(80)
    };
    for line in picture {
        print!("{}", super::terminal::highlight(&marked(line), &style));
    }
}
