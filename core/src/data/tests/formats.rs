//! Each format as others write it.

use std::io::Cursor;

use tempfile::TempDir;

use super::super::{Document, Format, ReadOptions, open_stream, read};
use super::read_bytes;

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
