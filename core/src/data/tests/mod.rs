//! What every format shares: real corpora, bad input, and the way from each format to each other.
#![allow(clippy::unwrap_used)]

mod bad_input;
mod formats;
mod published;
mod round_trip;

use tempfile::TempDir;

use super::{Corpus, ReadOptions, read};

fn read_bytes(name: &str, bytes: &[u8], options: &ReadOptions) -> crate::Result<Corpus> {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    read(&path, options)
}

/// The message of the error that `text` gives as a file of that name, without the folder.
fn message(name: &str, text: impl AsRef<[u8]>) -> String {
    message_with(name, text, &ReadOptions::default())
}

fn message_with(name: &str, text: impl AsRef<[u8]>, options: &ReadOptions) -> String {
    let message = read_bytes(name, text.as_ref(), options).unwrap_err().to_string();
    message[message.find(name).unwrap()..].to_owned()
}
