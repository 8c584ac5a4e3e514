//! Tags of tokens that say where entities lie: IOB1, IOB2, BIOES and BILOU.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::lines::shown;
use crate::Error;

/// What an `I-` tag without one before it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// Entities begin with `I-`; `B-` only right after another entity of the type.
    Iob1,
    /// Entities begin with `B-`; so they do in BIOES and BILOU, where those of one token are `S-` or `U-`.
    Iob2,
}

impl FromStr for Scheme {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        match name {
            "iob1" => Ok(Self::Iob1),
            "iob2" | "bio" | "bioes" | "bilou" => Ok(Self::Iob2),
            _ => Err(Error::Setting(format!(
                "scheme \"{name}\" is unknown: use iob1, iob2, bioes or bilou"
            ))),
        }
    }
}

/// Whether a field can be a tag: `O`, or a prefix that some scheme has, `-` and a type.
pub(super) fn is_tag(field: &str) -> bool {
    split(field).is_ok()
}

/// Prefix and type of a tag; `None` outside entities.
pub(super) fn split(tag: &str) -> Result<Option<(char, &str)>, String> {
    if tag == "O" {
        return Ok(None);
    }
    match tag.split_once('-') {
        Some((prefix @ ("B" | "I" | "E" | "L" | "S" | "U"), label)) if !label.is_empty() => {
            Ok(prefix.chars().next().map(|prefix| (prefix, label)))
        }
        _ => Err(format!(
            "unknown tag {}: expected O, or a type after B-, I-, E-, L-, S- or U-",
            shown(tag)
        )),
    }
}

/// The entities of one tag column, as first token, end and type.
pub(super) struct Layer {
    scheme: Scheme,
    open: Option<(usize, String)>,
    found: Vec<(usize, usize, String)>,
}

impl Layer {
    pub fn new(scheme: Scheme) -> Self {
        Self { scheme, open: None, found: Vec::new() }
    }

    /// Reads the tag of token `at`.
    pub fn push(&mut self, at: usize, tag: &str) -> Result<(), String> {
        let Some((prefix, label)) = split(tag)? else {
            self.close(at);
            return Ok(());
        };
        let continues = self.open.as_ref().is_some_and(|(_, open)| open == label);
        let begins = matches!(prefix, 'B' | 'S' | 'U');
        if begins || !continues {
            if !begins && self.scheme == Scheme::Iob2 {
                let before = match &self.open {
                    Some((_, open)) => format!("the entity before it is of type {open}"),
                    None => "no entity is open".to_owned(),
                };
                return Err(format!("{tag} without a B-{label} before it: {before}"));
            }
            self.close(at);
            self.open = Some((at, label.to_owned()));
        }
        if matches!(prefix, 'S' | 'U' | 'E' | 'L') {
            self.close(at + 1);
        }
        Ok(())
    }

    fn close(&mut self, end: usize) {
        if let Some((start, label)) = self.open.take() {
            self.found.push((start, end, label));
        }
    }

    /// The entities of a sentence of `end` tokens.
    pub fn finish(mut self, end: usize) -> Vec<(usize, usize, String)> {
        self.close(end);
        self.found
    }
}
