//! Charts as inline SVG, in the page's colours.

use maud::{Markup, html};

/// A chart of one or more series over the same axes.
#[derive(Debug, Clone)]
pub struct Chart<'a> {
    pub title: &'a str,
    pub x_name: &'a str,
    pub x: Axis,
    pub y: Range,
    pub series: Vec<Series<'a>>,
}

/// A named series.
#[derive(Debug, Clone)]
pub struct Series<'a> {
    /// Its name, written in the key.
    pub name: &'a str,
    /// CSS class for its colour: `s0` to `s7`.
    pub class: String,
    /// Its points, x ascending; those that are not finite are left out.
    pub points: Vec<Point>,
    /// Points without a line between them, drawn small beneath it.
    pub dots: Vec<Point>,
}

/// A value, and how far it spreads up and down.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    pub x: f64,
    pub y: f64,
    pub spread: Option<f64>,
}

impl Point {
    /// A value without spread.
    pub fn new(x: f64, y: f64) -> Self {
        Self { x, y, spread: None }
    }
}

/// What runs from left to right.
#[derive(Debug, Clone, PartialEq)]
pub enum Axis {
    /// Whole numbers, as far as the data goes.
    Numbers,
    /// The logarithm, with marks where the caller wants them.
    Log(Vec<f64>),
    /// From 0 to 1, with a diagonal where y = x.
    Share,
    /// Names at 0, 1, 2, …
    Names(Vec<String>),
}

/// What runs from bottom to top.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Range {
    /// From 0 to a number.
    To(f64),
    /// From 0 as far as the data goes.
    FromZero,
    /// Around the data.
    Fitted,
}

const WIDTH: f64 = 440.0;
const HEIGHT: f64 = 250.0;
const LEFT: f64 = 44.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 16.0;
const BOTTOM: f64 = 42.0;

/// The chart as a figure.
pub fn chart(chart: &Chart) -> Markup {
    let series: Vec<Series> = chart.series.iter().map(finite).collect();
    let (across, up) = (Across::of(&chart.x, &series), Up::of(chart.y, &series));
    let (x, y) = (|v| across.at(v), |v| up.at(v));
    html! {
        figure class="chart" {
            figcaption {
                (chart.title)
                @if series.len() > 1 { @for one in &series { " " span class={ "key " (one.class) } { (one.name) } } }
            }
            svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label=(described(chart, &series)) {
                @for &tick in &up.ticks {
                    line class="grid" x1=(LEFT) x2=(WIDTH - RIGHT) y1=(n(y(tick))) y2=(n(y(tick))) {}
                    text class="tick" x=(LEFT - 8.0) y=(n(y(tick) + 4.0)) text-anchor="end" { (up.label(tick)) }
                }
                @for (at, label) in &across.ticks {
                    text class="tick" x=(n(x(*at))) y=(HEIGHT - BOTTOM + 18.0) text-anchor="middle" { (label) }
                }
                text class="axis" x=(n((LEFT + WIDTH - RIGHT) / 2.0)) y=(HEIGHT - 6.0) text-anchor="middle" { (chart.x_name) }
                @if chart.x == Axis::Share {
                    line class="ideal" x1=(n(x(0.0))) y1=(n(y(0.0))) x2=(n(x(1.0))) y2=(n(y(1.0))) {}
                }
                @for one in &series {
                    @for dot in &one.dots { circle class={ "dot " (one.class) } cx=(n(x(dot.x))) cy=(n(y(dot.y))) r="2.5" {} }
                }
                @for one in &series {
                    @for point in &one.points {
                        @if let Some(spread) = point.spread {
                            line class={ "spread " (one.class) } x1=(n(x(point.x))) x2=(n(x(point.x)))
                                y1=(n(y(point.y - spread))) y2=(n(y(point.y + spread))) {}
                        }
                    }
                    polyline class=(one.class) points=(path(&one.points, x, y)) {}
                    @for point in marked(&one.points, &chart.x) {
                        circle class=(one.class) cx=(n(x(point.x))) cy=(n(y(point.y))) r="3.5" {}
                    }
                }
            }
        }
    }
}

/// The points of a line that are drawn as such: all, but of a long curve the last.
fn marked<'a>(points: &'a [Point], x: &Axis) -> &'a [Point] {
    match x {
        Axis::Numbers => &points[points.len().saturating_sub(1)..],
        _ => points,
    }
}

fn finite<'a>(series: &Series<'a>) -> Series<'a> {
    let keep = |points: &[Point]| -> Vec<Point> {
        points.iter().copied().filter(|p| p.x.is_finite() && p.y.is_finite()).collect()
    };
    Series { points: keep(&series.points), dots: keep(&series.dots), ..series.clone() }
}

/// The axis from left to right.
struct Across {
    low: f64,
    high: f64,
    log: bool,
    ticks: Vec<(f64, String)>,
}

impl Across {
    fn of(axis: &Axis, series: &[Series]) -> Self {
        let all = || series.iter().flat_map(|s| s.points.iter().chain(&s.dots)).map(|p| p.x);
        let low = all().fold(f64::INFINITY, f64::min).min(f64::MAX);
        let high = all().fold(low, f64::max);
        match axis {
            Axis::Numbers => {
                let high = high.max(low + 1.0);
                let whole = |t: &f64| t.fract() == 0.0 && *t >= low && *t <= high;
                let ticks = steps(0.0, high).into_iter().filter(whole);
                Self { low, high, log: false, ticks: ticks.map(|t| (t, t.to_string())).collect() }
            }
            Axis::Log(marks) => {
                let ticks = marks.iter().filter(|t| **t >= low && **t <= high);
                let ticks = ticks.map(|t| (*t, t.to_string())).collect();
                // a single value stands in the middle
                let (low, high) = if high > low { (low, high) } else { (low / 2.0, high * 2.0) };
                Self { low, high, log: true, ticks }
            }
            Axis::Share => {
                let ticks = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0].map(|t| (t, format!("{t:.1}")));
                Self { low: 0.0, high: 1.0, log: false, ticks: ticks.to_vec() }
            }
            Axis::Names(names) => {
                let ticks = names.iter().enumerate().map(|(i, name)| (i as f64, name.clone()));
                let high = names.len() as f64 - 0.5;
                Self { low: -0.5, high, log: false, ticks: ticks.collect() }
            }
        }
    }

    fn at(&self, value: f64) -> f64 {
        let scaled = |v: f64| if self.log { v.max(f64::MIN_POSITIVE).ln() } else { v };
        let (low, high) = (scaled(self.low), scaled(self.high));
        let share = if high > low { (scaled(value) - low) / (high - low) } else { 0.5 };
        // marks of a logarithmic axis stay off its ends
        let margin = if self.log { 14.0 } else { 0.0 };
        LEFT + margin + share * (WIDTH - LEFT - RIGHT - 2.0 * margin)
    }
}

/// The axis from bottom to top.
struct Up {
    ticks: Vec<f64>,
    digits: usize,
}

impl Up {
    fn of(range: Range, series: &[Series]) -> Self {
        let points = || series.iter().flat_map(|s| s.points.iter().chain(&s.dots));
        let high = points().map(|p| p.y + p.spread.unwrap_or(0.0)).fold(0.0, f64::max);
        let low = points().map(|p| p.y - p.spread.unwrap_or(0.0)).fold(high, f64::min).max(0.0);
        let ticks = match range {
            Range::To(high) => steps(0.0, high),
            Range::FromZero => steps(0.0, high),
            Range::Fitted => steps(low, high),
        };
        let step = ticks.get(1).map_or(1.0, |second| second - ticks[0]);
        let digits = [0, 1, 2, 3].into_iter().find(|&d| {
            let scaled = step * 10_f64.powi(d);
            (scaled - scaled.round()).abs() < 1e-9
        });
        Self { ticks, digits: digits.unwrap_or(3) as usize }
    }

    fn at(&self, value: f64) -> f64 {
        let (low, high) = (self.ticks[0], self.ticks[self.ticks.len() - 1]);
        let share = ((value - low) / (high - low)).clamp(0.0, 1.0);
        HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)
    }

    fn label(&self, tick: f64) -> String {
        format!("{tick:.0$}", self.digits)
    }
}

fn path(points: &[Point], x: impl Fn(f64) -> f64, y: impl Fn(f64) -> f64) -> String {
    points.iter().map(|p| format!("{},{}", n(x(p.x)), n(y(p.y)))).collect::<Vec<_>>().join(" ")
}

/// A coordinate with one decimal.
fn n(value: f64) -> String {
    format!("{value:.1}")
}

/// Round numbers from the last that is not above `low` to the first that is not below `high`, four to six of them in
/// steps of 1, 2, 2.5 or 5.
fn steps(low: f64, high: f64) -> Vec<f64> {
    let low = if low.is_finite() { low } else { 0.0 };
    let high = if high.is_finite() && high > low { high } else { low + 1.0 };
    let magnitude = 10_f64.powf(((high - low) / 5.0).log10().floor());
    let sizes = [1.0, 2.0, 2.5, 5.0, 10.0].map(|s| s * magnitude);
    let size = sizes.into_iter().find(|s| (high - low) / s <= 5.0 + 1e-9).unwrap_or(high - low);
    let first = (low / size + 1e-9).floor();
    let count = (high / size - 1e-9).ceil() - first;
    (0..=count as usize).map(|i| (first + i as f64) * size).collect()
}

/// What a reader who cannot see the chart should know.
fn described(chart: &Chart, series: &[Series]) -> String {
    let mut out = format!("{} over {}", chart.title, chart.x_name);
    for one in series {
        if let (Some(first), Some(last)) = (one.points.first(), one.points.last()) {
            let (from, to) = (place(&chart.x, first.x), place(&chart.x, last.x));
            out +=
                &format!("; {}: from {:.3} at {from} to {:.3} at {to}", one.name, first.y, last.y);
        }
    }
    out
}

fn place(axis: &Axis, x: f64) -> String {
    match axis {
        Axis::Names(names) => names.get(x as usize).cloned().unwrap_or_default(),
        Axis::Share => format!("{x:.2}"),
        _ => format!("{x:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(name: &'static str, points: &[(f64, f64)]) -> Series<'static> {
        let points = points.iter().map(|&(x, y)| Point::new(x, y)).collect();
        Series { name, class: "s0".into(), points, dots: Vec::new() }
    }

    fn drawn(x: Axis, y: Range, series: Vec<Series>) -> String {
        chart(&Chart { title: "Dev F1", x_name: "epoch", x, y, series }).into_string()
    }

    #[test]
    fn steps_are_round_and_hold_the_data() {
        assert_eq!(steps(0.0, 1.0), [0.0, 0.2, 0.4, 0.6000000000000001, 0.8, 1.0]);
        assert_eq!(steps(0.0, 3.3), [0.0, 1.0, 2.0, 3.0, 4.0]);
        assert_eq!(steps(0.0, 24.0), [0.0, 5.0, 10.0, 15.0, 20.0, 25.0]);
        let around: Vec<String> = steps(0.83, 0.86).iter().map(|s| format!("{s:.2}")).collect();
        assert_eq!(around, ["0.83", "0.84", "0.85", "0.86"]);
        assert_eq!(steps(0.0, f64::NAN).len(), 6);
    }

    #[test]
    fn numbers_that_are_not_finite_and_empty_series_leave_a_chart_without_them() {
        let points = [(1.0, f64::NAN), (2.0, 0.5), (3.0, f64::INFINITY)];
        let axes =
            [Axis::Numbers, Axis::Log(vec![1.0]), Axis::Share, Axis::Names(vec!["a".into()])];
        for axis in axes {
            for range in [Range::To(1.0), Range::FromZero, Range::Fitted] {
                for points in [&points[..], &[]] {
                    let svg = drawn(axis.clone(), range, vec![series("strict", points)]);
                    assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
                }
            }
        }
    }

    #[test]
    fn the_axes_are_labelled() {
        let line = series("strict", &[(1.0, 0.1), (10.0, 0.7)]);
        let svg = drawn(Axis::Numbers, Range::To(1.0), vec![line]);
        for part in [">epoch</text>", ">0.6</text>", ">10</text>"] {
            assert!(svg.contains(part), "{part} in {svg}");
        }
        assert!(svg.contains("strict: from 0.100 at 1 to 0.700 at 10"), "{svg}");
    }

    #[test]
    fn a_spread_is_a_line_up_and_down() {
        let mut line = series("strict", &[(10.0, 0.5), (1000.0, 0.7)]);
        line.points[1].spread = Some(0.1);
        let svg = drawn(Axis::Log(vec![10.0, 1000.0]), Range::To(1.0), vec![line]);
        // y runs over 192 units down from 16: 0.8 is at 54.4, 0.6 at 92.8.
        assert!(svg.contains("y1=\"92.8\" y2=\"54.4\""), "{svg}");
        assert_eq!(svg.matches("<circle").count(), 2);
    }

    #[test]
    fn a_logarithmic_axis_has_equal_factors_at_equal_distances() {
        let line = series("strict", &[(1.0, 0.1), (10.0, 0.2), (100.0, 0.3)]);
        let across = Across::of(&Axis::Log(vec![]), &[line]);
        let [a, b, c] = [1.0, 10.0, 100.0].map(|v| across.at(v));
        assert!((b - a - (c - b)).abs() < 1e-9);
    }
}
