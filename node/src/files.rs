//! The files of a model that JavaScript already has in memory.

use std::collections::{BTreeMap, TryReserveError};

use napi::bindgen_prelude::{Error, Result, Status, Uint8Array};
use napi_derive::napi;

/// Files that are copied piece by piece, so that JavaScript's thread can do other things in between.
#[napi]
#[derive(Default)]
pub struct Files {
    files: BTreeMap<String, Vec<u8>>,
}

#[napi]
impl Files {
    /// No files.
    #[napi(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes room for a file of so many bytes. It fails where there is none.
    #[napi]
    pub fn begin(&mut self, name: String, bytes: f64) -> Result<()> {
        let mut file = Vec::new();
        file.try_reserve_exact(bytes as usize).map_err(full)?;
        self.files.insert(name, file);
        Ok(())
    }

    /// Appends a piece to a file that was begun. It fails where there is no room.
    #[napi]
    pub fn append(&mut self, name: String, piece: Uint8Array) -> Result<()> {
        if let Some(file) = self.files.get_mut(&name) {
            file.try_reserve(piece.len()).map_err(full)?;
            file.extend_from_slice(&piece);
        }
        Ok(())
    }
}

fn full(error: TryReserveError) -> Error {
    Error::new(Status::GenericFailure, error.to_string())
}

impl Files {
    pub fn take(&mut self) -> BTreeMap<String, Vec<u8>> {
        std::mem::take(&mut self.files)
    }
}
