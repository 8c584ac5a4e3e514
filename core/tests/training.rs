#![allow(clippy::unwrap_used, missing_docs)]
//! Training as a user meets it: a folder comes out that recognises what it was taught, whatever interrupts the run.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use innerspan::data::{Document, Entity};
use innerspan::device::{DeviceChoice, Selected, cpu, select};
use innerspan::head::HeadKind;
use innerspan::loss::LossKind;
use innerspan::model::source::ModelSource;
use innerspan::model::weights::{Precision, load_tensors};
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
        (HeadKind::TwoStage, LossKind::Zlpr),
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
fn a_two_stage_head_finds_entities_longer_than_every_seed() {
    // four words for seeds of up to three, 3/4 of which is more than 0.7
    let lengthen = |document: Document| {
        let text = document.text.replace(" of ", " of old ");
        let entities = document.entities.into_iter().map(|e| match e.label.as_str() {
            "PERSON" => Entity { end: e.end + 4, ..e },
            _ => Entity { start: e.start + 4, end: e.end + 4, ..e },
        });
        Document { entities: entities.collect(), text, ..Document::default() }
    };
    let documents: Vec<Document> = corpus().into_iter().map(lengthen).collect();
    let out = tempfile::tempdir().unwrap();
    let mut settings = TrainSettings { epochs: 25, head: HeadKind::TwoStage, ..settings() };
    settings.two_stage.seed_lengths = vec![1, 2, 3];
    settings.two_stage.regressor_weight = 1.0;
    let outcome = run_on(&documents, &settings, out.path(), false, &cpu(), None).unwrap();
    assert!(outcome.report.per_label["PERSON"].recall() > 0.9, "{:?}", outcome.curve);
    let long = |e: &&Entity| e.label == "PERSON";
    let found = outcome
        .predicted
        .iter()
        .flat_map(|d| d.entities.iter().filter(long).map(move |e| &d.text[e.start..e.end]));
    assert!(found.clone().count() > 0 && found.clone().all(|text| text.split(' ').count() == 4));
}

#[test]
fn a_two_stage_head_with_every_feature_is_a_folder_like_any_other() {
    let (out, files) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let vectors = files.path().join("vectors.txt");
    std::fs::write(&vectors, "riga 0.5 -1 2\nunheard 9 9 9\nada 1 1.5 -3\n").unwrap();
    let mut settings = TrainSettings {
        epochs: 12,
        head: HeadKind::TwoStage,
        word_vectors: Some(vectors),
        ..settings()
    };
    settings.two_stage.bilstm = true;
    settings.two_stage.char_size = 4;
    settings.two_stage.context = 3;
    let outcome = run(&settings, out.path(), false, &cpu(), None).unwrap();
    assert!(outcome.best.f1 > 0.8, "{:?}", outcome.curve);

    let source = ModelSource::folder(out.path());
    let tensors = load_tensors(&source, "model.safetensors").unwrap();
    let table = &tensors["head.features.word_vectors"];
    assert_eq!(table.shape, [3, 3]);
    // the mean, then the words in the order of the file; training leaves them alone
    assert_eq!(table.values, [0.75, 0.25, -0.5, 0.5, -1.0, 2.0, 1.0, 1.5, -3.0]);
    let config = std::fs::read_to_string(out.path().join("config.json")).unwrap();
    assert!(config.contains("\"riga\"") && !config.contains("unheard"), "{config}");
    assert!(config.contains("\"vectors.txt\""), "{config}");

    let recognizer = Recognizer::load(&source, Precision::F32, &cpu()).unwrap();
    let documents = corpus();
    let options = ExtractOptions::default();
    let found = recognizer.extract_in_corpus(None, &documents, None, &options).unwrap();
    assert_eq!(found, outcome.predicted);
    let spans = |documents: &[Document]| -> Vec<(usize, usize, String)> {
        let entities = documents.iter().flat_map(|document| &document.entities);
        entities.map(|e| (e.start, e.end, e.label.clone())).collect()
    };
    let middle = recognizer
        .extract_in_corpus(Some(&documents[4]), &documents[5..9], Some(&documents[9]), &options)
        .unwrap();
    assert_eq!(spans(&middle), spans(&found[5..9]));
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
fn one_entity_of_one_type_among_empty_sentences_is_enough_for_every_head() {
    let mut documents: Vec<Document> = corpus();
    documents.truncate(10);
    for document in &mut documents[1..] {
        document.entities.clear();
    }
    documents[0].entities.retain(|entity| entity.label == "PLACE");
    documents[4].text.clear();
    documents[5].text = " \n".into();
    documents[6].text = "x".into();
    for (head, loss) in [
        (HeadKind::GlobalPointer, LossKind::Zlpr),
        (HeadKind::EfficientGlobalPointer, LossKind::EiouEmc),
        (HeadKind::GlobalPointer, LossKind::EiouEmc),
        (HeadKind::Tagger, LossKind::Zlpr),
        (HeadKind::Crf, LossKind::Zlpr),
        (HeadKind::SpanClassifier, LossKind::Zlpr),
        (HeadKind::TwoStage, LossKind::Zlpr),
    ] {
        // in batches of 2, so that most of them hold no entity, and then all together
        for batch_size in [2, 10] {
            let out = tempfile::tempdir().unwrap();
            let mut settings = TrainSettings { epochs: 2, batch_size, head, ..settings() };
            settings.loss.kind = loss;
            let outcome = run_on(&documents, &settings, out.path(), false, &cpu(), None).unwrap();
            let what = format!("{head:?} {loss:?} {batch_size}: {:?}", outcome.curve);
            assert!(outcome.curve.iter().all(|epoch| epoch.loss.is_finite()), "{what}");
            assert_eq!(outcome.report.strict.gold, 1, "{what}");
        }
    }
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
    for head in [HeadKind::GlobalPointer, HeadKind::TwoStage] {
        goes_on(&TrainSettings { head, ..settings() });
    }
}

fn goes_on(settings: &TrainSettings) {
    let whole = tempfile::tempdir().unwrap();
    let expected = run(settings, whole.path(), false, &cpu(), None).unwrap();
    // 30 sentences in batches of 4 make 8 steps an epoch: stop within the first, then at the end of the second.
    let stopped = tempfile::tempdir().unwrap();
    for stop_at in [3, 13] {
        let error = run(settings, stopped.path(), true, &cpu(), Some(stop_at)).unwrap_err();
        assert!(matches!(error, Error::Interrupted), "{error}");
    }
    let found = run(settings, stopped.path(), true, &cpu(), None).unwrap();
    assert!(weights(stopped.path()) == weights(whole.path()));
    let scores = |outcome: &Outcome| -> Vec<(usize, f64, f64)> {
        outcome.curve.iter().map(|e| (e.epoch, e.loss, e.f1)).collect()
    };
    assert_eq!(scores(&found), scores(&expected));
    let lines = std::fs::read_to_string(stopped.path().join(METRICS_FILE)).unwrap();
    assert_eq!(lines.lines().count(), 3);
}

#[test]
fn a_run_ends_with_its_last_step_also_when_it_was_stopped_there() {
    // 30 sentences in batches of 4 make 8 batches, so 3 steps of 3, 3 and 2; the fifth is in the second epoch
    let settings = TrainSettings { epochs: 9, accumulate: 3, max_steps: 5, ..settings() };
    let whole = tempfile::tempdir().unwrap();
    let expected = run(&settings, whole.path(), false, &cpu(), None).unwrap();
    assert_eq!(expected.curve.iter().map(|e| e.epoch).collect::<Vec<_>>(), [1, 2]);
    let stopped = tempfile::tempdir().unwrap();
    for stop_at in [3, 2] {
        let error = run(&settings, stopped.path(), true, &cpu(), Some(stop_at)).unwrap_err();
        assert!(matches!(error, Error::Interrupted), "{error}");
    }
    let found = run(&settings, stopped.path(), true, &cpu(), None).unwrap();
    assert_eq!(found.curve.len(), 2);
    assert!(weights(stopped.path()) == weights(whole.path()));
}

#[test]
fn the_steps_of_two_epochs_are_two_epochs() {
    // 30 sentences in batches of 4 make 8 steps an epoch
    let [epochs, steps] = [(2, 0), (9, 16)].map(|(epochs, max_steps)| {
        let out = tempfile::tempdir().unwrap();
        let settings = TrainSettings { epochs, max_steps, ..settings() };
        let outcome = run(&settings, out.path(), false, &cpu(), None).unwrap();
        (outcome.curve.len(), weights(out.path()))
    });
    assert_eq!(epochs.0, 2);
    assert!(epochs == steps);
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
