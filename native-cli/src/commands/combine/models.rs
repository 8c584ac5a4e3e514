//! Model folders in, an ensemble's folder out.

use std::collections::HashSet;
use std::path::Path;

use innerspan::Error;
use innerspan::combine::meta::{Classifier, Filter, MetaRun, train_classifier};
use innerspan::combine::{
    Method, common_labels, kept_predictions, refuse_full, union, write_ensemble,
};
use innerspan::data::{Document, LabelSet};
use innerspan::device::Selected;
use innerspan::model::source::ModelSource;
use innerspan::model::weights::Precision;
use innerspan::recognizer::Recognizer;

use super::Combine;
use super::scores::{Scores, combined};
use crate::commands::evaluate::recognise;
use crate::commands::train::{encoder_source, stop_flag};
use crate::commands::{device, print, print_json};
use crate::corpus;
use crate::failure::Failure;
use crate::progress::Reporter;
use crate::stderr;

/// A classifier and what it learnt from.
struct Learnt {
    classifier: Classifier,
    texts: HashSet<String>,
}

impl Combine {
    pub(super) fn models(&self) -> Result<(), Failure> {
        if self.gold.is_some() {
            return Err(Failure::usage(
                "--gold is for prediction files, and model folders are given",
            )
            .hint("--test scores models"));
        }
        let out = match (&self.out, &self.test) {
            (None, None) => {
                return Err(Failure::usage("--out is missing: the folder of the ensemble"));
            }
            (None, Some(_)) if self.method == Method::Meta => {
                return Err(Failure::usage(
                    "--out is missing: the folder of the ensemble with its classifier",
                ));
            }
            (out, _) => out.as_deref(),
        };
        let labels = common_labels(&self.systems)?;
        out.map(refuse_full).transpose()?;
        let test = self.test.as_ref().map(|path| corpus::load(path, &self.reading)).transpose()?;
        let learns = self.method == Method::Meta;
        let selected = (learns || test.is_some()).then(|| device(self.device)).transpose()?;
        let learnt = match &selected {
            Some(selected) if learns => Some(self.learn(&labels, selected)?),
            _ => None,
        };
        if let Some(out) = out {
            let classifier = learnt.as_ref().map(|learnt| &learnt.classifier);
            write_ensemble(out, self.method, &self.systems, classifier)?;
            stderr::say(format!("{} models in {}", self.systems.len(), out.display()));
        }
        match (test, selected) {
            (Some(test), Some(selected)) => self.score(&test, learnt.as_ref(), &selected),
            _ => Ok(()),
        }
    }

    /// Trains the classifier.
    fn learn(&self, labels: &LabelSet, selected: &Selected) -> Result<Learnt, Failure> {
        let settings = self.meta.settings();
        settings.check().map_err(|error| Failure::usage(error.to_string()))?;
        let missing = |option: &str, what: &str| {
            Failure::usage(format!("--{option} is missing: {what}, for the method meta"))
        };
        let (Some(data), encoder) = (&self.meta.data, self.meta.encoder.as_ref()) else {
            return Err(missing("data", "annotated text that was --dev of all models"));
        };
        let encoder =
            encoder.ok_or_else(|| missing("encoder", "what the classifier is made from"))?;
        let mut gold = corpus::load(data, &self.reading)?;
        let name = data.display().to_string();
        let mut predictions = Vec::new();
        for model in &self.systems {
            predictions.extend(kept_predictions(model, (&name, &gold))?);
        }
        if let Some(path) = &self.meta.train {
            gold.extend(corpus::load(path, &self.reading)?);
        }
        let run = MetaRun {
            settings: &settings,
            gold: &gold,
            predictions: &predictions,
            labels,
            encoder: encoder_source(encoder)?,
            device: selected,
        };
        let stop = stop_flag("stopping after this step; Ctrl-C again aborts at once")?;
        let mut reporter = Reporter::new();
        let trained = train_classifier(&run, &mut |progress| reporter.show(progress), &stop);
        reporter.finish();
        let classifier = trained.map_err(|error| match error {
            Error::Interrupted => Failure::stopped("stopped; nothing was written")
                .hint("the same command trains the classifier from the beginning"),
            error => error.into(),
        })?;
        if let Some(facts) = classifier.facts() {
            stderr::say(format!(
                "epoch {} is the best: it judges {:.2} % of the held-out candidates rightly, of which {:.2} % are correct",
                facts.epoch,
                100.0 * facts.accuracy,
                100.0 * facts.held_out_correct
            ));
        }
        let texts = gold.into_iter().map(|document| document.text).collect();
        Ok(Learnt { classifier, texts })
    }

    /// Scores every model and every combination on the same text.
    fn score(
        &self,
        test: &[Document],
        learnt: Option<&Learnt>,
        selected: &Selected,
    ) -> Result<(), Failure> {
        if let Some(Learnt { texts, .. }) = learnt {
            let known = test.iter().filter(|document| texts.contains(&document.text)).count();
            if known > 0 {
                stderr::say(format!(
                    "note: {known} of the {} texts of --test are in --data or --train, which the classifier learnt from: its scores here are too good",
                    test.len()
                ));
            }
        }
        let mut systems = Vec::new();
        for path in &self.systems {
            let source = ModelSource::folder(path);
            let model = Recognizer::load(&source, Precision::F32, selected)?;
            systems.push((shown(path), recognise(&model, test, None)?.predicted));
        }
        let mut scores = Scores::of(test, &systems);
        if let Some(Learnt { classifier, .. }) = learnt {
            let lists: Vec<&[Document]> = systems.iter().map(|(_, list)| list.as_slice()).collect();
            let (texts, candidates): (Vec<String>, Vec<_>) = combined(&lists, union)
                .into_iter()
                .map(|document| (document.text, document.entities))
                .unzip();
            let kept = Filter::new(classifier, texts, candidates, None, selected).run()?;
            let judged = test.iter().zip(kept);
            let judged: Vec<Document> = judged
                .map(|(document, entities)| Document { entities, ..document.clone() })
                .collect();
            scores.add("meta", &judged);
        }
        if self.json { print_json(&scores.json()) } else { print(scores.text()) }
    }
}

/// How the table names a model.
fn shown(path: &Path) -> String {
    path.display().to_string()
}
