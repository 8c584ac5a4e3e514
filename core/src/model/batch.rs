//! Rows of word pieces, padded to one length.

use std::ops::Range;

use burn::tensor::{Bool, Device, Int, Tensor, TensorData};

use crate::device::Selected;
use crate::head::Form;

/// One window of a document as the encoder reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Which document.
    pub document: usize,
    /// Which window of the document.
    pub window: usize,
    /// Ids of the word pieces, special tokens included.
    pub ids: Vec<u32>,
    /// What the tokens of `ids` are.
    pub layout: Layout,
}

/// What the tokens of a row are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Layout {
    /// The tokens that are text: neither special nor context.
    pub text: Range<usize>,
    /// The tokens of each word of the text, in order.
    pub words: Vec<Range<usize>>,
    /// What the head reads of each word, if it does.
    pub forms: Vec<Form>,
}

/// Rows on a device.
#[derive(Debug, Clone)]
pub struct Batch {
    /// `[rows, tokens]`.
    pub ids: Tensor<2, Int>,
    /// `[rows, tokens]`, true at real tokens; `None` when no row is padded.
    pub mask: Option<Tensor<2, Bool>>,
    /// Tokens of the longest row, rounded up.
    pub tokens: usize,
    /// Tokens of each row without padding.
    pub lengths: Vec<usize>,
    /// What they are.
    pub layouts: Vec<Layout>,
}

impl Batch {
    /// `rows` as a device likes them: padded to its granularity, and where a kernel is compiled for every number of
    /// rows that it meets, the first one repeated up to the next power of two.
    pub fn on(rows: &[&Row], pad: u32, limit: usize, selected: &Selected) -> Self {
        let Selected { device, granularity, .. } = selected;
        let mut rows = rows.to_vec();
        if *granularity > 1 {
            rows.resize(rows.len().next_power_of_two(), rows[0]);
        }
        Self::new(&rows, pad, *granularity, limit, device)
    }

    /// Pads `rows` to the longest, or to the next multiple of `granularity`, but never past `limit` tokens.
    pub fn new(rows: &[&Row], pad: u32, granularity: usize, limit: usize, device: &Device) -> Self {
        let longest = rows.iter().map(|row| row.ids.len()).max().unwrap_or(0);
        let tokens = longest.next_multiple_of(granularity).min(limit.max(longest));
        let shape = [rows.len(), tokens];
        let padded = |row: &&Row| -> Vec<i32> {
            let padding = std::iter::repeat_n(pad, tokens - row.ids.len());
            row.ids.iter().copied().chain(padding).map(|id| id as i32).collect()
        };
        let ids: Vec<i32> = rows.iter().flat_map(padded).collect();
        let mask = rows.iter().any(|row| row.ids.len() < tokens).then(|| {
            let real: Vec<bool> =
                rows.iter().flat_map(|row| (0..tokens).map(|at| at < row.ids.len())).collect();
            Tensor::from_data(TensorData::new(real, shape), device)
        });
        Self {
            ids: Tensor::from_data(TensorData::new(ids, shape), device),
            mask,
            tokens,
            lengths: rows.iter().map(|row| row.ids.len()).collect(),
            layouts: rows.iter().map(|row| row.layout.clone()).collect(),
        }
    }
}
