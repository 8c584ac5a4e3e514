//! Line charts as inline SVG, in the page's colours.

use maud::{Markup, html};

/// A named line.
#[derive(Debug, Clone)]
pub struct Line<'a> {
    /// Its name, written at its end.
    pub name: &'a str,
    /// CSS class for its colour: `line-a` or `line-b`.
    pub class: &'a str,
    /// Its points, x ascending; those that are not finite are left out.
    pub points: Vec<(f64, f64)>,
}

const WIDTH: f64 = 440.0;
const HEIGHT: f64 = 250.0;
const LEFT: f64 = 44.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 16.0;
const BOTTOM: f64 = 42.0;

/// A chart of `lines` over `x_name`; y runs from 0 to `y_max`, or as far as the data does.
pub fn chart(title: &str, x_name: &str, y_max: Option<f64>, lines: &[Line]) -> Markup {
    let lines: Vec<Line> =
        lines.iter().map(|l| Line { points: finite(&l.points), ..l.clone() }).collect();
    let all = || lines.iter().flat_map(|l| &l.points);
    let x_min = all().map(|p| p.0).fold(f64::INFINITY, f64::min).min(f64::MAX);
    let x_max = all().map(|p| p.0).fold(x_min, f64::max).max(x_min + 1.0);
    let y_ticks = ticks(y_max.unwrap_or_else(|| all().map(|p| p.1).fold(0.0, f64::max)));
    let y_max = y_ticks.last().copied().unwrap_or(1.0);
    let x = |v: f64| LEFT + (v - x_min) / (x_max - x_min) * (WIDTH - LEFT - RIGHT);
    let y = |v: f64| HEIGHT - BOTTOM - v / y_max * (HEIGHT - TOP - BOTTOM);
    let digits = if y_max < 0.5 {
        2
    } else if y_max < 5.0 {
        1
    } else {
        0
    };
    let x_ticks: Vec<f64> = ticks(x_max)
        .into_iter()
        .filter(|&t| t.fract() == 0.0 && t >= x_min && t <= x_max)
        .collect();
    html! {
        figure class="chart" {
            figcaption {
                (title)
                @if lines.len() > 1 { @for line in &lines { " " span class={ "key " (line.class) } { (line.name) } } }
            }
            svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label=(described(title, x_name, &lines)) {
                @for &tick in &y_ticks {
                    line class="grid" x1=(LEFT) x2=(WIDTH - RIGHT) y1=(n(y(tick))) y2=(n(y(tick))) {}
                    text class="tick" x=(LEFT - 8.0) y=(n(y(tick) + 4.0)) text-anchor="end" { (format!("{tick:.digits$}")) }
                }
                @for &tick in &x_ticks {
                    text class="tick" x=(n(x(tick))) y=(HEIGHT - BOTTOM + 18.0) text-anchor="middle" { (tick) }
                }
                text class="axis" x=(n((LEFT + WIDTH - RIGHT) / 2.0)) y=(HEIGHT - 6.0) text-anchor="middle" { (x_name) }
                @for line in &lines {
                    polyline class=(line.class) points=(path(&line.points, x, y)) {}
                    @if let Some(&(last_x, last_y)) = line.points.last() {
                        circle class=(line.class) cx=(n(x(last_x))) cy=(n(y(last_y))) r="3.5" {}
                    }
                }
            }
        }
    }
}

fn finite(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    points.iter().copied().filter(|p| p.0.is_finite() && p.1.is_finite()).collect()
}

fn path(points: &[(f64, f64)], x: impl Fn(f64) -> f64, y: impl Fn(f64) -> f64) -> String {
    points.iter().map(|p| format!("{},{}", n(x(p.0)), n(y(p.1)))).collect::<Vec<_>>().join(" ")
}

/// A coordinate with one decimal.
fn n(value: f64) -> String {
    format!("{value:.1}")
}

/// Round numbers from 0 to the first that is not below `max`, four to six of them in steps of 1, 2, 2.5 or 5.
fn ticks(max: f64) -> Vec<f64> {
    let max = if max.is_finite() && max > 0.0 { max } else { 1.0 };
    let magnitude = 10_f64.powf((max / 5.0).log10().floor());
    let steps = [1.0, 2.0, 2.5, 5.0, 10.0].map(|s| s * magnitude);
    let step = steps.into_iter().find(|s| max / s <= 5.0 + 1e-9).unwrap_or(max);
    let count = (max / step - 1e-9).ceil() as usize;
    (0..=count).map(|i| i as f64 * step).collect()
}

/// What a reader who cannot see the chart should know.
fn described(title: &str, x_name: &str, lines: &[Line]) -> String {
    let mut out = format!("{title} over {x_name}");
    for line in lines {
        if let (Some(first), Some(last)) = (line.points.first(), line.points.last()) {
            out += &format!(
                "; {}: from {:.3} at {} to {:.3} at {}",
                line.name, first.1, first.0, last.1, last.0
            );
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_reach_the_maximum() {
        assert_eq!(ticks(1.0), [0.0, 0.2, 0.4, 0.6000000000000001, 0.8, 1.0]);
        assert_eq!(ticks(3.3), [0.0, 1.0, 2.0, 3.0, 4.0]);
        assert_eq!(ticks(24.0), [0.0, 5.0, 10.0, 15.0, 20.0, 25.0]);
        assert_eq!(ticks(f64::NAN).len(), 6);
    }

    #[test]
    fn numbers_that_are_not_finite_and_empty_lines_leave_a_chart_without_them() {
        let points = vec![(1.0, f64::NAN), (2.0, 0.5), (3.0, f64::INFINITY)];
        for points in [points, vec![]] {
            let svg = chart(
                "F1",
                "epoch",
                Some(1.0),
                &[Line { name: "strict", class: "line-a", points }],
            )
            .into_string();
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        }
    }

    #[test]
    fn the_axes_are_labelled() {
        let line = Line { name: "strict", class: "line-a", points: vec![(1.0, 0.1), (10.0, 0.7)] };
        let svg = chart("Dev F1", "epoch", Some(1.0), &[line]).into_string();
        assert!(
            svg.contains(">epoch</text>")
                && svg.contains(">0.6</text>")
                && svg.contains(">10</text>"),
            "{svg}"
        );
        assert!(svg.contains("strict: from 0.100 at 1 to 0.700 at 10"), "{svg}");
    }
}
