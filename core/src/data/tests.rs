#![allow(clippy::unwrap_used)]
//! What every format shares: real corpora, bad input, and the way from each format to each other.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::text::OffsetUnit;

/// A corpus as published, where the machine has it.
fn published(name: &str) -> Option<Corpus> {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data")).join(name);
    if !path.exists() {
        eprintln!("SKIPPED: {} is not there", path.display());
        return None;
    }
    Some(read(&path, &ReadOptions::default()).unwrap())
}

/// Documents, entities, types and entities that overlap another.
fn counts(name: &str) -> Option<(usize, usize, usize, usize)> {
    let corpus = published(name)?;
    assert_eq!((corpus.skipped, corpus.discontinuous), (0, 0));
    let stats = Stats::of(&corpus.documents);
    assert_eq!(stats.duplicates, 0);
    assert_eq!(stats.lengths.values().sum::<usize>(), stats.entities);
    assert_eq!(stats.depths.values().sum::<usize>(), stats.entities);
    Some((stats.documents, stats.entities, stats.types.len(), stats.overlapping))
}

fn check(name: &str, expected: (usize, usize, usize, usize)) {
    if let Some(found) = counts(name) {
        assert_eq!(found, expected, "{name}: documents, entities, types, overlapping");
    }
}

#[test]
fn genia_has_the_counts_of_its_readme() {
    // 46142 + 4367 = 50509; 8265 and 799 are the "18 % that overlap another"; ids repeat: 15012 in 15023
    check("genia/train.jsonl", (15023, 46142, 5, 8265));
    check("genia/dev.jsonl", (1669, 4367, 5, 799));
}

#[test]
fn maintie_has_the_counts_of_its_readme() {
    // the README's "21 % nested" is 20.3 % of the entities by the measure that gives GENIA its 18 %:
    // (515 + 88) / (2526 + 443)
    check("maintie/train.jsonl", (800, 2526, 144, 515));
    check("maintie/dev.jsonl", (138, 443, 103, 88));
    let Some(corpus) = published("maintie/train.jsonl") else { return };
    let labels = LabelSet::from_documents(&corpus.documents);
    let top: std::collections::BTreeSet<_> =
        labels.iter().map(|label| label.split('/').next().unwrap()).collect();
    assert_eq!(top.len(), 5);
}

#[test]
fn ncbi_disease_has_the_counts_of_its_readme() {
    check("ncbi-disease/train.tsv", (5432, 5145, 1, 0));
    check("ncbi-disease/devel.tsv", (923, 787, 1, 0));
}

#[test]
fn ncbi_disease_in_pubtator_has_the_same_entities() {
    // 593 articles, of which 8528200 comes twice; the types are the finer ones of the original annotation; line 3249
    // gives its text without the quotes that the article has
    check("ncbi-disease/train.pubtator.txt", (593, 5145, 4, 0));
}

#[test]
fn bc5cdr_has_the_counts_of_its_readme() {
    check("bc5cdr/train.tsv", (4560, 9385, 2, 0));
    check("bc5cdr/devel.tsv", (4581, 9593, 2, 0));
}

fn read_bytes(name: &str, bytes: &[u8], options: &ReadOptions) -> crate::Result<Corpus> {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    read(&path, options)
}

/// The message of the error that `text` gives as a file of that name, without the folder.
fn message(name: &str, text: impl AsRef<[u8]>) -> String {
    message_with(name, text, &ReadOptions::default())
}

fn message_with(name: &str, text: impl AsRef<[u8]>, options: &ReadOptions) -> String {
    let message = read_bytes(name, text.as_ref(), options).unwrap_err().to_string();
    message[message.find(name).unwrap()..].to_owned()
}

#[test]
fn a_broken_json_line_is_named_with_its_column() {
    assert_eq!(
        message("c.jsonl", "{\"text\": \"a\"}\n{\"text\": \"a\", }\n"),
        "c.jsonl:2: broken JSON at column 15: trailing comma (--skip-invalid leaves such lines out)"
    );
    assert_eq!(
        message("c.jsonl", "{\"text\": \"a\"}\nEU\tB-ORG\n"),
        "c.jsonl:2: expected a JSON object, found `EU B-ORG`; every line must be one (--from forces another format) (--skip-invalid leaves such lines out)"
    );
    assert_eq!(
        message("c.jsonl", "{\"tokens\": [\"a\"]}\n{\"text\": \"a\"}\n"),
        "c.jsonl:2: this line has \"text\" where those before have \"tokens\"; a file must be of one kind (--skip-invalid leaves such lines out)"
    );
}

#[test]
fn offsets_that_fit_no_text_are_named() {
    let line = |entity: &str| {
        message("c.jsonl", format!("{{\"text\": \"a😀b\", \"entities\": [{entity}]}}"))
    };
    let out = " (--skip-invalid leaves such lines out)";
    assert_eq!(
        line("[2, 1, \"x\"]"),
        format!(
            "c.jsonl:1: entities[0]: the start 2 is not before the end 1, which is exclusive{out}"
        )
    );
    assert_eq!(
        line("{\"start\": 0, \"end\": 4, \"label\": \"x\"}"),
        format!(
            "c.jsonl:1: entities[0]: offset 4 is past the end of the text, which has 3 code points (--offsets says what offsets count){out}"
        )
    );
    assert_eq!(
        line("[0, 1, \"x\"], {\"start\": 1, \"end\": 2, \"label\": \"x\", \"text\": \"b\"}"),
        format!(
            "c.jsonl:1: entities[1]: its text is \"b\", but 1..2 of the text is \"😀\" (--offsets says what offsets count){out}"
        )
    );
    assert_eq!(
        line("[-1, 1, \"x\"]"),
        format!(
            "c.jsonl:1: entities[0]: expected {{\"start\", \"end\", \"label\"}} or [start, end, \"label\"], found `[-1,1,\"x\"]`{out}"
        )
    );
    assert_eq!(line("[0, 1, \"\"]"), format!("c.jsonl:1: entities[0] has an empty label{out}"));
    let utf16 = ReadOptions { offsets: OffsetUnit::Utf16, ..ReadOptions::default() };
    assert_eq!(
        message_with("c.jsonl", "{\"text\": \"a😀b\", \"entities\": [[0, 2, \"x\"]]}", &utf16),
        format!(
            "c.jsonl:1: entities[0]: offset 2 in UTF-16 units lies inside a character (--offsets says what offsets count){out}"
        )
    );
    assert_eq!(
        message("c.jsonl", "{\"tokens\": [\"a\"], \"entities\": [[0, 2, \"x\"]]}"),
        format!("c.jsonl:1: entities[0]: the end 2 is past the 1 tokens{out}")
    );
    assert_eq!(
        message("c.jsonl", "{\"text\": \"abcd\", \"words\": [[0, 2], [1, 3]]}"),
        format!("c.jsonl:1: words[1] begins at 1, before words[0] ends at 2{out}")
    );
}

#[test]
fn tags_that_make_no_sense_are_named() {
    let out = " (--skip-invalid leaves such sentences out)";
    assert_eq!(
        message("c.conll", "a\tB-x\n\nb\tQ-x\n"),
        format!(
            "c.conll:3: unknown tag `Q-x`: expected O, or a type after B-, I-, E-, L-, S- or U-{out}"
        )
    );
    assert_eq!(
        message("c.conll", "a\tB-x\nb\tI-x\n\nc\tO\nd\tI-x\n"),
        format!("c.conll:5: I-x without a B-x before it: no entity is open{out}")
    );
    assert_eq!(
        message("c.conll", "a\tB-x\nb\tI-y\n"),
        format!("c.conll:2: I-y without a B-y before it: the entity before it is a x{out}")
    );
    assert_eq!(
        message("c.conll", "a\tO\nb\tB-x\tO\n"),
        format!("c.conll:2: 3 columns where the lines before have 2: `b B-x O`{out}")
    );
    assert_eq!(
        message("c.conll", "a\n"),
        format!("c.conll:1: one column, `a`: expected a token and its tag{out}")
    );
    assert_eq!(
        message("c.conll", "a\tB-x\n\n{\"text\": \"b\"}\n"),
        format!("c.conll:3: 2 columns where the lines before have 2: {out}").replace(
            "2 columns where the lines before have 2: ",
            "unknown tag `\"b\"}`: expected O, or a type after B-, I-, E-, L-, S- or U-"
        )
    );
}

#[test]
fn invalid_parts_are_left_out_and_counted_on_request() {
    let skip = ReadOptions { skip_invalid: true, ..ReadOptions::default() };
    let corpus = read_bytes("c.conll", b"a\tB-x\n\nb\tO\nc\tI-x\n\nd\tB-x\n", &skip).unwrap();
    assert_eq!((corpus.documents.len(), corpus.skipped, corpus.notes.len()), (2, 1, 1));
    assert!(corpus.notes[0].ends_with("c.conll:4: I-x without a B-x before it: no entity is open"));
    let corpus =
        read_bytes("c.jsonl", b"{\"text\": \"a\"}\n{\n\xFF\n{\"text\": \"b\"}\n", &skip).unwrap();
    assert_eq!((corpus.documents.len(), corpus.skipped), (2, 2));
}

#[test]
fn byte_order_marks_and_crlf_change_nothing() {
    let plain = "a\tB-x\nb\tO\n\nc\tO\n";
    let other = format!("\u{FEFF}{}", plain.replace('\n', "\r\n"));
    let options = ReadOptions::default();
    let expected = read_bytes("c.tsv", plain.as_bytes(), &options).unwrap().documents;
    assert_eq!(read_bytes("c.tsv", other.as_bytes(), &options).unwrap().documents, expected);
    let line = "\u{FEFF}{\"text\": \"a\"}\r\n\r\n";
    assert_eq!(read_bytes("c.jsonl", line.as_bytes(), &options).unwrap().documents[0].text, "a");
    let article = "\u{FEFF}1|t|Ab\r\n1|a|cd\r\n1\t3\t5\tcd\tx\r\n";
    let document = &read_bytes("c.txt", article.as_bytes(), &options).unwrap().documents[0];
    assert_eq!((document.text.as_str(), document.text_of(&document.entities[0])), ("Ab\ncd", "cd"));
}

#[test]
fn latin_1_empty_and_missing_files_are_named() {
    assert_eq!(
        message("c.conll", b"a\tO\n\nna\xEFve\tO\n"),
        "c.conll:3: byte 0xEF at column 3 is not UTF-8; if the file is Latin-1, convert it with `iconv -f latin1 -t utf-8` (--skip-invalid leaves such sentences out)"
    );
    for name in ["c.conll", "c.jsonl", "c.pubtator", "c.txt"] {
        for content in ["", "\n\r\n", "\u{FEFF}"] {
            assert_eq!(message(name, content), format!("{name}: holds no documents"));
        }
    }
    let missing = read(Path::new("no/such.jsonl"), &ReadOptions::default()).unwrap_err();
    assert_eq!(missing.to_string(), "no/such.jsonl: No such file or directory (os error 2)");
}

#[test]
fn pubtator_annotations_are_checked_against_their_article() {
    let out = " (--skip-invalid leaves such lines out)";
    let article = |line: &str| message("c.txt", format!("7|t|Ab\n7|a|cd\n{line}\n"));
    assert_eq!(
        article("7\t3\t9\tcd\tx"),
        format!("c.txt:3: offset 9 is past the end of the text, which has 5 code points{out}")
    );
    assert_eq!(
        article("7\t0\t2\tcd\tx"),
        format!("c.txt:3: its text is \"cd\", but the document has \"Ab\" there{out}")
    );
    assert_eq!(
        article("8\t0\t2\tAb\tx"),
        format!("c.txt:3: expected an annotation of 7, found `8 0 2 Ab x`{out}")
    );
    assert_eq!(
        article("7\t0\t2"),
        format!("c.txt:3: 3 columns; an annotation has id, start, end, text and type{out}")
    );
    let relation = b"7|t|Ab\n7|a|cd\n7\t0\t2\tAb\tx\tD1\n7\tCID\tD1\tD2\n\n8|t|Only a title\n";
    let corpus = read_bytes("c.txt", relation, &ReadOptions::default()).unwrap();
    assert_eq!((corpus.documents.len(), corpus.documents[0].entities.len()), (2, 1));
    assert_eq!(corpus.documents[1].text, "Only a title");
}

#[test]
fn all_tagging_schemes_say_the_same() {
    let expected = [(0, 2, "x"), (2, 3, "x"), (4, 5, "y")];
    let files = [
        "a I-x\nb I-x\nc B-x\nd O\ne I-y\n", // IOB1
        "a B-x\nb I-x\nc B-x\nd O\ne B-y\n", // IOB2
        "a B-x\nb E-x\nc S-x\nd O\ne S-y\n", // BIOES
        "a B-x\nb L-x\nc U-x\nd O\ne U-y\n", // BILOU
    ];
    let check = |documents: Vec<Document>, file: &str| {
        let document = &documents[0];
        let words = document.words.as_ref().unwrap();
        let found: Vec<_> = document
            .entities
            .iter()
            .map(|e| {
                let first = words.iter().position(|w| w.start == e.start).unwrap();
                let last = words.iter().position(|w| w.end == e.end).unwrap();
                (first, last + 1, e.label.as_str())
            })
            .collect();
        assert_eq!(found, expected, "{file}");
    };
    for file in files {
        check(
            read_bytes("c.conll", file.as_bytes(), &ReadOptions::default()).unwrap().documents,
            file,
        );
        let stream =
            open_stream(Cursor::new(file.as_bytes()), "-", &ReadOptions::default()).unwrap();
        assert_eq!(stream.format(), Format::Conll);
        check(stream.collect::<crate::Result<_>>().unwrap(), file);
    }
}

#[test]
fn columns_of_tags_are_layers_and_other_columns_are_not() {
    let layers = "# sent_id = s1\nthe\tDT\tB-x\tO\nIL-2\tNN\tI-x\tB-y\n\n#\tNN\tO\tO\n";
    let documents =
        read_bytes("c.tsv", layers.as_bytes(), &ReadOptions::default()).unwrap().documents;
    assert_eq!(documents[0].id.as_deref(), Some("s1"));
    let found: Vec<_> =
        documents[0].entities.iter().map(|e| (documents[0].text_of(e), e.label.as_str())).collect();
    assert_eq!(found, [("the IL-2", "x"), ("IL-2", "y")]);
    assert_eq!(documents[1].text, "#");
    let conll_2003 = "-DOCSTART- -X- -X- O\n\nEU NNP B-NP B-ORG\nrejects VBZ B-VP O\n";
    let documents =
        read_bytes("c.txt", conll_2003.as_bytes(), &ReadOptions::default()).unwrap().documents;
    assert_eq!(documents[0].entities.len(), 1);
    let chosen = ReadOptions { tag_columns: Some(vec![2]), ..ReadOptions::default() };
    let documents = read_bytes("c.txt", conll_2003.as_bytes(), &chosen).unwrap().documents;
    assert_eq!(documents[0].entities.len(), 2);
}

#[test]
fn brat_pairs_are_read_and_discontinuous_entities_reported() {
    let folder = TempDir::new().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("d10.txt", "left and right arm\nof é😀x");
    write(
        "d10.ann",
        "T1\tBody 0 4;15 18\tleft arm\nT2\tBody 9 18\tright arm\nT3\tBody 15 18;19 21\tarm of\nT4\tx 22 24\té😀\nR1\tPart Arg1:T1 Arg2:T2\n#1\tAnnotatorNotes T2\tsure\n",
    );
    write("d9.txt", "nothing here");
    write("d9.ann", "");
    let corpus = read(folder.path(), &ReadOptions::default()).unwrap();
    let ids: Vec<_> = corpus.documents.iter().map(|d| d.id.as_deref().unwrap()).collect();
    assert_eq!(ids, ["d9", "d10"]);
    let document = &corpus.documents[1];
    let found: Vec<_> = document.entities.iter().map(|e| document.text_of(e)).collect();
    assert_eq!(found, ["right arm", "arm\nof", "é😀"]);
    assert_eq!(corpus.discontinuous, 1);
    assert!(corpus.notes[0].ends_with(
        "d10.ann:1: left out, because it is discontinuous: `T1 Body 0 4;15 18 left arm`"
    ));
    assert_eq!(
        read(&folder.path().join("d10.txt"), &ReadOptions::default()).unwrap().documents[0],
        *document
    );
    write("d9.ann", "T1\tx 0 99\tnothing\n");
    let error = read(folder.path(), &ReadOptions::default()).unwrap_err().to_string();
    assert!(error.ends_with("d9.ann:1: offset 99 is past the end of the text, which has 12 code points (--skip-invalid leaves such lines out)"), "{error}");
    std::fs::remove_file(folder.path().join("d9.txt")).unwrap();
    let error = read(folder.path(), &ReadOptions::default()).unwrap_err().to_string();
    assert!(error.ends_with("d9.txt: there is no such text beside its .ann file"), "{error}");
}

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
        let document = |(at, (words, entities)): (
            usize,
            (Vec<String>, std::collections::BTreeSet<(usize, usize, String)>),
        )| {
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
            "photos: holds cat.jpg, which is not brat's, and is not replaced; choose another folder"
        ),
        "{error}"
    );
}

#[test]
fn stats_count_by_hand() {
    // "a b c": [0,3) x holds [0,1) y and, twice, [1,2) y; then a flat x of one word
    let lines = "{\"tokens\": [\"a\", \"b\", \"c\"], \"entities\": [[0,3,\"x\"],[0,1,\"y\"],[1,2,\"y\"],[1,2,\"y\"]]}\n{\"tokens\": [\"d\"], \"entities\": [[0,1,\"x\"]]}\n{\"tokens\": [\"e\"]}\n";
    let stats = Stats::of(
        &read_bytes("c.jsonl", lines.as_bytes(), &ReadOptions::default()).unwrap().documents,
    );
    assert_eq!((stats.documents, stats.empty_documents, stats.words, stats.entities), (3, 1, 5, 5));
    assert_eq!(stats.types, [("y".to_owned(), 3), ("x".to_owned(), 2)]);
    assert_eq!(stats.lengths.into_iter().collect::<Vec<_>>(), [(1, 4), (3, 1)]);
    assert_eq!(stats.depths.into_iter().collect::<Vec<_>>(), [(1, 2), (2, 3)]);
    assert_eq!((stats.overlapping, stats.duplicates, stats.ambiguous), (4, 1, 0));
}

#[test]
fn evenness_is_entropy_over_its_largest_value() {
    let mut stats = Stats {
        entities: 4,
        types: vec![("x".to_owned(), 3), ("y".to_owned(), 1)],
        ..Stats::default()
    };
    // (0.75 ln(4/3) + 0.25 ln 4) / ln 2
    assert!((stats.evenness() - 0.811_278).abs() < 1e-6);
    assert_eq!(stats.imbalance(), 3.0);
    stats.types = vec![("x".to_owned(), 4)];
    assert_eq!((stats.evenness(), stats.imbalance()), (1.0, 1.0));
}
