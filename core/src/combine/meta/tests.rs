//! The classifier as a whole: its folder, and that it learns.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::sync::atomic::AtomicBool;

use futures_lite::future::block_on;

use super::filter::probabilities;
use super::train::start;
use super::*;
use crate::combine::system;
use crate::data::{Document, LabelSet};
use crate::device::cpu;
use crate::model::source::ModelSource;
use crate::model::weights::{Checkpoint, Precision};
use crate::model::{Batch, Row};
use crate::train::EncoderSource;
use crate::{Error, Result};

/// "<name> of <place> …": the name is a person, and both members take the place for one, too.
fn corpus() -> (Vec<Document>, Vec<Vec<Document>>) {
    let mut gold = Vec::new();
    for name in ["Ada", "Bela", "Dora", "Egon", "Fritz"] {
        for place in ["Riga", "Ulm", "Basel", "Trier"] {
            let text = format!("Yesterday {name} of {place} wrote a letter.");
            let entities = system(&[(10, 10 + name.len(), "PERSON", 1.0)]);
            gold.push(Document { text, entities, ..Document::default() });
        }
    }
    let predicted = |document: &Document| {
        let start = document.text.find(" of ").unwrap() + 4;
        let end = document.text.find(" wrote").unwrap();
        let entities = system(&[(10, start - 4, "PERSON", 0.9), (start, end, "PERSON", 0.6)]);
        Document { entities, ..document.clone() }
    };
    let predictions = gold.iter().map(predicted).collect();
    (gold, vec![predictions])
}

fn settings() -> MetaSettings {
    MetaSettings {
        epochs: 30,
        batch_size: 4,
        lr: 1e-3,
        head_lr: 2e-3,
        patience: 0,
        max_length: 32,
        ..MetaSettings::default()
    }
}

fn train(
    settings: &MetaSettings,
    gold: &[Document],
    predictions: &[Vec<Document>],
    stop: bool,
) -> Result<Classifier> {
    let (device, labels) = (cpu(), LabelSet::from_documents(&corpus().0));
    let encoder = EncoderSource::Tiny;
    let run = MetaRun { settings, gold, predictions, labels: &labels, encoder, device: &device };
    train_classifier(&run, &mut |_| (), &AtomicBool::new(stop))
}

/// The probabilities of two candidates of one text.
fn judged(classifier: &Classifier) -> Vec<f32> {
    let text = "Yesterday Ada of Riga wrote a letter.";
    let candidates = system(&[(10, 13, "PERSON", 0.9), (17, 21, "PERSON", 0.9)]);
    let rows: Vec<Row> = candidates
        .iter()
        .map(|entity| classifier.prompt().row(0, 0, text, entity).unwrap())
        .collect();
    let refs: Vec<&Row> = rows.iter().collect();
    let batch = Batch::on(&refs, classifier.tokenizer.pad_id(), 512, &cpu());
    block_on(probabilities(&classifier.network, &batch)).unwrap()
}

#[test]
fn it_learns_which_candidates_are_wrong_and_keeps_the_others() {
    let (gold, predictions) = corpus();
    let classifier = train(&settings(), &gold, &predictions, false).unwrap();
    let facts = classifier.facts().unwrap();
    // 15 % of 20 sentences are held out, each with one right and one wrong candidate
    assert_eq!((facts.correct, facts.incorrect, facts.held_out), (17, 17, 6));
    assert_eq!((facts.accuracy, facts.held_out_correct), (1.0, 0.5));

    let device = cpu();
    let texts: Vec<String> = gold.iter().map(|document| document.text.clone()).collect();
    let kept = |threshold| {
        let candidates = predictions[0].iter().map(|document| document.entities.clone()).collect();
        Filter::new(&classifier, texts.clone(), candidates, threshold, &device).run().unwrap()
    };
    for (kept, gold) in kept(None).iter().zip(&gold) {
        assert_eq!(kept.len(), 1, "{kept:?}");
        assert_eq!((kept[0].start, kept[0].end), (gold.entities[0].start, gold.entities[0].end));
        // the score is the probability of being correct, not the member's
        assert!(kept[0].score.is_some_and(|score| score > 0.5 && score <= 1.0), "{kept:?}");
    }
    assert!(kept(Some(0.0)).iter().all(|entities| entities.len() == 2));
    assert!(kept(Some(1.0)).iter().all(Vec::is_empty));
}

#[test]
fn the_same_seed_gives_the_same_classifier() {
    let (gold, predictions) = corpus();
    let one_epoch = MetaSettings { epochs: 1, ..settings() };
    let train = |seed| {
        let settings = MetaSettings { seed, ..one_epoch.clone() };
        judged(&train(&settings, &gold, &predictions, false).unwrap())
    };
    assert_eq!(train(1), train(1));
    assert_ne!(train(1), train(2));
}

#[test]
fn an_encoder_with_two_more_tokens_is_saved_and_loaded_in_every_precision() {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/conformance/models");
    for name in ["bert", "roberta"] {
        let source = ModelSource::folder(models.join(name));
        let published = crate::encoder::EncoderConfig::read(&source).unwrap();
        let (gold, predictions) = corpus();
        let (device, labels) = (cpu(), LabelSet::from_documents(&gold));
        let run = MetaRun {
            settings: &settings(),
            gold: &gold,
            predictions: &predictions,
            labels: &labels,
            encoder: EncoderSource::Pretrained(source.clone()),
            device: &device,
        };
        let classifier = start(&run).unwrap();
        let [open, close] = classifier.markers;
        assert_eq!(close, open + 1);
        assert_eq!(classifier.encoder.vocab_size, close as usize + 1);
        assert!(classifier.encoder.vocab_size > published.vocab_size);

        let folder = tempfile::tempdir().unwrap();
        classifier.write(folder.path()).unwrap();
        let written = ModelSource::folder(folder.path());
        let words = |source: &ModelSource| {
            let key = "embeddings.word_embeddings.weight";
            Checkpoint::open(source).unwrap().read(key).unwrap()
        };
        let (old, new) = (words(&source), words(&written));
        assert_eq!(new[..old.len()], old, "published embeddings changed");
        let fresh = &new[old.len()..];
        assert_eq!(fresh.len(), 2 * published.embedding_size);
        let (first, second) = fresh.split_at(published.embedding_size);
        assert!(first != second && fresh.iter().all(|x| *x != 0.0 && x.abs() < 0.2), "{fresh:?}");

        let expected = judged(&classifier);
        for (precision, tolerance) in
            [(Precision::F32, 1e-6), (Precision::F16, 1e-2), (Precision::Q8, 5e-2)]
        {
            classifier.write_weights(folder.path(), precision).unwrap();
            let loaded = Classifier::load(&written, precision, &device.device).unwrap();
            assert_eq!(loaded.markers, classifier.markers);
            for (found, expected) in judged(&loaded).iter().zip(&expected) {
                assert!((found - expected).abs() < tolerance, "{precision}: {found} {expected}");
            }
        }
    }
}

#[test]
fn what_cannot_be_learnt_from_is_said() {
    let (gold, predictions) = corpus();
    let message = |gold: &[Document], predictions: &[Vec<Document>]| {
        train(&settings(), gold, predictions, false).unwrap_err().to_string()
    };
    assert!(message(&gold, &[]).contains("there are 20 and 0"));
    let empty: Vec<Document> =
        gold.iter().map(|document| Document { entities: Vec::new(), ..document.clone() }).collect();
    assert!(message(&empty, std::slice::from_ref(&empty)).contains("there are 0 and 0"));
    let one = [predictions[0][..1].to_vec()];
    assert!(message(&gold[..1], &one).contains("in one sentence"));
}

#[test]
fn a_stop_ends_it_with_nothing() {
    let (gold, predictions) = corpus();
    let stopped = train(&settings(), &gold, &predictions, true);
    assert!(matches!(stopped, Err(Error::Interrupted)));
}

#[test]
fn settings_that_cannot_work_are_refused() {
    let refusal = |settings: MetaSettings| settings.check().unwrap_err().to_string();
    let usual = MetaSettings::default;
    assert!(refusal(MetaSettings { epochs: 0, ..usual() }).contains("epochs is 0"));
    assert!(refusal(MetaSettings { batch_size: 0, ..usual() }).contains("batch-size is 0"));
    assert!(refusal(MetaSettings { lr: f64::NAN, ..usual() }).contains("lr is NaN"));
    assert!(refusal(MetaSettings { max_length: 3, ..usual() }).contains("max-length is 3"));
    usual().check().unwrap();
}
