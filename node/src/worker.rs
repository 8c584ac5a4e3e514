//! The thread of a model. Short texts that wait go through it together; long ones go pass by pass, taking turns with
//! the short ones and with each other, so that nobody waits for a whole book.

use std::collections::{HashMap, VecDeque};

use futures_lite::future::block_on;
use innerspan::data::{Document, Entity};
use innerspan::model::Extraction;
use innerspan::recognizer::{ExtractOptions, Recognizer};
use innerspan::text::{OffsetMap, OffsetUnit};

use crate::event::{Event, tell};
use crate::failure::Failure;
use crate::queue::{Caller, Job, Queue};

/// UTF-8 bytes that go through the model together, about 4,000 word pieces. A text with more is a long one.
const TOGETHER: usize = 16 << 10;
/// Long texts that are split into windows at a time; the others wait as they are.
const LONG: usize = 4;
/// Word pieces in a forward pass of a long text, which is what a short one may have to wait for.
const LONG_PASS: usize = 1024;

/// Serves the queue until it is closed.
pub fn serve(recognizer: &Recognizer, queue: &Queue) {
    let mut turns = Turns::new(recognizer);
    while let Some(jobs) = queue.take(turns.idle()) {
        turns.add(jobs);
        turns.short_pass();
        turns.long_pass();
    }
    for caller in turns.callers() {
        tell(&caller.listener, Failure::disposed());
    }
}

/// Whose turn it is.
struct Turns<'a> {
    recognizer: &'a Recognizer,
    labels: HashMap<&'a str, u32>,
    short: VecDeque<Job>,
    long: VecDeque<Job>,
    together: Option<Group<'a>>,
    apart: VecDeque<Group<'a>>,
}

/// Texts that go through the model together.
struct Group<'a> {
    callers: Vec<Caller>,
    documents: Vec<Document>,
    threshold: Option<f32>,
    extraction: Extraction<'a>,
}

impl<'a> Turns<'a> {
    fn new(recognizer: &'a Recognizer) -> Self {
        Self {
            recognizer,
            labels: recognizer.labels().iter().zip(0..).collect(),
            short: VecDeque::new(),
            long: VecDeque::new(),
            together: None,
            apart: VecDeque::new(),
        }
    }

    fn idle(&self) -> bool {
        self.short.is_empty()
            && self.long.is_empty()
            && self.together.is_none()
            && self.apart.is_empty()
    }

    fn add(&mut self, jobs: Vec<Job>) {
        let (long, short): (Vec<_>, Vec<_>) =
            jobs.into_iter().partition(|job| job.text.len() > TOGETHER);
        self.short.extend(short);
        self.long.extend(long);
    }

    /// One forward pass of short texts.
    fn short_pass(&mut self) {
        let group = self.together.take().or_else(|| {
            let jobs = self.next_together();
            self.start(jobs)
        });
        self.together = group.and_then(|group| self.pass(group));
    }

    /// One forward pass of the long text whose turn it is.
    fn long_pass(&mut self) {
        while self.apart.len() < LONG
            && let Some(job) = self.long.pop_front()
        {
            let group = self.start(vec![job]);
            self.apart.extend(group);
        }
        let group = self.apart.pop_front().and_then(|group| self.pass(group));
        self.apart.extend(group);
    }

    /// The first of the short texts that wait, and those after it that fit and have the same threshold.
    fn next_together(&mut self) -> Vec<Job> {
        let mut jobs: Vec<Job> = Vec::new();
        let mut bytes = 0;
        while let Some(job) = self.short.pop_front() {
            let fits = bytes + job.text.len() <= TOGETHER;
            let same = jobs.first().is_none_or(|first| first.threshold == job.threshold);
            if !(jobs.is_empty() || fits && same) {
                self.short.push_front(job);
                break;
            }
            bytes += job.text.len();
            jobs.push(job);
        }
        jobs
    }

    /// Splits the texts of jobs into windows; none if nobody wants them any more.
    fn start(&mut self, mut jobs: Vec<Job>) -> Option<Group<'a>> {
        for job in jobs.extract_if(.., |job| job.caller.stop.stopped()) {
            tell(&job.caller.listener, Failure::aborted());
        }
        let threshold = jobs.first()?.threshold;
        let alone = jobs.len() == 1;
        let (callers, documents): (Vec<_>, Vec<_>) = jobs
            .into_iter()
            .map(|Job { text, caller, .. }| (caller, Document { text, ..Document::default() }))
            .unzip();
        let recognizer = self.recognizer;
        let started =
            Failure::catch(|| Ok(recognizer.start(&documents, &ExtractOptions { threshold })?));
        match started {
            Ok(extraction) => {
                let extraction = match alone {
                    true => extraction.with_tokens_per_pass(LONG_PASS),
                    false => extraction,
                };
                Some(Group { callers, documents, threshold, extraction })
            }
            Err(failure) => {
                self.fail(callers, documents, threshold, failure);
                None
            }
        }
    }

    /// One forward pass of a group; the group, if it is not finished.
    fn pass(&mut self, mut group: Group<'a>) -> Option<Group<'a>> {
        if group.callers.iter().all(|caller| caller.stop.stopped()) {
            for caller in &group.callers {
                tell(&caller.listener, Failure::aborted());
            }
            return None;
        }
        match Failure::catch(|| Ok(block_on(group.extraction.step())?)) {
            Ok(more) => {
                if let [caller] = group.callers.as_slice() {
                    let (done, total) = (group.extraction.done(), group.extraction.total());
                    tell(
                        &caller.listener,
                        Event::Windows { done: done as u32, total: total as u32 },
                    );
                }
                if more {
                    return Some(group);
                }
                let found = group.extraction.finish();
                for ((caller, document), entities) in
                    group.callers.iter().zip(&group.documents).zip(found)
                {
                    tell(&caller.listener, self.found(&document.text, &entities));
                }
            }
            Err(failure) => self.fail(group.callers, group.documents, group.threshold, failure),
        }
        None
    }

    /// Tells of a failure; where several texts went together, each gets another try by itself.
    fn fail(
        &mut self,
        callers: Vec<Caller>,
        documents: Vec<Document>,
        threshold: Option<f32>,
        failure: Failure,
    ) {
        if let [caller] = callers.as_slice() {
            tell(&caller.listener, failure);
            return;
        }
        let job =
            |(caller, document): (_, Document)| Job { text: document.text, threshold, caller };
        self.long.extend(callers.into_iter().zip(documents).map(job));
    }

    fn found(&self, text: &str, entities: &[Entity]) -> Event {
        let offsets = OffsetMap::new(text, OffsetUnit::Utf16);
        let offset = |byte| offsets.from_byte(byte) as u32;
        let label = |entity: &Entity| self.labels.get(entity.label.as_str()).copied().unwrap_or(0);
        let spans: Vec<u32> = entities
            .iter()
            .flat_map(|entity| [offset(entity.start), offset(entity.end), label(entity)])
            .collect();
        let scores: Vec<f32> = entities.iter().map(|entity| entity.score.unwrap_or(1.0)).collect();
        Event::Found { spans: spans.into(), scores: scores.into() }
    }

    /// Everyone who still waits.
    fn callers(self) -> impl Iterator<Item = Caller> {
        let jobs = self.short.into_iter().chain(self.long).map(|job| job.caller);
        jobs.chain(self.together.into_iter().chain(self.apart).flat_map(|group| group.callers))
    }
}
