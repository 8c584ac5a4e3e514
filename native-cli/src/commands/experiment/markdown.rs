//! The report as tables in Markdown.

use std::fmt::Write;

use innerspan::metric::Difference;

use super::breakdown;
use super::plan::percent;
use super::summary::{Cell, Spread, Summary, distinct};
use crate::progress::duration;

/// All tables.
pub fn report(summary: &Summary) -> String {
    let (done, all) = summary.runs;
    let mut out = format!("# Results\n\n{done} of {all} runs done. Development data only.\n\n");
    out += &scores(summary);
    out += &differences(summary);
    out += &breakdown::tables(summary);
    out += &prices(summary);
    out += &settings(summary);
    if !summary.failed.is_empty() {
        out += "\n## Failed\n\n";
        for (run, error) in &summary.failed {
            let _ = writeln!(out, "- {run}: {error}");
        }
    }
    out
}

/// Strict, boundary and macro F1 by corpus, system and share of the training data.
pub fn scores(summary: &Summary) -> String {
    let mut out = String::new();
    for corpus in summary.corpora() {
        let cells = summary.of_corpus(corpus);
        let shares = distinct(cells.iter().map(|cell| (cell.fraction, cell.documents)));
        let kinds: [(&str, fn(&Cell) -> Spread); 3] = [
            ("Strict", |cell| cell.strict),
            ("Boundary", |cell| cell.boundary),
            ("Macro", |cell| cell.macro_average),
        ];
        for (kind, value) in kinds {
            let _ = write!(out, "**{corpus}: {} F1, %**\n\n| system |", kind.to_lowercase());
            for (fraction, documents) in &shares {
                let _ = write!(out, " {} ({documents}) |", percent(*fraction));
            }
            let _ = writeln!(out, "\n|---|{}", "---:|".repeat(shares.len()));
            for system in summary.system_names() {
                let _ = write!(out, "| {} |", plain(system));
                for (fraction, _) in &shares {
                    let cell = cells.iter().find(|c| c.system == system && c.fraction == *fraction);
                    let _ = write!(out, " {} |", cell.map_or(String::new(), |c| shown(value(c))));
                }
                out.push('\n');
            }
            out.push('\n');
        }
    }
    out + "Mean ± standard deviation over seeds; in brackets the number of sentences or documents learnt from.\n"
}

fn differences(summary: &Summary) -> String {
    if summary.comparisons.is_empty() {
        return String::new();
    }
    let mut out = format!(
        "\n## Differences\n\nStrict F1 in points. Paired bootstrap over sentences, seeds pooled, {} resamples.\n\n| corpus | data | better | than | difference | 95 % interval | p | |\n|---|---:|---|---|---:|---:|---:|---|\n",
        summary.resamples
    );
    for c in &summary.comparisons {
        let (corpus, share) = (plain(&c.corpus), percent(c.fraction));
        let (a, b) = (plain(&c.a), plain(&c.b));
        let [observed, interval, p] = numbers(&c.difference);
        let said = verdict(&c.difference);
        let _ = writeln!(
            out,
            "| {corpus} | {share} | {a} | {b} | {observed} | {interval} | {p} | {said} |"
        );
    }
    out
}

/// Difference and interval in points, and p.
pub fn numbers(difference: &Difference) -> [String; 3] {
    let (low, high) = difference.interval;
    let p = match difference.p < 0.001 {
        true => "< 0.001".to_owned(),
        false => format!("{:.3}", difference.p),
    };
    [
        format!("{:+.2}", 100.0 * difference.observed),
        format!("{:+.2} to {:+.2}", 100.0 * low, 100.0 * high),
        p,
    ]
}

/// What may be said of a difference.
pub fn verdict(difference: &Difference) -> &'static str {
    if difference.is_shown() { "shown" } else { "no difference shown" }
}

fn prices(summary: &Summary) -> String {
    let mut out = String::from(
        "\n## Cost\n\nMeans over seeds; the largest peak memory. Training speed is of optimiser steps alone.\n\n| corpus | data | system | parameters | time | training, sentences/s | peak | inference, sentences/s | peak |\n|---|---:|---|---:|---:|---:|---:|---:|---:|\n",
    );
    for cell in &summary.cells {
        let price = &cell.price;
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            plain(&cell.corpus),
            percent(cell.fraction),
            plain(&cell.system),
            millions(price.parameters),
            duration(price.seconds),
            price.training_speed.map_or("–".into(), |speed| format!("{speed:.1}")),
            megabytes(price.training_memory),
            format_args!("{:.1}", price.inference_speed),
            megabytes(price.inference_memory),
        );
    }
    out
}

fn settings(summary: &Summary) -> String {
    let list = |settings: &[(String, String)]| -> String {
        let items: Vec<String> =
            settings.iter().map(|(key, value)| format!("`{key} = {value}`")).collect();
        items.join(", ")
    };
    let mut out = format!("\n## Settings\n\nAll systems: {}.\n\n", list(&summary.common));
    for (name, own) in summary.systems.iter().filter(|(_, own)| !own.is_empty()) {
        let _ = writeln!(out, "- {name}: {}", list(own));
    }
    out
}

/// `84.16 ± 0.30`, in percent.
pub fn shown(spread: Spread) -> String {
    match spread.deviation {
        Some(deviation) => format!("{:.2} ± {:.2}", 100.0 * spread.mean, 100.0 * deviation),
        None => format!("{:.2}", 100.0 * spread.mean),
    }
}

/// Parameters in millions.
pub fn millions(parameters: usize) -> String {
    format!("{:.2} M", parameters as f64 / 1e6)
}

/// Bytes in megabytes of 10⁶.
pub fn megabytes(bytes: Option<u64>) -> String {
    bytes.map_or("–".to_owned(), |bytes| format!("{:.0} MB", bytes as f64 / 1e6))
}

/// Text that cannot end a cell of a table.
pub fn plain(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_whose_interval_holds_zero_is_not_claimed() {
        let difference = Difference { observed: 0.0123, interval: (-0.001, 0.025), p: 0.08 };
        assert_eq!(numbers(&difference), ["+1.23", "-0.10 to +2.50", "0.080"]);
        assert_eq!(verdict(&difference), "no difference shown");
        let clear = Difference { observed: 0.0123, interval: (0.001, 0.025), p: 0.0002 };
        assert_eq!((verdict(&clear), numbers(&clear)[2].as_str()), ("shown", "< 0.001"));
    }

    #[test]
    fn one_seed_has_no_deviation() {
        assert_eq!(shown(Spread::of(&[0.5])), "50.00");
        assert_eq!(shown(Spread::of(&[0.5, 0.52])), "51.00 ± 1.41");
    }
}
