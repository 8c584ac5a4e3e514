//! Corpora with faults: one message that names the file and the line, and nothing half-written.

use crate::support::{contents, file, folder, innerspan, inside, sentences};

const GOOD: &str = "{\"text\": \"Anna Berg slept.\", \"entities\": [{\"start\": 0, \"end\": 9, \"label\": \"PERSON\"}]}\n";

/// Name of the file, its content, the line at fault, and what the message must hold.
fn faults() -> Vec<(&'static str, Vec<u8>, usize, &'static [&'static str])> {
    let second = |line: &str| [GOOD.as_bytes(), line.as_bytes(), b"\n", GOOD.as_bytes()].concat();
    let entity = |start: i64, end: i64| {
        second(&format!(
            "{{\"text\": \"Anna Berg slept.\", \"entities\": [{{\"start\": {start}, \"end\": {end}, \"label\": \"PERSON\"}}]}}"
        ))
    };
    vec![
        ("broken.jsonl", second("{\"text\": \"Anna"), 2, &["JSON"]),
        ("reversed.jsonl", entity(9, 0), 2, &["9", "0"]),
        ("empty-span.jsonl", entity(4, 4), 2, &["4"]),
        ("past-the-end.jsonl", entity(0, 99), 2, &["99", "16"]),
        ("negative.jsonl", entity(-1, 4), 2, &["-1"]),
        ("no-text.jsonl", second("{\"txt\": \"Anna\"}"), 2, &["text"]),
        ("mixed.jsonl", second("Anna B-PERSON"), 2, &["JSON"]),
        ("mixed-kinds.jsonl", second("{\"tokens\": [\"Anna\"], \"entities\": []}"), 2, &["tokens"]),
        (
            "wrong-text.jsonl",
            second(
                "{\"text\": \"Anna\", \"entities\": [{\"start\": 0, \"end\": 4, \"label\": \"P\", \"text\": \"Bert\"}]}",
            ),
            2,
            &["Bert", "Anna"],
        ),
        (
            "latin1.jsonl",
            [GOOD.as_bytes(), b"{\"text\": \"Caf\xe9\", \"entities\": []}\n"].concat(),
            2,
            &["0xE9", "UTF-8", "iconv"],
        ),
        (
            "past.tokens.jsonl",
            b"{\"tokens\": [\"Anna\"]}\n{\"tokens\": [\"Anna\"], \"entities\": [[0, 3, \"P\"]]}\n"
                .to_vec(),
            2,
            &["3"],
        ),
        ("tag.tsv", b"Anna\tB-PERSON\nslept\tO\n\nBerg\tX-PERSON\n".to_vec(), 4, &["X-PERSON"]),
        ("columns.tsv", b"Anna\tB-PERSON\n\nBerg\tB-PERSON\nslept\n\n".to_vec(), 4, &["column"]),
        (
            "offsets.pubtator.txt",
            b"1|t|A title\n1|a|Text.\n1\t0\t99\tx\tGene\n".to_vec(),
            3,
            &["99"],
        ),
    ]
}

#[test]
fn every_fault_is_named_with_its_file_and_line() {
    let folder = folder();
    for (name, content, line, parts) in faults() {
        let path = file(&folder, name, content);
        let place = format!("{path}:{line}: ");
        let parts = [&[place.as_str()], parts].concat();
        innerspan(["stats", &path]).fails_naming(1, &parts);
    }
}

#[test]
fn skip_invalid_goes_on_and_counts() {
    let folder = folder();
    for (name, content, ..) in faults() {
        let path = file(&folder, name, content);
        let skipping = innerspan(["stats", &path, "--skip-invalid"]);
        assert!(skipping.stderr.contains("left out"), "{name}: {skipping:?}");
        skipping.ok();
    }
}

#[test]
fn brat_annotations_are_checked_against_their_text() {
    let folder = folder();
    file(&folder, "note.txt", "Anna Berg slept.");
    let ann = file(&folder, "note.ann", "T1\tPERSON 0 9\tAnna Berg\nT2\tPERSON 5 40\tBerg\n");
    innerspan(["stats", folder.path().to_str().unwrap()])
        .fails_naming(1, &[&format!("{ann}:2: "), "40"]);
}

#[test]
fn what_merely_looks_odd_is_read() {
    let folder = folder();
    let readable = [
        ("bom.jsonl", format!("\u{feff}{GOOD}")),
        ("crlf.jsonl", GOOD.replace('\n', "\r\n")),
        ("no-last-line-end.jsonl", GOOD.trim_end().to_owned()),
        ("blank-lines.jsonl", format!("\n{GOOD}\n\n{GOOD}")),
        ("crlf.tsv", "Anna\tB-PERSON\r\nBerg\tI-PERSON\r\n\r\n".to_owned()),
        ("i-without-b.tsv", "Anna\tI-PERSON\nBerg\tI-PERSON\n\n".to_owned()),
    ];
    for (name, content) in readable {
        let path = file(&folder, name, content);
        let stats = innerspan(["stats", &path]).ok();
        assert!(stats.contains("PERSON"), "{name}: {stats}");
    }
}

#[test]
fn empty_and_missing_files_are_named() {
    let folder = folder();
    let empty = file(&folder, "empty.jsonl", "");
    innerspan(["stats", &empty]).fails_naming(1, &[&empty, "no documents"]);
    let missing = inside(&folder, "missing.jsonl");
    innerspan(["stats", &missing]).fails_naming(1, &[&missing, "No such file"]);
}

#[test]
fn training_on_a_fault_leaves_no_folder_behind() {
    let folder = folder();
    let bad = file(&folder, "bad.jsonl", format!("{}{{\n", sentences(3)));
    let good = file(&folder, "good.jsonl", sentences(3));
    let out = inside(&folder, "model");
    for (train, dev) in [(&bad, &good), (&good, &bad)] {
        let arguments = [
            "train",
            "--train",
            train,
            "--dev",
            dev,
            "--encoder",
            "tiny",
            "--out",
            &out,
            "--device",
            "cpu",
        ];
        innerspan(arguments).fails_naming(1, &[&format!("{bad}:4: ")]);
        assert!(!std::path::Path::new(&out).exists());
    }
}

#[test]
fn converting_a_fault_leaves_no_file_behind() {
    let folder = folder();
    let bad = file(&folder, "bad.jsonl", format!("{}{{\n", sentences(3)));
    let before = contents(folder.path());
    for out in ["out.jsonl", "out.tsv", "out.pubtator", "brat"] {
        innerspan(["convert", &bad, &inside(&folder, out)])
            .fails_naming(1, &[&format!("{bad}:4: ")]);
    }
    assert_eq!(contents(folder.path()), before);
}
