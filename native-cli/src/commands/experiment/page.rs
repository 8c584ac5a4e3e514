//! The report as a page: tables and charts in one file.

use std::collections::BTreeMap;

use innerspan::metric::{Bin, Score};
use maud::{Markup, html};

use super::frequency::Frequency;
use super::markdown::{megabytes, millions, numbers, shown, verdict};
use super::plan::percent;
use super::summary::{Cell, Comparison, Price, Spread, Summary, distinct};
use crate::progress::duration;
use crate::render::curve::{Axis, Chart, Point, Range, Series, chart};
use crate::render::html::page;

/// Colours of series; more systems than that share them.
const COLOURS: usize = 8;

/// The page.
pub fn report(summary: &Summary) -> String {
    let (done, all) = summary.runs;
    let body = html! {
        header {
            h1 { "Comparison of systems" }
            p class="lead" {
                (done) " of " (all) " runs done. All scores are of development data, by which each run's best epoch was chosen too."
            }
        }
        @for corpus in summary.corpora() { (of_corpus(summary, corpus)) }
        section { h2 { "Cost" } (prices(summary)) }
        section { h2 { "Settings" } (settings(summary)) }
        @if !summary.failed.is_empty() {
            section { h2 { "Failed" } dl class="facts" { @for (run, error) in &summary.failed { div { dt { (run) } dd { (error) } } } } }
        }
    };
    page("Comparison of systems", body)
}

fn of_corpus(summary: &Summary, corpus: &str) -> Markup {
    let cells = summary.of_corpus(corpus);
    let shares = distinct(cells.iter().map(|cell| (cell.fraction, cell.documents)));
    let comparisons: Vec<&Comparison> =
        summary.comparisons.iter().filter(|c| c.corpus == corpus).collect();
    let view = View { names: summary.system_names(), cells };
    html! {
        section {
            h2 { (corpus) }
            (view.scores(&shares))
            @if shares.len() > 1 { (view.by_size()) }
            @if !comparisons.is_empty() { h3 { "Differences" } (differences(&comparisons, summary.resamples)) }
            @for (index, (fraction, documents)) in shares.iter().rev().enumerate() {
                details open[index == 0] {
                    summary { "With " (percent(*fraction)) " of the data: " (documents) " sentences or documents" }
                    (view.at(*fraction))
                }
            }
        }
    }
}

/// The results of one corpus.
struct View<'a> {
    /// Systems, in the order of their colours.
    names: Vec<&'a str>,
    cells: Vec<&'a Cell>,
}

impl View<'_> {
    fn class(&self, system: &str) -> String {
        let index = self.names.iter().position(|name| *name == system).unwrap_or(0);
        format!("s{}", index % COLOURS)
    }

    /// A table of F1 by system and share, one row for each kind of F1.
    fn scores(&self, shares: &[(f64, usize)]) -> Markup {
        let kinds: [(&str, fn(&Cell) -> Spread); 3] = [
            ("strict", |cell| cell.strict),
            ("boundary", |cell| cell.boundary),
            ("macro", |cell| cell.macro_average),
        ];
        let find = |system: &str, fraction: f64| {
            self.cells.iter().find(|c| c.system == system && c.fraction == fraction)
        };
        html! {
            div class="scroll wide" {
                table {
                    thead { tr {
                        th scope="col" { "System" }
                        th scope="col" { "F1, %" }
                        @for (fraction, documents) in shares {
                            th scope="col" class="n" { (percent(*fraction)) " (" (documents) ")" }
                        }
                    } }
                    tbody {
                        @for system in &self.names {
                            @for (index, (kind, value)) in kinds.iter().enumerate() {
                                tr {
                                    @if index == 0 { th scope="row" rowspan="3" { span class={ "key " (self.class(system)) } { (system) } } }
                                    td { (kind) }
                                    @for (fraction, _) in shares {
                                        td class={ "n" @if index == 0 { " f1" } } { @if let Some(cell) = find(system, *fraction) { (shown(value(cell))) } }
                                    }
                                }
                            }
                        }
                    }
                }
            }
            p class="note" { "Mean ± standard deviation over seeds. Macro is the mean over types." }
        }
    }

    /// F1 against the size of the training data.
    fn by_size(&self) -> Markup {
        let sizes = distinct(self.cells.iter().map(|cell| cell.documents as f64));
        let of = |title, value: fn(&Cell) -> Spread| {
            let series = self.series(&self.cells, |cells| {
                let point = |cell: &&Cell| {
                    let Spread { mean, deviation, .. } = value(cell);
                    Point { x: cell.documents as f64, y: mean, spread: deviation }
                };
                (cells.iter().map(point).collect(), Vec::new())
            });
            let x = Axis::Log(sizes.clone());
            let x_name = "sentences or documents learnt from";
            chart(&Chart { title, x_name, x, y: Range::Fitted, series })
        };
        html! {
            h3 { "F1 against the size of the training data" }
            div class="charts" {
                (of("Strict F1", |cell| cell.strict))
                (of("Boundary F1", |cell| cell.boundary))
            }
            p class="note" { "Lines up and down are one standard deviation over seeds." }
        }
    }

    /// What there is to see at one share of the data.
    fn at(&self, fraction: f64) -> Markup {
        let cells: Vec<&Cell> =
            self.cells.iter().copied().filter(|cell| cell.fraction == fraction).collect();
        html! {
            div class="charts" {
                (self.curves(&cells))
                (self.by_frequency(&cells))
                (self.by_length(&cells))
                (self.reliability(&cells))
            }
            (calibration(&cells))
        }
    }

    fn curves(&self, cells: &[&Cell]) -> Markup {
        let series = self.series(cells, |cells| {
            let curve = cells.iter().flat_map(|cell| &cell.curve);
            (curve.map(|&(epoch, f1)| Point::new(epoch, f1)).collect(), Vec::new())
        });
        let (x, y) = (Axis::Numbers, Range::To(1.0));
        chart(&Chart { title: "Strict F1 while learning", x_name: "epoch", x, y, series })
    }

    /// Types by how often they were seen: each as a dot, and all of similar frequency together as a line.
    fn by_frequency(&self, cells: &[&Cell]) -> Markup {
        let series = self.series(cells, |cells| {
            let (mut dots, mut bins) =
                (Vec::new(), BTreeMap::<Frequency, (f64, f64, Score)>::new());
            for cell in cells {
                for (label, score) in cell.per_label.iter().filter(|(_, score)| score.gold > 0) {
                    let seen = cell.frequency.get(label).copied().unwrap_or(0);
                    if seen == 0 {
                        continue;
                    }
                    let bin = bins.entry(Frequency::of(seen)).or_default();
                    let seen = seen as f64;
                    dots.push(Point::new(seen, score.f1()));
                    *bin = (bin.0 + seen.ln(), bin.1 + 1.0, bin.2);
                    bin.2 += *score;
                }
            }
            let mean = |(logs, count, score): (f64, f64, Score)| {
                Point::new((logs / count).exp(), score.f1())
            };
            (bins.into_values().map(mean).collect(), dots)
        });
        let x = Axis::Log((0..7).map(|power| 10_f64.powi(power)).collect());
        let title = "Strict F1 of types by their frequency";
        let x_name = "entities of the type learnt from";
        chart(&Chart { title, x_name, x, y: Range::To(1.0), series })
    }

    fn by_length(&self, cells: &[&Cell]) -> Markup {
        let lengths: Vec<_> = {
            let all = cells.iter().flat_map(|cell| &cell.per_length);
            let with_gold = all.filter(|(_, score)| score.gold > 0).map(|(length, _)| *length);
            with_gold.collect::<std::collections::BTreeSet<_>>().into_iter().collect()
        };
        let series = self.series(cells, |cells| {
            let scores = cells.iter().flat_map(|cell| &cell.per_length);
            let point = |(length, score): (_, &Score)| {
                let index = lengths.iter().position(|other| other == length)?;
                Some(Point::new(index as f64, score.f1()))
            };
            (scores.filter_map(point).collect(), Vec::new())
        });
        let x = Axis::Names(lengths.iter().map(ToString::to_string).collect());
        let title = "Strict F1 by length";
        chart(&Chart { title, x_name: "words of the entity", x, y: Range::To(1.0), series })
    }

    fn reliability(&self, cells: &[&Cell]) -> Markup {
        let series = self.series(cells, |cells| {
            let bins = cells.iter().flat_map(|cell| &cell.reliability.bins);
            let filled = bins.filter(|bin| bin.count > 0);
            let point = |bin: &Bin| Point::new(bin.mean_score(), bin.precision());
            (filled.map(point).collect(), Vec::new())
        });
        let title = "How often a score is right";
        let (x, y) = (Axis::Share, Range::To(1.0));
        chart(&Chart { title, x_name: "score of the prediction", x, y, series })
    }

    /// One series for each system, of what `points` makes of its cells: a line and dots.
    fn series(
        &self,
        cells: &[&Cell],
        points: impl Fn(&[&Cell]) -> (Vec<Point>, Vec<Point>),
    ) -> Vec<Series<'_>> {
        let of_system = |name: &&'_ str| -> Vec<&Cell> {
            cells.iter().copied().filter(|cell| cell.system == **name).collect()
        };
        let with_cells = self.names.iter().filter(|name| !of_system(name).is_empty());
        with_cells
            .map(|name| {
                let (points, dots) = points(&of_system(name));
                Series { name, class: self.class(name), points, dots }
            })
            .collect()
    }
}

/// How far scores are from probabilities.
fn calibration(cells: &[&Cell]) -> Markup {
    let errors = cells.iter().filter_map(|cell| {
        let error = cell.reliability.calibration_error()?;
        Some(format!("{} {:.1}", cell.system, 100.0 * error))
    });
    let errors: Vec<String> = errors.collect();
    html! {
        @if !errors.is_empty() {
            p class="note" { "Mean distance between score and share right (expected calibration error), in points: " (errors.join("; ")) "." }
        }
    }
}

fn differences(comparisons: &[&Comparison], resamples: usize) -> Markup {
    html! {
        div class="scroll wide" {
            table {
                thead { tr {
                    th scope="col" { "Data" } th scope="col" { "Better" } th scope="col" { "Than" }
                    th scope="col" class="n" { "Strict F1, points" } th scope="col" class="n" { "95 % interval" }
                    th scope="col" class="n" { "p" } th scope="col" { "Difference" }
                } }
                tbody {
                    @for comparison in comparisons {
                        @let [observed, interval, p] = numbers(&comparison.difference);
                        tr {
                            td { (percent(comparison.fraction)) }
                            td { (comparison.a) } td { (comparison.b) }
                            td class="n" { (observed) } td class="n" { (interval) } td class="n" { (p) }
                            td class=(if comparison.difference.is_shown() { "shown" } else { "unsure" }) { (verdict(&comparison.difference)) }
                        }
                    }
                }
            }
        }
        p class="note" {
            "Paired bootstrap over sentences, seeds pooled, " (resamples)
            " resamples. Where the interval holds 0, the sentences do not show which system is better. It does not speak of other seeds than these."
        }
    }
}

fn prices(summary: &Summary) -> Markup {
    html! {
        div class="scroll wide" {
            table {
                thead { tr {
                    th scope="col" { "Corpus" } th scope="col" { "Data" } th scope="col" { "System" }
                    th scope="col" class="n" { "Parameters" } th scope="col" class="n" { "Time" }
                    th scope="col" class="n" { "Training, sentences/s" } th scope="col" class="n" { "Peak" }
                    th scope="col" class="n" { "Inference, sentences/s" } th scope="col" class="n" { "Peak" }
                } }
                tbody { @for cell in &summary.cells { (price(cell, &cell.price)) } }
            }
        }
        p class="note" { "Means over seeds; the largest peak of memory. Training speed is of optimiser steps alone, time with the evaluations between them." }
    }
}

fn price(cell: &Cell, price: &Price) -> Markup {
    html! {
        tr {
            td { (cell.corpus) } td { (percent(cell.fraction)) } td { (cell.system) }
            td class="n" { (millions(price.parameters)) } td class="n" { (duration(price.seconds)) }
            td class="n" { @match price.training_speed { Some(speed) => { (format!("{speed:.1}")) } None => { "–" } } }
            td class="n" { (megabytes(price.training_memory)) }
            td class="n" { (format!("{:.1}", price.inference_speed)) }
            td class="n" { (megabytes(price.inference_memory)) }
        }
    }
}

fn settings(summary: &Summary) -> Markup {
    let list = |settings: &[(String, String)]| {
        let lines: Vec<String> =
            settings.iter().map(|(key, value)| format!("{key} = {value}")).collect();
        lines.join(", ")
    };
    html! {
        p { "All systems: " code { (list(&summary.common)) } }
        @for (name, own) in summary.systems.iter().filter(|(_, own)| !own.is_empty()) {
            p { (name) ": " code { (list(own)) } }
        }
    }
}
