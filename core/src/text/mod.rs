//! Text as models see it: word pieces with exact offsets, words, windows.

mod align;
mod marks;
mod offsets;
mod tokenizer;
mod window;
mod words;

pub use align::Alignment;
pub use offsets::{OffsetMap, OffsetUnit};
#[cfg(panic = "abort")]
pub use tokenizer::guarded_file;
pub use tokenizer::{Pieces, Tokenizer};
pub use window::windows;
pub use words::{is_word_end, is_word_start, split_words};
