//! The way of prepared documents through a model, or through those of an ensemble, one forward pass at a time.

use std::borrow::Cow;

use super::ner::NerModel;
use super::passes::Passes;
use super::pipeline::{Pipeline, Prepared};
use crate::Result;
use crate::combine::meta::{Classifier, Filter};
use crate::combine::{majority, union};
use crate::data::Entity;
use crate::device::Selected;

/// Documents on their way through a model. Whoever drives it decides after every [`step`](Self::step) whether to go
/// on, reports progress, or lets other work run.
#[derive(Debug)]
pub struct Extraction<'a> {
    /// One after another; none once the classifier has what they found.
    members: Vec<Passes<'a>>,
    /// Whose turn it is.
    at: usize,
    ending: Ending<'a>,
    /// Windows of all members.
    windows: usize,
}

/// What becomes of what the members find.
#[derive(Debug)]
pub(crate) enum Ending<'a> {
    /// It is the result: there is one.
    Alone,
    /// See [`union`](fn@union).
    Union,
    /// See [`majority`](fn@majority).
    Majority,
    /// A classifier judges the union.
    Meta(Box<Judging<'a>>),
}

/// The classifier's part.
#[derive(Debug)]
pub(crate) struct Judging<'a> {
    pub classifier: &'a Classifier,
    pub texts: Vec<String>,
    pub threshold: Option<f32>,
    pub device: &'a Selected,
    pub tokens_per_pass: usize,
    /// Once the members are done.
    pub filter: Option<Filter<'a>>,
    /// How much of the whole work it counts for: as much as a member.
    pub share: usize,
}

impl Judging<'_> {
    /// How much of its share is done.
    fn done(&self) -> usize {
        match &self.filter {
            None => 0,
            Some(filter) if filter.total() == 0 => self.share,
            Some(filter) => self.share * filter.done() / filter.total(),
        }
    }
}

impl<'a> Extraction<'a> {
    /// The entities of `prepared` that exceed `threshold`, or the model's own.
    pub fn new(
        pipeline: &'a Pipeline,
        model: &'a NerModel,
        prepared: impl Into<Cow<'a, [Prepared]>>,
        threshold: Option<f32>,
        device: &'a Selected,
    ) -> Self {
        let passes = Passes::new(pipeline, model, prepared, threshold, device);
        Self::combined(vec![passes], Ending::Alone)
    }

    /// What `members` find in the same documents, combined.
    pub(crate) fn combined(members: Vec<Passes<'a>>, mut ending: Ending<'a>) -> Self {
        let windows = members.iter().map(Passes::total).sum();
        if let Ending::Meta(judging) = &mut ending {
            judging.share = windows / members.len().max(1);
        }
        Self { members, at: 0, ending, windows }
    }

    /// The same with at most `tokens` word pieces in a forward pass (but at least one window).
    pub fn with_tokens_per_pass(mut self, tokens: usize) -> Self {
        let members = self.members.into_iter();
        self.members = members.map(|passes| passes.with_tokens_per_pass(tokens)).collect();
        if let Ending::Meta(judging) = &mut self.ending {
            judging.tokens_per_pass = tokens;
        }
        self
    }

    /// How many windows of text there are, for all members together; a classifier's work counts as a member's.
    pub fn total(&self) -> usize {
        match &self.ending {
            Ending::Meta(judging) => self.windows + judging.share,
            _ => self.windows,
        }
    }

    /// How many windows of text are done.
    pub fn done(&self) -> usize {
        match &self.ending {
            Ending::Meta(judging) if judging.filter.is_some() => self.windows + judging.done(),
            _ => self.members.iter().map(Passes::done).sum(),
        }
    }

    /// One forward pass over the shortest windows that are left; false when none is.
    ///
    /// # Errors
    /// [`Error::Device`](crate::Error::Device) when the device fails.
    pub async fn step(&mut self) -> Result<bool> {
        if let Some(passes) = self.members.get_mut(self.at) {
            if passes.step().await? {
                return Ok(true);
            }
            self.at += 1;
            return Ok(self.at < self.members.len() || self.judge());
        }
        let Ending::Meta(judging) = &mut self.ending else { return Ok(false) };
        match &mut judging.filter {
            Some(filter) => filter.step().await,
            None => Ok(false),
        }
    }

    /// Hands what the members found to the classifier, if there is one; whether that has something to do.
    fn judge(&mut self) -> bool {
        let Ending::Meta(judging) = &mut self.ending else { return false };
        let candidates = each(std::mem::take(&mut self.members), union);
        let texts = std::mem::take(&mut judging.texts);
        let Judging { classifier, threshold, device, tokens_per_pass, .. } = **judging;
        let filter = Filter::new(classifier, texts, candidates, threshold, device)
            .with_tokens_per_pass(tokens_per_pass);
        let work = filter.total() > 0;
        judging.filter = Some(filter);
        work
    }

    /// The entities of each document so far: by start, longest first, then label; in UTF-8 bytes. A classifier that has
    /// not had its turn has let nothing pass.
    pub fn finish(mut self) -> Vec<Vec<Entity>> {
        match self.ending {
            Ending::Alone => self.members.pop().map(Passes::finish).unwrap_or_default(),
            Ending::Union => each(self.members, union),
            Ending::Majority => each(self.members, majority),
            Ending::Meta(judging) => match judging.filter {
                Some(filter) => filter.finish(),
                None => vec![Vec::new(); judging.texts.len()],
            },
        }
    }

    /// All steps on this thread. `done` hears how many windows are finished and may stop the work by returning false,
    /// which leaves the rest without entities.
    ///
    /// # Errors
    /// As [`step`](Self::step).
    ///
    /// # Panics
    /// In a browser, on a GPU: there is no thread to wait on.
    pub fn run(mut self, mut done: impl FnMut(usize) -> bool) -> Result<Vec<Vec<Entity>>> {
        while futures_lite::future::block_on(self.step())? && done(self.done()) {}
        Ok(self.finish())
    }
}

/// What members found in each document, combined.
fn each(members: Vec<Passes>, combine: fn(&[&[Entity]]) -> Vec<Entity>) -> Vec<Vec<Entity>> {
    let found: Vec<Vec<Vec<Entity>>> = members.into_iter().map(Passes::finish).collect();
    let documents = found.first().map_or(0, Vec::len);
    let of = |document: usize| {
        let systems: Vec<&[Entity]> =
            found.iter().map(|lists| lists[document].as_slice()).collect();
        combine(&systems)
    };
    (0..documents).map(of).collect()
}
