//! The formats in which people keep annotated text.

use std::path::Path;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::conll::columns;
use super::tags::is_tag;
use crate::Error;

/// How a corpus is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// JSON lines with `tokens` and entities as token indices.
    JsonlTokens,
    /// JSON lines with `text` and entities as offsets.
    Jsonl,
    /// A token per line with its tags (IOB1, IOB2, BIOES) in columns.
    Conll,
    /// Pairs of `.txt` and `.ann` files.
    Brat,
    /// Titles and abstracts with tab-separated annotations.
    #[serde(rename = "pubtator")]
    PubTator,
    /// Plain text, a document per line.
    Text,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 6] =
        [Self::Jsonl, Self::JsonlTokens, Self::Conll, Self::Brat, Self::PubTator, Self::Text];

    /// What the user calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::JsonlTokens => "jsonl-tokens",
            Self::Jsonl => "jsonl",
            Self::Conll => "conll",
            Self::Brat => "brat",
            Self::PubTator => "pubtator",
            Self::Text => "text",
        }
    }

    /// How the names of its files end.
    pub(super) fn extension(self) -> &'static str {
        match self {
            Self::JsonlTokens | Self::Jsonl => "jsonl",
            Self::Conll => "conll",
            Self::Brat => "",
            Self::PubTator => "pubtator.txt",
            Self::Text => "txt",
        }
    }

    /// The format that the name of an output asks for, if it does.
    pub fn of_name(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?.to_lowercase();
        let name = name.strip_suffix(".txt").filter(|stem| stem.contains('.')).unwrap_or(&name);
        let Some((_, extension)) = name.rsplit_once('.') else {
            return (!name.is_empty()).then_some(Self::Brat);
        };
        match extension {
            "jsonl" | "ndjson" | "json" => Some(Self::Jsonl),
            "conll" | "tsv" | "iob" | "iob2" | "bio" | "bioes" | "col" => Some(Self::Conll),
            "ann" => Some(Self::Brat),
            "pubtator" => Some(Self::PubTator),
            "txt" => Some(Self::Text),
            _ => None,
        }
    }

    /// The format of a file from its name and its first bytes; plain text where nothing says otherwise.
    pub fn guess(path: &Path, head: &[u8]) -> Self {
        let by_name = Self::of_name(path);
        if by_name == Some(Self::Brat) && path.extension().is_some()
            || by_name == Some(Self::Text) && path.with_extension("ann").is_file()
        {
            return Self::Brat;
        }
        let head = String::from_utf8_lossy(head);
        let head = head.trim_start_matches('\u{FEFF}');
        let Some(first) = head.lines().find(|line| !line.trim().is_empty()) else {
            return by_name.filter(|format| *format != Self::Brat).unwrap_or(Self::Text);
        };
        if first.trim_start().starts_with('{') {
            return Self::of_json(first);
        }
        if is_pubtator(first) {
            return Self::PubTator;
        }
        if looks_like_conll(head) {
            return Self::Conll;
        }
        by_name.filter(|format| *format != Self::Brat).unwrap_or(Self::Text)
    }

    fn of_json(line: &str) -> Self {
        let found = |key: &str| line.find(key).unwrap_or(usize::MAX);
        let has_text = match serde_json::from_str::<serde_json::Value>(line) {
            Ok(value) => value.get("text").is_some() || value.get("tokens").is_none(),
            Err(_) => found("\"text\"") <= found("\"tokens\""),
        };
        if has_text { Self::Jsonl } else { Self::JsonlTokens }
    }
}

impl FromStr for Format {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        Self::ALL.into_iter().find(|format| format.name() == name).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            Error::Setting(format!("format \"{name}\" is unknown: use one of {names}"))
        })
    }
}

fn is_pubtator(line: &str) -> bool {
    line.split_once('|').is_some_and(|(id, rest)| {
        !id.is_empty()
            && !id.contains(char::is_whitespace)
            && (rest.starts_with("t|") || rest.starts_with("a|"))
    })
}

/// Whether all lines of the first sentence end in a tag; a single line must have a tab to be believed.
fn looks_like_conll(head: &str) -> bool {
    if head.trim_start().starts_with("-DOCSTART-") {
        return true;
    }
    let sentence: Vec<&str> = head
        .lines()
        .skip_while(|line| {
            line.trim().is_empty() || (line.starts_with('#') && !line.contains('\t'))
        })
        .take_while(|line| !line.trim().is_empty())
        .take(50)
        .collect();
    // the last line may be cut off
    let whole = &sentence[..sentence.len().saturating_sub(1).max(1).min(sentence.len())];
    let tagged = |line: &&str| {
        let fields = columns(line);
        fields.len() > 1 && fields.last().is_some_and(|tag| is_tag(tag))
    };
    whole.iter().all(tagged)
        && whole.first().is_some_and(|line| sentence.len() > 1 || line.contains('\t'))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn content_decides_before_the_name() {
        let guess = |name: &str, head: &str| Format::guess(Path::new(name), head.as_bytes());
        assert_eq!(guess("a.jsonl", "\u{FEFF}{\"tokens\": [\"a\"]}"), Format::JsonlTokens);
        assert_eq!(guess("a.jsonl", "{\"entities\": [], \"text\": \"a\"}"), Format::Jsonl);
        assert_eq!(guess("a.jsonl", "{\"id\": 1, \"tokens\": [\"cut of"), Format::JsonlTokens);
        assert_eq!(guess("a.tsv", "IL-2\tB-DNA\ngene\tI-DNA\n\n"), Format::Conll);
        assert_eq!(guess("a.txt", "EU NNP B-NP I-ORG\nrejects VBZ B-VP O\n"), Format::Conll);
        assert_eq!(guess("a.conll", "-DOCSTART- -X- -X- O\n\nEU NNP B-NP I-ORG\n"), Format::Conll);
        assert_eq!(guess("train.txt", "\n101|t|A title\n101|a|An abstract\n"), Format::PubTator);
        assert_eq!(guess("a.txt", "Vitamin O\n"), Format::Text);
        assert_eq!(guess("notes", "Just a text.\n"), Format::Text);
        assert_eq!(guess("a.ann", "T1\tDNA 0 4\tIL-2\n"), Format::Brat);
        assert_eq!(guess("a.conll", "broken"), Format::Conll);
    }

    #[test]
    fn the_name_of_an_output_says_its_format() {
        let of = |name: &str| Format::of_name(Path::new(name));
        assert_eq!(of("x/out.jsonl"), Some(Format::Jsonl));
        assert_eq!(of("out.pubtator.txt"), Some(Format::PubTator));
        assert_eq!(of("folder/"), Some(Format::Brat));
        assert_eq!(of("out.xyz"), None);
    }

    #[test]
    fn names_are_read_and_unknown_ones_listed_against() {
        for format in Format::ALL {
            assert_eq!(format.name().parse::<Format>().unwrap(), format);
            assert_eq!(serde_json::to_value(format).unwrap(), format.name());
        }
        assert_eq!(
            "xml".parse::<Format>().unwrap_err().to_string(),
            "format \"xml\" is unknown: use one of jsonl, jsonl-tokens, conll, brat, pubtator, text"
        );
    }
}
