#![allow(clippy::unwrap_used, missing_docs)]
//! Training as a user meets it: a folder comes out that recognises what it was taught, whatever interrupts the run.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use innerspan::data::{Document, Entity};
use innerspan::device::{DeviceChoice, Selected, cpu, select};
use innerspan::head::HeadKind;
use innerspan::loss::LossKind;
use innerspan::model::source::ModelSource;
use innerspan::model::weights::Precision;
use innerspan::progress::Progress;
use innerspan::recognizer::{ExtractOptions, Recognizer};
use innerspan::train::{
    EncoderSource, METRICS_FILE, Outcome, Run, SETTINGS_FILE, TrainSettings, train,
};
use innerspan::{Error, Result};

/// "<name> of <place> …" is a person that contains a place.
fn corpus() -> Vec<Document> {
    let names = ["Ada", "Bela", "Émile", "Dora", "Egon", "Fritz"];
    let places = ["Riga", "Ulm", "Łódź", "Basel", "Trier"];
    let mut documents = Vec::new();
    for (i, name) in names.iter().enumerate() {
        for (j, place) in places.iter().enumerate() {
            let person = format!("{name} of {place}");
            let text = if (i + j) % 2 == 0 {
                format!("Yesterday {person} wrote a long letter.")
            } else {
                format!("The letter was read by {person} at noon.")
            };
            let start = text.find(&person).unwrap();
            let end = start + person.len();
            let entity =
                |start, end, label: &str| Entity { start, end, label: label.into(), score: None };
            let entities =
                vec![entity(start, end, "PERSON"), entity(end - place.len(), end, "PLACE")];
            documents.push(Document { text, entities, ..Document::default() });
        }
    }
    documents
}

fn settings() -> TrainSettings {
    TrainSettings {
        epochs: 3,
        batch_size: 4,
        lr: 1e-3,
        head_lr: 2e-3,
        head_size: 16,
        max_length: 64,
        stride: 8,
        ..TrainSettings::default()
    }
}

fn run(
    settings: &TrainSettings,
    out: &Path,
    resume: bool,
    device: &Selected,
    stop_at: Option<usize>,
) -> Result<Outcome> {
    run_on(&corpus(), settings, out, resume, device, stop_at)
}

fn run_on(
    documents: &[Document],
    settings: &TrainSettings,
    out: &Path,
    resume: bool,
    device: &Selected,
    stop_at: Option<usize>,
) -> Result<Outcome> {
    let stop = AtomicBool::new(false);
    let mut steps = 0;
    let mut progress = |event: Progress| {
        if let Progress::Step { .. } = event {
            steps += 1;
            if Some(steps) == stop_at {
                stop.store(true, Ordering::Relaxed);
            }
        }
    };
    let run = Run {
        settings,
        train: documents,
        dev: documents,
        encoder: EncoderSource::Tiny,
        encoder_name: "tiny",
        out,
        resume,
        device,
    };
    train(&run, &mut progress, &stop)
}

fn weights(folder: &Path) -> Vec<u8> {
    std::fs::read(folder.join("model.safetensors")).unwrap()
}

#[test]
fn a_small_corpus_is_learnt_and_the_folder_recognises_it() {
    for (head, loss) in [
        (HeadKind::GlobalPointer, LossKind::Zlpr),
        (HeadKind::EfficientGlobalPointer, LossKind::Zlpr),
        (HeadKind::GlobalPointer, LossKind::EiouEmc),
        (HeadKind::SpanClassifier, LossKind::Zlpr),
    ] {
        let out = tempfile::tempdir().unwrap();
        let mut settings = TrainSettings { epochs: 12, head, ..settings() };
        settings.loss.kind = loss;
        let outcome = run(&settings, out.path(), false, &cpu(), None).unwrap();
        assert!(outcome.best.f1 > 0.95, "{head:?} {loss:?}: {:?}", outcome.curve);

        let recognizer =
            Recognizer::load(&ModelSource::folder(out.path()), Precision::F32, &cpu()).unwrap();
        let text = "Yesterday Dora of Łódź wrote a long letter.";
        let found = recognizer.extract(text, &ExtractOptions::default()).unwrap();
        let found: Vec<(&str, &str)> =
            found.iter().map(|e| (&text[e.start..e.end], e.label.as_str())).collect();
        assert_eq!(found, [("Dora of Łódź", "PERSON"), ("Łódź", "PLACE")], "{head:?} {loss:?}");
        for file in ["config.json", "tokenizer.json", "README.md", SETTINGS_FILE, METRICS_FILE] {
            assert!(out.path().join(file).is_file(), "{file}");
        }
        assert!(!out.path().join("checkpoint.json").exists());
    }
}

#[test]
fn a_tagger_learns_outer_entities_and_says_what_it_cannot_express() {
    for head in [HeadKind::Tagger, HeadKind::Crf] {
        let out = tempfile::tempdir().unwrap();
        let settings = TrainSettings { epochs: 12, head, ..settings() };
        let mut notes = Vec::new();
        let mut progress = |event: Progress| {
            if let Progress::Note { message } = event {
                notes.push(message);
            }
        };
        let documents = corpus();
        let run = Run {
            settings: &settings,
            train: &documents,
            dev: &documents,
            encoder: EncoderSource::Tiny,
            encoder_name: "tiny",
            out: out.path(),
            resume: false,
            device: &cpu(),
        };
        let outcome = train(&run, &mut progress, &AtomicBool::new(false)).unwrap();
        // each of the 30 persons holds a place
        assert!(notes[0].starts_with("30 entities of the training data cannot"), "{notes:?}");
        assert!(outcome.report.strict.precision() > 0.95, "{head:?}: {:?}", outcome.curve);
        assert!(
            outcome.report.per_label["PERSON"].recall() > 0.95,
            "{head:?}: {:?}",
            outcome.curve
        );
    }
}

#[test]
fn a_loss_of_spans_is_refused_for_a_head_of_tags() {
    let out = tempfile::tempdir().unwrap();
    let mut settings = TrainSettings { head: HeadKind::Tagger, ..settings() };
    settings.loss.kind = LossKind::EiouEmc;
    let message = run(&settings, out.path(), false, &cpu(), None).unwrap_err().to_string();
    assert!(message.contains("eiou-emc needs a head that scores every span"), "{message}");
}

#[test]
fn the_same_seed_gives_the_same_model_and_another_seed_another() {
    let folders: Vec<_> = (0..3).map(|_| tempfile::tempdir().unwrap()).collect();
    for (folder, seed) in folders.iter().zip([7, 7, 8]) {
        run(&TrainSettings { seed, ..settings() }, folder.path(), false, &cpu(), None).unwrap();
    }
    assert!(weights(folders[0].path()) == weights(folders[1].path()));
    assert!(weights(folders[0].path()) != weights(folders[2].path()));
}

#[test]
fn a_stopped_run_goes_on_as_if_it_had_never_stopped() {
    let whole = tempfile::tempdir().unwrap();
    let expected = run(&settings(), whole.path(), false, &cpu(), None).unwrap();
    // 30 sentences in batches of 4 make 8 steps an epoch: stop within the first, then at the end of the second.
    let stopped = tempfile::tempdir().unwrap();
    for stop_at in [3, 13] {
        let error = run(&settings(), stopped.path(), true, &cpu(), Some(stop_at)).unwrap_err();
        assert!(matches!(error, Error::Interrupted), "{error}");
    }
    let found = run(&settings(), stopped.path(), true, &cpu(), None).unwrap();
    assert!(weights(stopped.path()) == weights(whole.path()));
    let scores = |outcome: &Outcome| -> Vec<(usize, f64, f64)> {
        outcome.curve.iter().map(|e| (e.epoch, e.loss, e.f1)).collect()
    };
    assert_eq!(scores(&found), scores(&expected));
    let lines = std::fs::read_to_string(stopped.path().join(METRICS_FILE)).unwrap();
    assert_eq!(lines.lines().count(), 3);
}

#[test]
fn a_run_does_not_resume_with_other_settings() {
    let out = tempfile::tempdir().unwrap();
    run(&settings(), out.path(), false, &cpu(), Some(2)).unwrap_err();
    let other = TrainSettings { lr: 5e-4, ..settings() };
    let message = run(&other, out.path(), true, &cpu(), None).unwrap_err().to_string();
    assert!(message.contains("lr = 0.001 is now lr = 0.0005"), "{message}");
}

#[test]
fn training_ends_early_when_nothing_gets_better() {
    let out = tempfile::tempdir().unwrap();
    let settings = TrainSettings { epochs: 9, patience: 2, lr: 0.0, head_lr: 0.0, ..settings() };
    let outcome = run(&settings, out.path(), false, &cpu(), None).unwrap();
    assert_eq!((outcome.best.epoch, outcome.curve.len()), (1, 3));
}

#[test]
fn accumulated_batches_equal_one_large_batch() {
    // Without dropout, two batches of 15 sum to the gradient of one of 30.
    let folders: Vec<_> = (0..2).map(|_| tempfile::tempdir().unwrap()).collect();
    let base = TrainSettings { epochs: 1, dropout: Some(0.0), warmup: 0.0, ..settings() };
    let split = TrainSettings { batch_size: 15, accumulate: 2, ..base.clone() };
    let whole = TrainSettings { batch_size: 30, ..base };
    let losses: Vec<f64> = [&split, &whole]
        .iter()
        .zip(&folders)
        .map(|(s, f)| run(s, f.path(), false, &cpu(), None).unwrap().curve[0].loss)
        .collect();
    assert!((losses[0] - losses[1]).abs() < 1e-4, "{losses:?}");
}

/// Documents of several sentences each.
fn long_documents() -> Vec<Document> {
    let join = |sentences: &[Document]| {
        let mut long = Document::default();
        for sentence in sentences {
            let offset = long.text.len();
            long.text += &sentence.text;
            long.text.push(' ');
            long.entities.extend(sentence.entities.iter().map(|e| Entity {
                start: e.start + offset,
                end: e.end + offset,
                ..e.clone()
            }));
        }
        long
    };
    corpus().chunks(6).map(join).collect()
}

#[test]
fn long_texts_are_windowed_in_training_and_inference() {
    let out = tempfile::tempdir().unwrap();
    let settings = TrainSettings { epochs: 16, max_length: 32, stride: 12, ..settings() };
    let documents = long_documents();
    let outcome = run_on(&documents, &settings, out.path(), false, &cpu(), None).unwrap();
    assert_eq!(outcome.report.strict.gold, 60);
    assert!(outcome.best.f1 > 0.9, "{:?}", outcome.curve);
}

#[test]
fn a_model_trains_on_the_software_adapter() {
    let Ok(device) = select(DeviceChoice::Wgpu) else {
        eprintln!("SKIPPED: no graphics adapter (install mesa-vulkan-drivers)");
        return;
    };
    // One step and one evaluation: a software adapter spends its time compiling kernels.
    let documents = &corpus()[..4];
    let settings = TrainSettings { epochs: 1, dropout: Some(0.0), ..settings() };
    let loss_on = |device: &Selected| {
        let out = tempfile::tempdir().unwrap();
        run_on(documents, &settings, out.path(), false, device, None).unwrap().curve[0].loss
    };
    let (found, expected) = (loss_on(&device), loss_on(&cpu()));
    assert!((found - expected).abs() < 1e-3, "{found} on the adapter, {expected} on the CPU");
}
