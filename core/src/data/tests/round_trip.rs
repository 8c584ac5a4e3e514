//! From each format to each other and back.

use std::collections::BTreeSet;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use tempfile::TempDir;

use super::super::*;
use crate::text::OffsetUnit;

/// Words, and entities as first word, end and type.
type Sentence = (Vec<String>, BTreeSet<(usize, usize, String)>);

/// Documents of words, nested entities included, in scripts of all kinds.
fn documents() -> impl Strategy<Value = Vec<Document>> {
    let word = prop_oneof![
        "[a-zéß]{1,5}",
        "e\u{301}[a-z]",
        "漢[字本]",
        "👩🏽|👍|\u{1F468}\u{200D}\u{1F52C}",
        "[.,#%|-]",
        "हिन्दी"
    ];
    let sentence = prop::collection::vec(word, 1..8).prop_flat_map(|words| {
        let count = words.len();
        let entity = (0..count, 1usize..4, "[A-Z][a-z/-]{0,3}")
            .prop_map(move |(first, length, label)| (first, (first + length).min(count), label));
        (Just(words), prop::collection::btree_set(entity, 0..5))
    });
    prop::collection::vec(sentence, 1..4).prop_map(|sentences| {
        let document = |(at, (words, entities)): (usize, Sentence)| {
            let mut document = Document::from_words(&words);
            document.id = Some(format!("doc:{at}/é"));
            let ranges = document.words.clone().unwrap();
            document.entities = entities
                .into_iter()
                .map(|(first, end, label)| Entity {
                    start: ranges[first].start,
                    end: ranges[end - 1].end,
                    label,
                    score: None,
                })
                .collect();
            document
        };
        sentences.into_iter().enumerate().map(document).collect()
    })
}

fn sorted(mut documents: Vec<Document>, with_words: bool) -> Vec<Document> {
    for document in &mut documents {
        document
            .entities
            .sort_by(|a, b| (a.start, a.end, &a.label).cmp(&(b.start, b.end, &b.label)));
        document.words.take_if(|_| !with_words);
    }
    documents.sort_by(|a, b| a.id.cmp(&b.id));
    documents
}

fn written(folder: &Path, name: &str, documents: &[Document]) -> PathBuf {
    let path = folder.join(name);
    let options = WriteOptions { keep_words: true, ..WriteOptions::new(Format::Jsonl) };
    let mut writer = Writer::new(Vec::new(), options);
    documents.iter().for_each(|document| writer.write(document).unwrap());
    std::fs::write(&path, writer.output()).unwrap();
    path
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn every_format_converts_to_every_other_and_back(documents in documents()) {
        let folder = TempDir::new().unwrap();
        let original = written(folder.path(), "original.jsonl", &documents);
        let formats = [Format::Jsonl, Format::JsonlTokens, Format::Conll, Format::Brat, Format::PubTator];
        for from in formats {
            for to in formats {
                let path = |step: &str| folder.path().join(format!("{step}-{}-{}", from.name(), to.name()));
                let (first, second) = (path("first"), path("second"));
                let force = |format, read| ConvertOptions {
                    to: Some(format),
                    read: ReadOptions { format: Some(read), ..ReadOptions::default() },
                    words: WordSource::Spaces,
                    ..ConvertOptions::default()
                };
                let report = convert(&original, &first, &force(from, Format::Jsonl)).unwrap();
                prop_assert_eq!(report.lost.entities, 0);
                let report = convert(&first, &second, &force(to, from)).unwrap();
                prop_assert_eq!((report.documents, report.lost.entities), (documents.len(), 0));
                let read = read(&second, &ReadOptions { format: Some(to), ..ReadOptions::default() }).unwrap();
                let holds_words = |format| matches!(format, Format::Jsonl | Format::JsonlTokens | Format::Conll);
                let with_words = holds_words(from) && holds_words(to);
                prop_assert_eq!(sorted(read.documents, with_words), sorted(documents.clone(), with_words), "{} {}", from.name(), to.name());
            }
        }
    }

    #[test]
    fn offsets_of_any_unit_are_read_as_they_were_written(documents in documents()) {
        for offsets in [OffsetUnit::Byte, OffsetUnit::Codepoint, OffsetUnit::Utf16] {
            for format in [Format::Jsonl, Format::PubTator] {
                let mut writer = Writer::new(Vec::new(), WriteOptions { offsets, ..WriteOptions::new(format) });
                documents.iter().for_each(|document| writer.write(document).unwrap());
                let options = ReadOptions { format: Some(format), offsets, ..ReadOptions::default() };
                let stream = open_stream(Cursor::new(writer.output().clone()), "-", &options).unwrap();
                let read: Vec<Document> = stream.collect::<crate::Result<_>>().unwrap();
                prop_assert_eq!(sorted(read, false).len(), documents.len());
            }
        }
    }

    #[test]
    fn no_bytes_make_a_reader_panic(bytes in prop_oneof![
        prop::collection::vec(any::<u8>(), 0..200),
        "([a-zé#]{1,3}(\t| )(O|B-x|I-x|E-y|S-x)\r?\n?\n){0,12}".prop_map(String::into_bytes),
        "(1\\|[ta]\\|[a-zé😀]{0,5}\n|1\t[0-9]\t[0-9]\t[a-z]\tx\n|\n){0,8}".prop_map(String::into_bytes),
        "(\\{\"(text|tokens)\": (\"é😀a\"|\\[\"a\",\"b\"\\]), \"entities\": \\[\\[[0-9],[0-9],\"x\"\\]\\]\\}\n){0,4}".prop_map(String::into_bytes),
    ], skip_invalid in any::<bool>()) {
        for format in Format::ALL.into_iter().filter(|format| *format != Format::Brat).map(Some).chain([None]) {
            let options = ReadOptions { format, skip_invalid, ..ReadOptions::default() };
            let Ok(reader) = open_stream(Cursor::new(bytes.clone()), "stdin", &options) else { continue };
            for document in reader.map_while(crate::Result::ok) {
                prop_assert_eq!(document.check(), Ok(()));
            }
        }
    }
}

#[test]
fn raw_text_becomes_tokens_that_its_entities_fit() {
    let folder = TempDir::new().unwrap();
    let input = folder.path().join("in.jsonl");
    let line = "{\"text\": \"NF-kappaB, ok\", \"entities\": [[0, 9, \"protein\"], [3, 5, \"x\"], [9, 11, \"y\"]]}\n";
    std::fs::write(&input, line).unwrap();
    let output = folder.path().join("out.conll");
    let report = convert(&input, &output, &ConvertOptions::default()).unwrap();
    assert_eq!(
        std::fs::read_to_string(&output).unwrap(),
        "NF\tB-protein\tO\n-\tI-protein\tO\nka\tI-protein\tB-x\nppaB\tI-protein\tO\n,\tO\tO\nok\tO\tO\n\n"
    );
    // ", " ends in white space, which is no token
    assert_eq!((report.entities, report.lost.entities), (3, 1));
    assert_eq!(
        report.lost.notes,
        ["y \", \" at byte 9 left out: it begins or ends within a word or at white space"]
    );
}

#[test]
fn a_folder_of_files_becomes_a_folder_of_files() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::create_dir(path("in")).unwrap();
    std::fs::write(path("in/train.tsv"), "a\tB-x\n\nb\tO\n").unwrap();
    std::fs::write(path("in/dev.jsonl"), "{\"tokens\": [\"c\"], \"entities\": [[0, 1, \"x\"]]}\n")
        .unwrap();
    let error =
        convert(&path("in"), &path("out"), &ConvertOptions::default()).unwrap_err().to_string();
    assert!(
        error.ends_with("in: is a folder of files; name the format to convert them to with --to"),
        "{error}"
    );
    let to = ConvertOptions { to: Some(Format::Conll), ..ConvertOptions::default() };
    let report = convert(&path("in"), &path("out"), &to).unwrap();
    assert_eq!((report.documents, report.entities), (3, 2));
    assert_eq!(std::fs::read_to_string(path("out/dev.conll")).unwrap(), "c\tB-x\n\n");
    assert_eq!(std::fs::read_to_string(path("out/train.conll")).unwrap(), "a\tB-x\n\nb\tO\n\n");
    let brat = ConvertOptions { to: Some(Format::Brat), ..ConvertOptions::default() };
    convert(&path("in"), &path("pairs"), &brat).unwrap();
    assert_eq!(std::fs::read_to_string(path("pairs/train/1.ann")).unwrap(), "T1\tx 0 1\ta\n");
}

#[test]
fn an_output_that_exists_is_kept_and_a_failure_leaves_nothing() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("in.jsonl"), "{\"text\": \"a\", \"entities\": [[0, 1, \"x\"]]}\n{\n")
        .unwrap();
    let options = ConvertOptions::default();
    for output in ["out.conll", "out.jsonl", "folder"] {
        convert(&path("in.jsonl"), &path(output), &options).unwrap_err();
    }
    std::fs::write(path("kept.conll"), "mine").unwrap();
    let error = convert(&path("in.jsonl"), &path("kept.conll"), &options).unwrap_err().to_string();
    assert!(error.ends_with("kept.conll: exists already; --force replaces it"), "{error}");
    let mut left: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["in.jsonl", "kept.conll"]);
    std::fs::create_dir(path("photos")).unwrap();
    std::fs::write(path("photos/cat.jpg"), "").unwrap();
    let force = ConvertOptions { force: true, to: Some(Format::Brat), ..options };
    let error = convert(&path("in.jsonl"), &path("photos"), &force).unwrap_err().to_string();
    assert!(
        error.ends_with(
            "photos: holds cat.jpg, which is no corpus, and is not replaced; choose another folder"
        ),
        "{error}"
    );
}
