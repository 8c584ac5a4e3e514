//! Nested highlights in HTML, and the page around them: one file, no script needed, nothing loaded from elsewhere.

use std::fmt::Write;

use innerspan::data::{Document, Entity};
use maud::{DOCTYPE, Escaper, Markup, PreEscaped, html};

use super::Palette;
use super::layers::{Fragment, Piece, pieces};
use super::verdict::Verdict;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The text with its entities as `<mark>` elements inside each other, each followed by its type.
pub fn highlight(doc: &Document, palette: &Palette) -> Markup {
    highlight_judged(&doc.text, &doc.entities, palette, &|_| Verdict::Right)
}

/// The same, with the entities that `verdict` finds fault with marked as mistakes.
pub fn highlight_judged(
    text: &str,
    entities: &[Entity],
    palette: &Palette,
    verdict: &dyn Fn(&Entity) -> Verdict,
) -> Markup {
    let mut out = String::with_capacity(2 * text.len());
    for piece in pieces(text, entities) {
        match piece {
            Piece::Text(text) => escape(&mut out, text),
            Piece::Open(fragment) => {
                let entity = &entities[fragment.entity];
                open(&mut out, entity, fragment, palette, &verdict(entity));
            }
            Piece::Close(fragment) => {
                if fragment.last {
                    out.push_str("<span class=\"type\"> ");
                    escape(&mut out, &entities[fragment.entity].label);
                    out.push_str("</span>");
                }
                out.push_str("</mark>");
            }
        }
    }
    PreEscaped(out)
}

/// `<mark class="c3 h1 …" title="PART, 0.97">`: colour, height (at most 5), where it goes on, and what is wrong with it.
fn open(
    out: &mut String,
    entity: &Entity,
    fragment: Fragment,
    palette: &Palette,
    verdict: &Verdict,
) {
    let mut class = format!("c{} h{}", palette.slot(&entity.label), fragment.height.min(5));
    for (applies, name) in [
        (!fragment.first, " continued"),
        (!fragment.last, " continues"),
        (*verdict != Verdict::Right, " mistake"),
        (*verdict == Verdict::Alone, " alone"),
    ] {
        class += if applies { name } else { "" };
    }
    let mut title = entity.label.clone();
    if let Some(score) = entity.score {
        let _ = write!(title, ", {score:.2}");
    }
    match verdict {
        Verdict::Right => {}
        Verdict::WrongType(other) => {
            let _ = write!(title, "; type differs: {other} on the other side");
        }
        Verdict::WrongBoundary => title += "; boundary differs",
        Verdict::Alone => title += "; not on the other side",
    }
    let _ = write!(out, "<mark class=\"{class}\" data-type=\"");
    escape(out, &entity.label);
    out.push_str("\" title=\"");
    escape(out, &title);
    out.push_str("\">");
}

fn escape(out: &mut String, text: &str) {
    let _ = Escaper::new(out).write_str(text);
}

/// The types in their colours, as buttons that hide and show a type where scripts run.
pub fn legend(palette: &Palette) -> Markup {
    html! {
        div class="legend" role="group" aria-label="Entity types" {
            @for label in palette.labels() {
                button type="button" class={ "c" (palette.slot(label)) } data-toggle=(label) aria-pressed="true" { (label) }
            }
        }
    }
}

/// A whole page around `body`.
pub fn page(title: &str, body: Markup) -> String {
    let mut out = page_begin(title);
    out.push_str(&body.into_string());
    out.push_str(PAGE_END);
    out
}

/// The page up to its body, for a body of any length that is written bit by bit; [`PAGE_END`] ends it.
pub fn page_begin(title: &str) -> String {
    let head = html! {
        (DOCTYPE)
        (PreEscaped("<html lang=\"en\">"))
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="light dark";
            title { (title) }
            style { (PreEscaped(STYLE)) }
            script { (PreEscaped(SCRIPT)) }
        }
    };
    head.into_string() + "<body><main>"
}

/// What follows the body of a page.
pub const PAGE_END: &str = "</main></body></html>\n";

#[cfg(test)]
mod tests {
    use super::super::sample::marked;
    use super::*;

    fn shown(doc: &Document) -> String {
        highlight(doc, &Palette::of(["PART", "SHIP"])).into_string()
    }

    #[test]
    fn inner_entities_are_elements_inside_outer_ones() {
        let palette = Palette::of(["PART", "SHIP"]);
        let (part, ship) = (palette.slot("PART"), palette.slot("SHIP"));
        let expected = format!(
            "A <mark class=\"c{part} h1\" data-type=\"PART\" title=\"PART\">pump of \
             <mark class=\"c{ship} h0\" data-type=\"SHIP\" title=\"SHIP\">Ai<span class=\"type\"> SHIP</span></mark>\
             <span class=\"type\"> PART</span></mark>."
        );
        assert_eq!(shown(&marked("A [PART pump of [SHIP Ai]].")), expected);
    }

    #[test]
    fn text_and_labels_cannot_become_markup() {
        let text = "<script>alert(1)</script> & \"quotes\"";
        let label = "A\"><img src=x onerror=alert(1)>";
        let entities = vec![Entity { start: 0, end: 8, label: label.into(), score: Some(0.5) }];
        let html = shown(&Document { text: text.into(), entities, ..Default::default() });
        assert!(
            !html.contains("<script") && !html.contains("<img") && !html.contains("A\""),
            "{html}"
        );
        assert!(
            html.contains("&lt;script&gt;") && html.contains("title=\"A&quot;&gt;&lt;img"),
            "{html}"
        );
        assert!(
            page("</title><script>", html! {})
                .contains("<title>&lt;/title&gt;&lt;script&gt;</title>")
        );
    }

    #[test]
    fn a_crossing_entity_is_two_elements_with_one_label() {
        let entity =
            |start, end, label: &str| Entity { start, end, label: label.into(), score: None };
        let doc = Document {
            text: "abcdef".into(),
            entities: vec![entity(0, 4, "PART"), entity(2, 6, "SHIP")],
            ..Default::default()
        };
        let html = shown(&doc);
        assert_eq!(html.matches("<mark").count(), 3);
        assert_eq!(html.matches("> SHIP<").count(), 1);
        assert!(html.contains("h0 continues\"") && html.contains("h0 continued\""), "{html}");
    }

    #[test]
    fn a_page_loads_nothing() {
        let page = page("t", legend(&Palette::of(["PART"])));
        assert!(
            page.starts_with("<!DOCTYPE html><html lang=\"en\">") && page.ends_with("</html>\n")
        );
        for loading in ["http:", "https:", "src=", "@import", "url("] {
            assert!(!page.contains(loading), "{loading}");
        }
    }

    #[test]
    fn text_without_its_marks_is_the_text() {
        let doc = marked("[SHIP 海燕丸] & [PART e\u{301}⚓]");
        let mut html = shown(&doc)
            .replace("<span class=\"type\"> SHIP</span>", "")
            .replace("<span class=\"type\"> PART</span>", "");
        while let (Some(from), Some(to)) = (html.find('<'), html.find('>')) {
            html.replace_range(from..=to, "");
        }
        assert_eq!(html.replace("&amp;", "&"), doc.text);
    }
}
