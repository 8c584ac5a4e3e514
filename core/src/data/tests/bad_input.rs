//! What is wrong with a file is said with its line, what was found and what to do.

use std::path::Path;

use super::super::{ReadOptions, read};
use super::{message, message_with, read_bytes};
use crate::text::OffsetUnit;

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
        format!("c.conll:2: I-y without a B-y before it: the entity before it is of type x{out}")
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
        format!(
            "c.conll:3: unknown tag `\"b\"}}`: expected O, or a type after B-, I-, E-, L-, S- or U-{out}"
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
