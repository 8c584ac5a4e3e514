//! Nested highlights in a terminal: the text, and under it a bracket with its label for every entity, inner ones first.

use std::fmt::Write;
use std::io::IsTerminal;

use innerspan::data::{Document, Entity};

use super::Palette;
use super::layers::{Piece, pieces};
use super::wrap::{columns, printable, wrap};

/// How to draw.
#[derive(Debug, Clone, PartialEq)]
pub struct TerminalStyle {
    /// Columns to stay within.
    pub width: usize,
    /// Whether to send colours.
    pub colour: bool,
    /// Whether brackets may be box-drawing characters; ASCII otherwise.
    pub unicode: bool,
    /// Whether to show scores.
    pub scores: bool,
    /// The colours of the labels.
    pub palette: Palette,
}

impl TerminalStyle {
    /// What standard output can show: colours and box drawing on a terminal, ASCII in a pipe; `NO_COLOR`, `TERM`,
    /// `COLUMNS` and the locale are respected.
    pub fn detect(palette: Palette) -> Self {
        let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let terminal = std::io::stdout().is_terminal() && set("TERM").as_deref() != Some("dumb");
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set);
        let utf8 = locale.map_or(!cfg!(target_os = "linux"), |l| {
            l.to_lowercase().replace('-', "").contains("utf8")
        });
        let columns = set("COLUMNS").and_then(|c| c.parse().ok());
        let measured = terminal_size::terminal_size()
            .map(|(terminal_size::Width(columns), _)| usize::from(columns));
        Self {
            width: columns.or(measured).unwrap_or(100).clamp(20, 120),
            colour: terminal && set("NO_COLOR").is_none(),
            unicode: terminal && utf8,
            scores: false,
            palette,
        }
    }

    /// Without colour, in ASCII.
    #[cfg(test)]
    pub fn plain(width: usize) -> Self {
        Self { width, colour: false, unicode: false, scores: false, palette: Palette::default() }
    }

    fn paint(&self, out: &mut String, text: &str, label: Option<&str>, bold: bool) {
        match label.filter(|_| self.colour) {
            Some(label) => {
                let weight = if bold { "1;" } else { "" };
                let _ =
                    write!(out, "\x1b[{weight}38;5;{}m{text}\x1b[0m", self.palette.xterm(label));
            }
            None => out.push_str(text),
        }
    }
}

/// The text in lines of at most `style.width` columns, each followed by the brackets of its entities; ends with a line
/// feed. Nothing in the text or the labels can steer the terminal.
pub fn highlight(doc: &Document, style: &TerminalStyle) -> String {
    let doc = printable(doc);
    let written = pieces(&doc.text, &doc.entities);
    let mut out = String::new();
    for line in wrap(&doc.text, style.width.max(1)) {
        write_text(&mut out, &doc, &written, line.clone(), style);
        let brackets = doc
            .entities
            .iter()
            .filter_map(|e| Bracket::under(e, &doc.text, line.clone(), style))
            .collect();
        write_brackets(&mut out, brackets, style);
    }
    out
}

fn write_text(
    out: &mut String,
    doc: &Document,
    written: &[Piece],
    line: std::ops::Range<usize>,
    style: &TerminalStyle,
) {
    if !style.colour {
        out.push_str(&doc.text[line]);
        out.push('\n');
        return;
    }
    let mut inside: Vec<&str> = Vec::new();
    let mut at = 0;
    for piece in written {
        match piece {
            Piece::Open(fragment) => inside.push(&doc.entities[fragment.entity].label),
            Piece::Close(_) => drop(inside.pop()),
            Piece::Text(text) => {
                let (start, end) = (at.max(line.start), (at + text.len()).min(line.end));
                if start < end {
                    style.paint(out, &doc.text[start..end], inside.last().copied(), true);
                }
                at += text.len();
                if at >= line.end {
                    break;
                }
            }
        }
    }
    out.push('\n');
}

/// The part of an entity on one line, in columns.
struct Bracket<'a> {
    label: &'a str,
    caption: String,
    start: usize,
    end: usize,
    opens: bool,
    closes: bool,
}

impl<'a> Bracket<'a> {
    fn under(
        entity: &'a Entity,
        text: &str,
        line: std::ops::Range<usize>,
        style: &TerminalStyle,
    ) -> Option<Self> {
        let (from, to) = (entity.start.max(line.start), entity.end.min(line.end));
        if from >= to {
            return None;
        }
        let start = columns(&text[line.start..from]);
        let end = columns(&text[line.start..to]).max(start + 1);
        let mut caption = entity.label.clone();
        if let Some(score) = entity.score.filter(|_| style.scores) {
            let _ = write!(caption, " {score:.2}");
        }
        let (opens, closes) = (entity.start >= line.start, entity.end <= line.end);
        Some(Self { label: &entity.label, caption, start, end, opens, closes })
    }

    /// What to draw, and the column where it begins: the caption inside the bracket where there is room, behind it
    /// where there is none, before it where the line ends.
    fn drawn(&self, style: &TerminalStyle) -> (usize, String) {
        let [corner, bar, end_corner] =
            if style.unicode { ['╰', '─', '╯'] } else { ['\\', '_', '/'] };
        let [left, right] = [(self.opens, corner), (self.closes, end_corner)]
            .map(|(edge, c)| if edge { c } else { bar });
        let (wide, caption) = (self.end - self.start, columns(&self.caption));
        let bars = |count: usize| bar.to_string().repeat(count);
        if wide >= caption + 5 {
            return (
                self.start,
                format!("{left}{bar} {} {}{right}", self.caption, bars(wide - caption - 5)),
            );
        }
        if wide >= caption + 2 {
            return (
                self.start,
                format!("{left}{}{}{right}", self.caption, bars(wide - caption - 2)),
            );
        }
        let bracket = match wide {
            1 => if style.unicode { "╵" } else { "^" }.to_owned(),
            _ => format!("{left}{}{right}", bars(wide - 2)),
        };
        if self.end + 1 + caption > style.width && self.start > caption {
            return (self.start - caption - 1, format!("{} {bracket}", self.caption));
        }
        (self.start, format!("{bracket} {}", self.caption))
    }
}

fn write_brackets(out: &mut String, mut brackets: Vec<Bracket>, style: &TerminalStyle) {
    brackets.sort_by_key(|b| (b.end - b.start, b.start));
    // row, bracket, first column drawn, one past the last column drawn, what is drawn
    let mut placed: Vec<(usize, &Bracket, usize, usize, String)> = Vec::new();
    for bracket in &brackets {
        let (from, drawn) = bracket.drawn(style);
        let to = from + columns(&drawn);
        let overlapping = placed
            .iter()
            .filter(|(_, inner, ..)| inner.start < bracket.end && bracket.start < inner.end);
        let mut row = overlapping.map(|p| p.0 + 1).max().unwrap_or(0);
        while placed.iter().any(|p| p.0 == row && p.2 <= to && from <= p.3) {
            row += 1;
        }
        placed.push((row, bracket, from, to, drawn));
    }
    placed.sort_by_key(|p| (p.0, p.2));
    for row in placed.chunk_by(|a, b| a.0 == b.0) {
        let mut at = 0;
        for (_, bracket, from, to, drawn) in row {
            out.push_str(&" ".repeat(from - at));
            style.paint(out, drawn, Some(bracket.label), false);
            at = *to;
        }
        out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A document from `[LABEL text]` mark-up.
    fn marked(source: &str) -> Document {
        super::super::sample::marked(source)
    }

    fn plain(source: &str, width: usize) -> String {
        format!("\n{}", highlight(&marked(source), &TerminalStyle::plain(width)))
    }

    #[test]
    fn nested_entities_stand_under_each_other_inner_first() {
        assert_eq!(
            plain("A [FAULT crack in the [PART rudder of the [SHIP Grey Petrel]]].", 80),
            r"
A crack in the rudder of the Grey Petrel.
                             \_ SHIP __/
               \_ PART ________________/
  \_ FAULT ____________________________/
"
        );
    }

    #[test]
    fn neighbours_share_a_row_and_short_ones_carry_their_label_behind_them() {
        assert_eq!(
            plain("[PERSON Bo] sold [SHIP Grey Petrel] at [PLACE Å].", 80),
            r"
Bo sold Grey Petrel at Å.
\/ PERSON              ^ PLACE
        \_ SHIP __/
"
        );
    }

    #[test]
    fn a_label_that_would_leave_the_line_stands_before_its_bracket() {
        assert_eq!(plain("the pump of [SHIP Ai]", 18), "\nthe pump of Ai\n       SHIP \\/\n");
    }

    #[test]
    fn an_entity_goes_on_over_the_end_of_a_line() {
        assert_eq!(
            plain("[PART bilge pump of the dredger]", 12),
            r"
bilge pump
\_ PART ___
of the
_PART_
dredger
_PART_/
"
            .replace("___\n", "__\n")
        );
    }

    #[test]
    fn brackets_line_up_under_wide_characters_and_combining_marks() {
        assert_eq!(
            plain("[SHIP 海燕丸] e\u{301} [PLACE Kvarnholm] ⚓ [PLACE Karasu]", 80),
            "
海燕丸 e\u{301} Kvarnholm ⚓ Karasu
\\SHIP/   \\PLACE__/    \\____/ PLACE
"
        );
    }

    #[test]
    fn crossing_entities_have_rows_of_their_own() {
        let entity = |start, end, label: &str| Entity {
            start,
            end,
            label: label.into(),
            score: Some(0.875),
        };
        let doc = Document {
            text: "aaaaaaaaaa bbbbbbbbbb cccccccccc".into(),
            entities: vec![entity(0, 21, "A"), entity(11, 32, "B")],
            ..Default::default()
        };
        let style = TerminalStyle { scores: true, unicode: true, ..TerminalStyle::plain(80) };
        assert_eq!(
            highlight(&doc, &style),
            "\
aaaaaaaaaa bbbbbbbbbb cccccccccc
╰─ A 0.88 ──────────╯
           ╰─ B 0.88 ──────────╯
"
        );
    }

    #[test]
    fn colour_follows_the_innermost_label() {
        let doc = marked("[PART pump of [SHIP Ai]]");
        let palette = Palette::of(["PART", "SHIP"]);
        let (part, ship) = (palette.xterm("PART"), palette.xterm("SHIP"));
        let style = TerminalStyle { colour: true, palette, ..TerminalStyle::plain(80) };
        let expected = format!(
            "\x1b[1;38;5;{part}mpump of \x1b[0m\x1b[1;38;5;{ship}mAi\x1b[0m\n        \
             \x1b[38;5;{ship}m\\/ SHIP\x1b[0m\n\x1b[38;5;{part}m\\_ PART _/\x1b[0m\n"
        );
        assert_eq!(highlight(&doc, &style), expected);
    }

    #[test]
    fn text_cannot_steer_the_terminal() {
        let doc = Document { text: "\u{1b}]0;owned\u{7}".into(), ..Default::default() };
        assert!(!highlight(&doc, &TerminalStyle::plain(80)).contains('\u{1b}'));
    }
}
