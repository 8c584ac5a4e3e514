//! The report of a run as one HTML file: what was run, how good it is, where it goes wrong, and the sentences themselves.

use innerspan::data::{Document, Entity};
use maud::{Markup, html};

use super::Palette;
use super::curve::{Axis, Chart, Point, Range, Series, chart};
use super::html::{highlight_judged, legend, page};
use super::verdict::Verdict;

/// Everything that the report shows; what is empty is left out.
#[derive(Debug, Clone, Default)]
pub struct ReportInput {
    /// The heading.
    pub title: String,
    /// A sentence or two under the heading.
    pub lead: String,
    /// Names and values: device, settings, time.
    pub facts: Vec<(String, String)>,
    /// The learning curve, epochs ascending.
    pub curve: Vec<CurvePoint>,
    /// Overall scores, the most important first; the first three are shown large.
    pub scores: Vec<ScoreRow>,
    /// Scores by entity type; `name` is the type.
    pub per_label: Vec<ScoreRow>,
    /// Scores by length in words.
    pub per_length: Vec<ScoreRow>,
    /// Kinds of error and how often.
    pub errors: Vec<(String, usize)>,
    /// Sentences with gold and predicted entities.
    pub sentences: Vec<Compared>,
    /// The colours of the types.
    pub palette: Palette,
}

/// One epoch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CurvePoint {
    /// Epoch; 0 is before training.
    pub epoch: usize,
    /// Mean training loss, where there was training.
    pub loss: Option<f64>,
    /// Dev strict F1, in 0..=1.
    pub f1: f64,
    /// Dev F1 of spans whatever their type, in 0..=1.
    pub boundary_f1: f64,
}

/// One row of a table of scores, each in 0..=1.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreRow {
    /// What is scored.
    pub name: String,
    /// Share of the predicted that is right.
    pub precision: f64,
    /// Share of the gold that was found.
    pub recall: f64,
    /// Their harmonic mean.
    pub f1: f64,
    /// Gold entities, where that means something.
    pub support: Option<usize>,
}

/// A sentence with what it says and what the model read in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    /// The sentence with its gold entities.
    pub gold: Document,
    /// The predicted entities, on the same text.
    pub predicted: Vec<Entity>,
}

impl Compared {
    /// How many gold entities were not found, and how many predictions are wrong.
    fn mistakes(&self) -> (usize, usize) {
        let wrong = |ours: &[Entity], theirs: &[Entity]| {
            ours.iter().filter(|e| Verdict::of(e, theirs) != Verdict::Right).count()
        };
        (wrong(&self.gold.entities, &self.predicted), wrong(&self.predicted, &self.gold.entities))
    }
}

/// The whole report as a page of its own.
pub fn report(input: &ReportInput) -> String {
    let body = html! {
        header {
            h1 { (input.title) }
            @if !input.lead.is_empty() { p class="lead" { (input.lead) } }
            @if !input.scores.is_empty() { (headline(&input.scores)) }
            @if !input.facts.is_empty() {
                dl class="facts" { @for (name, value) in &input.facts { div { dt { (name) } dd { (value) } } } }
            }
        }
        @if !input.curve.is_empty() { section { h2 { "Learning curve" } (curve(&input.curve)) } }
        @if !input.scores.is_empty() { section { h2 { "Scores" } (table("What counts", &input.scores, None)) } }
        @if !input.per_label.is_empty() {
            section { h2 { "By type" } (table("Type", &input.per_label, Some(&input.palette))) }
        }
        @if !input.per_length.is_empty() || !input.errors.is_empty() {
            section class="pair" {
                @if !input.per_length.is_empty() {
                    div { h2 { "By length" } (table("Words", &input.per_length, None)) }
                }
                @if !input.errors.is_empty() { div { h2 { "Errors by kind" } (errors(&input.errors)) } }
            }
        }
        @if !input.sentences.is_empty() { (sentences(input)) }
    };
    page(&input.title, body)
}

fn percent(value: f64) -> String {
    if value.is_finite() { format!("{:.1}", 100.0 * value) } else { "–".to_owned() }
}

fn headline(scores: &[ScoreRow]) -> Markup {
    html! {
        ul class="headline" {
            @for row in scores.iter().take(3) {
                li { span class="number" { (percent(row.f1)) } span class="of" { (row.name) " F1, %" } }
            }
        }
    }
}

fn curve(points: &[CurvePoint]) -> Markup {
    let series = |name, class: &str, value: &dyn Fn(&CurvePoint) -> Option<f64>| Series {
        name,
        class: class.to_owned(),
        points: points.iter().filter_map(|p| Some(Point::new(p.epoch as f64, value(p)?))).collect(),
        dots: Vec::new(),
    };
    let over_epochs =
        |title, y, series| chart(&Chart { title, x_name: "epoch", x: Axis::Numbers, y, series });
    let strict = series("strict", "s0", &|p| Some(p.f1));
    let boundary = series("boundary only", "s1", &|p| Some(p.boundary_f1));
    let loss = series("loss", "s0", &|p| p.loss);
    html! {
        div class="charts" {
            (over_epochs("F1 on held-out sentences", Range::To(1.0), vec![strict, boundary]))
            @if !loss.points.is_empty() { (over_epochs("Training loss", Range::FromZero, vec![loss])) }
        }
    }
}

/// A table of scores in percent; F1 also as a bar, in the type's colour where `palette` is given.
fn table(what: &str, rows: &[ScoreRow], palette: Option<&Palette>) -> Markup {
    html! {
        div class="scroll" {
            table {
                thead {
                    tr {
                        th scope="col" { (what) }
                        th scope="col" class="n" { abbr title="Precision, %" { "P" } }
                        th scope="col" class="n" { abbr title="Recall, %" { "R" } }
                        th scope="col" class="n" { "F1" }
                        th class="bar" aria-hidden="true" {}
                        th scope="col" class="n" { "Gold" }
                    }
                }
                tbody {
                    @for row in rows {
                        tr class=[palette.map(|p| format!("c{}", p.slot(&row.name)))] {
                            th scope="row" { (row.name) }
                            td class="n" { (percent(row.precision)) }
                            td class="n" { (percent(row.recall)) }
                            td class="n f1" { (percent(row.f1)) }
                            td class="bar" aria-hidden="true" { (bar(row.f1)) }
                            td class="n" { @match row.support { Some(n) => { (n) } None => { "" } } }
                        }
                    }
                }
            }
        }
    }
}

fn bar(share: f64) -> Markup {
    let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
    html! { span class="track" { span style=(format!("width:{:.1}%", 100.0 * share)) {} } }
}

fn errors(errors: &[(String, usize)]) -> Markup {
    let most = errors.iter().map(|e| e.1).max().unwrap_or(0).max(1);
    html! {
        table class="errors" {
            tbody {
                @for (kind, count) in errors {
                    tr {
                        th scope="row" { (kind) }
                        td class="n" { (count) }
                        td class="bar" aria-hidden="true" { (bar(*count as f64 / most as f64)) }
                    }
                }
            }
        }
    }
}

fn sentences(input: &ReportInput) -> Markup {
    let with_mistakes = input.sentences.iter().filter(|s| s.mistakes() != (0, 0)).count();
    html! {
        section class="sentences" {
            h2 { "Sentences" }
            p {
                (input.sentences.len() - with_mistakes) " of " (input.sentences.len()) " sentences are read without a mistake. "
                "The others are shown twice; what is only in one reading has a "
                span class="sample-alone" { "dashed" } " outline, and a "
                span class="sample-mistake" { "wavy" } " label marks every entity that differs."
            }
            (legend(&input.palette))
            label class="only" { input type="checkbox" id="only-mistakes"; " Only sentences with mistakes" }
            ol class="compared" { @for sentence in &input.sentences { (compared(sentence, &input.palette)) } }
        }
    }
}

fn compared(sentence: &Compared, palette: &Palette) -> Markup {
    let (gold, predicted) = (&sentence.gold.entities, &sentence.predicted);
    let side = |ours: &[Entity], theirs: &[Entity]| {
        highlight_judged(&sentence.gold.text, ours, palette, &|e| Verdict::of(e, theirs))
    };
    if sentence.mistakes() == (0, 0) {
        return html! { li class="right" { p class="sentence" { (side(predicted, gold)) } } };
    }
    html! {
        li class="wrong" {
            p class="sentence" { span class="side" { "gold" } (side(gold, predicted)) }
            p class="sentence" { span class="side" { "read" } (side(predicted, gold)) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{marked, sample};
    use super::*;

    #[test]
    fn the_report_holds_every_part_and_loads_nothing() {
        let html = report(&sample());
        for part in [
            "Innerspan demo",
            "Learning curve",
            "<svg",
            "By type",
            "By length",
            "wrong boundary",
            "海燕丸",
            "72.4",
        ] {
            assert!(html.contains(part), "{part}");
        }
        for loading in ["http:", "https:", "src=", "@import", "url("] {
            assert!(!html.contains(loading), "{loading}");
        }
    }

    #[test]
    fn empty_parts_are_left_out() {
        let html = report(&ReportInput { title: "<b>".into(), ..Default::default() });
        assert!(html.contains("<h1>&lt;b&gt;</h1>"));
        assert!(!html.contains("<section") && !html.contains("<dl") && !html.contains("<table"));
    }

    #[test]
    fn a_sentence_read_right_is_shown_once_and_a_wrong_one_twice() {
        let gold = marked("[PART pump of [SHIP Ai]]");
        let palette = Palette::of(["PART", "SHIP"]);
        let right = Compared { predicted: gold.entities.clone(), gold: gold.clone() };
        assert_eq!(
            compared(&right, &palette).into_string().matches("class=\"sentence\"").count(),
            1
        );
        let wrong = Compared { predicted: gold.entities[..1].to_vec(), gold };
        let html = compared(&wrong, &palette).into_string();
        assert_eq!(html.matches("class=\"sentence\"").count(), 2);
        assert_eq!(html.matches("mistake alone").count(), 1, "{html}");
        assert_eq!(wrong.mistakes(), (1, 0));
    }
}
