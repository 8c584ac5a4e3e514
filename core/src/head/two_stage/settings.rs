//! What the two-stage head looks at, how it is trained and how it decodes.

use serde::{Deserialize, Serialize};

use super::WordList;

/// Longest seed, in words.
const LONGEST_SEED: usize = 512;

/// The settings of the two-stage head, named with the symbols of Locate and Label. Defaults are those that its authors
/// use for GENIA, with losses that are means.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct TwoStageSettings {
    /// Words of the spans that are looked at; recognition looks at every length up to the longest of them.
    pub seed_lengths: Vec<usize>,
    /// α₁: a seed belongs to a gold span if their intersection over union exceeds this.
    pub pair_iou: f64,
    /// Seeds without an entity per seed with one, in training; two more for each sentence.
    pub negatives: usize,
    /// α₂: an adjusted seed has the class of its gold span from this intersection over union on.
    pub class_iou: f64,
    /// η: the power of the weights of partial matches; 0 for no weights.
    pub soft: f64,
    /// γ of the filter's focal loss.
    pub filter_gamma: f64,
    /// γ of the classifier's loss; 0 for cross-entropy.
    pub classifier_gamma: f64,
    /// λ₁.
    pub filter_weight: f64,
    /// λ₂.
    pub regressor_weight: f64,
    /// λ₃.
    pub classifier_weight: f64,
    /// Dropout of what filter, regressor and classifier read.
    pub head_dropout: f64,
    /// The filter keeps seeds of a probability above this.
    pub filter_threshold: f64,
    /// u of Soft-NMS: what multiplies the score of a span that overlaps a better one.
    pub decay: f64,
    /// k of Soft-NMS: the intersection over union from which it does.
    pub decay_iou: f64,
    /// Whether a span that crosses a better one is dropped.
    pub drop_crossing: bool,
    /// Whether a BiLSTM runs over the words.
    pub bilstm: bool,
    /// Units of a BiLSTM over the characters of a word, each way; 0 for none.
    pub char_size: usize,
    /// Word pieces of the neighbouring sentences of a corpus that the encoder reads on either side; 0 for none.
    pub context: usize,
    /// The words that have a static vector; training finds out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub word_list: Option<WordList>,
}

impl Default for TwoStageSettings {
    fn default() -> Self {
        Self {
            seed_lengths: (1..=11).collect(),
            pair_iou: 0.7,
            negatives: 5,
            class_iou: 1.0,
            soft: 1.0,
            filter_gamma: 2.0,
            classifier_gamma: 0.0,
            filter_weight: 1.0,
            regressor_weight: 0.1,
            classifier_weight: 1.0,
            head_dropout: 0.5,
            filter_threshold: 1.0 / 6.0,
            decay: 0.9,
            decay_iou: 0.7,
            drop_crossing: false,
            bilstm: false,
            char_size: 0,
            context: 0,
            word_list: None,
        }
    }
}

impl TwoStageSettings {
    /// Words of the longest seed.
    pub fn longest_seed(&self) -> usize {
        self.seed_lengths.iter().copied().max().unwrap_or(1)
    }

    /// Whether it reads more of words than the encoder's states.
    pub fn any_feature(&self) -> bool {
        self.bilstm || self.reads_words()
    }

    /// Whether it reads the letters of words.
    pub fn reads_words(&self) -> bool {
        self.char_size > 0 || self.word_list.is_some()
    }

    /// What cannot be, in words.
    ///
    /// # Errors
    /// A value out of its range, or no seed length.
    pub fn check(&self) -> Result<(), String> {
        let lengths = &self.seed_lengths;
        if lengths.is_empty() || lengths.len() > LONGEST_SEED {
            return Err(format!("{} seed-lengths; 1 to {LONGEST_SEED} make sense", lengths.len()));
        }
        if let Some(length) = lengths.iter().find(|length| !(1..=LONGEST_SEED).contains(*length)) {
            return Err(format!("a seed of {length} words; 1 to {LONGEST_SEED} make sense"));
        }
        if self.char_size > 1024 {
            return Err(format!("char-size is {}: give at most 1024", self.char_size));
        }
        if self.context > 4096 {
            return Err(format!("context is {}: give at most 4096", self.context));
        }
        if self.negatives > 1000 {
            return Err(format!("negatives is {}: give at most 1000", self.negatives));
        }
        for (name, value, high) in [
            ("pair-iou", self.pair_iou, 1.0),
            ("class-iou", self.class_iou, 1.0),
            ("soft", self.soft, 10.0),
            ("filter-gamma", self.filter_gamma, 10.0),
            ("classifier-gamma", self.classifier_gamma, 10.0),
            ("filter-weight", self.filter_weight, 1e3),
            ("regressor-weight", self.regressor_weight, 1e3),
            ("classifier-weight", self.classifier_weight, 1e3),
            ("head-dropout", self.head_dropout, 0.99),
            ("filter-threshold", self.filter_threshold, 1.0),
            ("decay", self.decay, 1.0),
            ("decay-iou", self.decay_iou, 1.0),
        ] {
            if !(0.0..=high).contains(&value) {
                return Err(format!("{name} is {value}: give a number from 0 to {high}"));
            }
        }
        Ok(())
    }
}
