#![allow(clippy::unwrap_used)]
use std::process::Command;
use std::time::Instant;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const VOCAB: &str = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\ncafe\nhyper\n##gly\n##cemia\n漢\n字\n##s\n-\n2\nil\n[\nsep\n]\n😀";

fn word_piece() -> Tokenizer {
    Tokenizer::from_vocab(VOCAB.as_bytes(), true, "vocab.txt").unwrap()
}

fn from(json: &Value) -> Result<Tokenizer> {
    Tokenizer::from_json(json.to_string().as_bytes(), "tokenizer.json")
}

fn shell(model: Value) -> Value {
    json!({"version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": null,
        "pre_tokenizer": null, "post_processor": null, "decoder": null, "model": model})
}

/// As RoBERTa's: bytes are letters of their own (`Ġ` is the space, `é` is `Ã` `©`), `Ġc` and `af` are merged.
fn byte_level() -> Tokenizer {
    let alphabet = tokenizers::pre_tokenizers::byte_level::ByteLevel::alphabet();
    let mut letters: Vec<String> = alphabet.into_iter().map(String::from).collect();
    letters.sort();
    letters.extend(["<s>", "</s>", "<pad>", "Ġc", "af"].map(str::to_owned));
    let vocab: serde_json::Map<String, Value> =
        letters.into_iter().zip(0..).map(|(letter, id)| (letter, json!(id))).collect();
    let id = |token: &str| vocab[token].clone();
    let post = json!({"type": "RobertaProcessing", "sep": ["</s>", id("</s>")], "cls": ["<s>", id("<s>")],
        "trim_offsets": true, "add_prefix_space": true});
    let mut tokenizer = shell(
        json!({"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
        "end_of_word_suffix": null, "fuse_unk": false, "vocab": vocab, "merges": [["Ġ", "c"], ["a", "f"]]}),
    );
    tokenizer["pre_tokenizer"] = json!({"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true});
    tokenizer["post_processor"] = post;
    from(&tokenizer).unwrap()
}

/// As XLM-R's: words begin with `▁`.
fn unigram() -> Tokenizer {
    let pieces = [
        ("<s>", 0.0),
        ("<pad>", 0.0),
        ("</s>", 0.0),
        ("<unk>", 0.0),
        ("▁", -2.0),
        ("▁caf", -3.0),
        ("é", -3.0),
        ("日本", -4.0),
        ("s", -5.0),
    ];
    let mut tokenizer = shell(json!({"type": "Unigram", "unk_id": 3, "byte_fallback": false,
        "vocab": pieces.map(|(piece, score)| json!([piece, score]))}));
    tokenizer["normalizer"] = json!({"type": "NFKC"});
    tokenizer["pre_tokenizer"] =
        json!({"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true});
    tokenizer["post_processor"] = json!({"type": "TemplateProcessing",
        "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
            {"SpecialToken": {"id": "</s>", "type_id": 0}}],
        "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}],
        "special_tokens": {"<s>": {"id": "<s>", "ids": [0], "tokens": ["<s>"]},
            "</s>": {"id": "</s>", "ids": [2], "tokens": ["</s>"]}}});
    from(&tokenizer).unwrap()
}

fn spans_of(tokenizer: &Tokenizer, text: &str) -> Vec<(usize, usize)> {
    tokenizer.encode(text).unwrap().spans.iter().map(|span| (span.start, span.end)).collect()
}

#[test]
fn a_bare_vocabulary_is_a_bert_tokenizer() {
    let own = word_piece();
    assert_eq!(
        (own.prefix(), own.suffix(), own.pad_id(), own.vocab_size()),
        (&[2][..], &[3][..], 0, 19)
    );
    let pieces = own.encode("Hyperglycemia IL-2").unwrap();
    assert_eq!(pieces.ids, [6, 7, 8, 14, 12, 13]);
    assert_eq!(pieces.spans, [0..5, 5..8, 8..13, 14..16, 16..17, 17..18]);
}

#[test]
fn accents_marks_ideographs_and_emoji_keep_their_whole_characters() {
    let own = word_piece();
    assert_eq!(spans_of(&own, "Café"), [(0, 5)]);
    assert_eq!(spans_of(&own, "Cafe\u{301} 漢字😀"), [(0, 6), (7, 10), (10, 13), (13, 17)]);
    assert_eq!(spans_of(&own, "\u{FEFF}ca\u{200B}fe\u{FE0F}\r\n2"), [(3, 13), (15, 16)]);
}

#[test]
fn byte_level_pieces_of_one_character_have_all_of_it() {
    let own = byte_level();
    assert_eq!(own.encode("a").unwrap().ids.len(), 2);
    // Ġc af Ã ©, then Ġ and the four bytes of the emoji; é is 3..5, the emoji 6..10
    assert_eq!(
        spans_of(&own, "café 😀"),
        [(0, 1), (1, 3), (3, 5), (3, 5), (5, 5), (6, 10), (6, 10), (6, 10), (6, 10)]
            .map(|(start, end)| if start == end { (6, 6) } else { (start, end) })
    );
    assert_eq!((own.prefix(), own.suffix(), own.pad_id()), (&[256][..], &[257][..], 258));
}

#[test]
fn word_markers_cover_no_white_space_and_a_bare_one_nothing() {
    let own = unigram();
    assert_eq!(
        (own.prefix(), own.suffix(), own.pad_id(), own.vocab_size()),
        (&[0][..], &[2][..], 1, 9)
    );
    assert_eq!(
        spans_of(&own, "café  cafés"),
        [(0, 3), (3, 5), (6, 6), (7, 10), (10, 12), (12, 13)]
    );
    let spans = spans_of(&own, "日本 日本");
    assert_eq!(
        spans.iter().filter(|(start, end)| start < end).collect::<Vec<_>>(),
        [&(0, 6), &(7, 13)]
    );
}

#[test]
fn a_special_token_spelt_in_a_text_is_text() {
    assert_eq!(word_piece().encode("[SEP]").unwrap().ids, [15, 16, 17]);
}

#[test]
fn a_tokenizer_that_is_written_and_read_again_is_the_same() {
    for own in [word_piece(), byte_level(), unigram()] {
        let again = Tokenizer::from_json(own.to_json().as_bytes(), "again").unwrap();
        let text = "Café-2 hyperglycemias 日本😀";
        assert_eq!(own.encode(text).unwrap(), again.encode(text).unwrap());
        assert_eq!((own.prefix(), own.pad_id()), (again.prefix(), again.pad_id()));
    }
}

#[test]
fn truncation_and_padding_of_the_file_do_not_apply() {
    let mut json: Value = serde_json::from_str(&word_piece().to_json()).unwrap();
    json["truncation"] =
        json!({"direction": "Right", "max_length": 4, "strategy": "LongestFirst", "stride": 0});
    json["padding"] = json!({"strategy": {"Fixed": 128}, "direction": "Right", "pad_to_multiple_of": null,
        "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]"});
    let own = from(&json).unwrap();
    assert_eq!(own.encode("2 2 2 2 2 2").unwrap().ids, [13; 6]);
    assert_eq!((own.prefix(), own.suffix()), (&[2][..], &[3][..]));
}

#[test]
fn files_that_are_no_tokenizer_are_refused_by_name() {
    let model: Value = serde_json::from_str(&word_piece().to_json()).unwrap();
    let broken = |change: fn(&mut Value)| {
        let mut json = model.clone();
        change(&mut json);
        from(&json).map(|own| own.encode("x y").map(|_| ()))
    };
    let empty = broken(|json| json["model"]["vocab"] = json!({}));
    assert!(!matches!(empty, Ok(Ok(()))));
    let negative = broken(|json| json["model"]["vocab"]["漢"] = json!(-1)).unwrap_err().to_string();
    assert!(
        negative.starts_with("tokenizer.json: not a tokenizer that can be used:"),
        "{negative}"
    );
    for bytes in [
        &b""[..],
        b"{",
        b"[]",
        b"{}",
        b"\xFF\xFE",
        b"null",
        b"{\"model\": {\"type\": \"Unigram\", \"vocab\": []}}",
    ] {
        let error = Tokenizer::from_json(bytes, "folder/tokenizer.json").map(|_| ()).unwrap_err();
        assert!(error.to_string().starts_with("folder/tokenizer.json: "), "{error}");
    }
    let deep = "[".repeat(100_000);
    assert!(Tokenizer::from_json(deep.as_bytes(), "t").is_err());
}

#[test]
fn data_on_which_the_tokenizers_crate_panics_is_an_error() {
    let model: Value = serde_json::from_str(&word_piece().to_json()).unwrap();
    let single = json!([{"SpecialToken": {"id": "[X]", "type_id": 0}}]);
    let broken = [
        (
            "post_processor",
            json!({"type": "TemplateProcessing", "single": single, "pair": [], "special_tokens": {}}),
        ),
        ("normalizer", json!({"type": "Precompiled", "precompiled_charsmap": "AAAA"})),
        ("normalizer", json!({"type": "Precompiled", "precompiled_charsmap": "BAAAAAD///8A"})),
        ("pre_tokenizer", json!({"type": "FixedLength", "length": 0})),
        (
            "model",
            json!({"type": "BPE", "continuing_subword_prefix": "éé", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": [["a", "b"]]}),
        ),
    ];
    for (part, value) in broken {
        let mut json = model.clone();
        json[part] = value;
        let error = from(&json).map(|_| ()).unwrap_err().to_string();
        assert_eq!(
            error,
            "tokenizer.json: the tokenizer fails on its own data; the file is damaged, get it again"
        );
    }
}

#[test]
fn an_id_that_no_embedding_can_have_shows_in_the_vocabulary_size() {
    let mut json: Value = serde_json::from_str(&word_piece().to_json()).unwrap();
    json["model"]["vocab"]["漢"] = json!(4_000_000_000u32);
    assert_eq!(from(&json).unwrap().vocab_size(), 4_000_000_001);
}

#[test]
fn a_vocabulary_without_its_special_pieces_says_which() {
    let error =
        Tokenizer::from_vocab(b"[UNK]\n[CLS]\na", true, "vocab.txt").unwrap_err().to_string();
    assert_eq!(
        error,
        "vocab.txt: the vocabulary has no [SEP], which a BERT vocabulary has; use the model's tokenizer.json instead"
    );
    let error = Tokenizer::from_vocab(b"[UNK]\n\xE9", true, "vocab.txt").unwrap_err().to_string();
    assert_eq!(
        error,
        "vocab.txt: line 2 is not UTF-8; expected a vocabulary with one word piece per line"
    );
    assert_eq!(
        Tokenizer::from_vocab(VOCAB.replace('\n', "\r\n").as_bytes(), true, "v")
            .unwrap()
            .vocab_size(),
        19
    );
}

#[test]
fn megabytes_without_a_space_take_no_more_than_seconds() {
    for own in [word_piece(), byte_level(), unigram()] {
        for unit in ["a", "漢", " ", "caf", "e\u{301}", "\u{301}"] {
            let text = unit.repeat(1_000_000 / unit.len());
            let start = Instant::now();
            own.encode(&text).unwrap();
            assert!(start.elapsed().as_secs() < 20, "{unit:?}: {:?}", start.elapsed());
        }
    }
}

fn check(tokenizer: &Tokenizer, text: &str) -> std::result::Result<(), TestCaseError> {
    let pieces = tokenizer.encode(text).unwrap();
    prop_assert_eq!(pieces.ids.len(), pieces.spans.len());
    let mut before = Range { start: 0, end: 0 };
    for span in pieces.spans.into_iter().filter(|span| !span.is_empty()) {
        let piece = text.get(span.clone());
        prop_assert!(piece.is_some(), "{span:?} of {text:?}");
        prop_assert_eq!(piece.map(str::trim), piece);
        prop_assert!(before.start <= span.start && before.end <= span.end, "{before:?} {span:?}");
        before = span;
    }
    Ok(())
}

proptest! {
    #[test]
    fn spans_are_whole_characters_in_order(text in prop_oneof![
        any::<String>(),
        "[caféCAF\u{301}\u{323}漢😀日本ﬁ½\u{200B}\u{200D}\r\n ▁Ġ.]{0,24}",
    ]) {
        for own in [word_piece(), byte_level(), unigram()] {
            check(&own, &text)?;
        }
    }
}

/// The real MiniLM tokenizer, where the machine has it.
fn mini_lm() -> Option<Tokenizer> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/get-minilm");
    let folder = Command::new(script).output().ok().filter(|output| output.status.success());
    let Some(folder) = folder else {
        eprintln!("SKIPPED: {script} gives no MiniLM folder");
        return None;
    };
    let folder = String::from_utf8(folder.stdout).unwrap();
    let path = format!("{}/tokenizer.json", folder.trim());
    let bytes = std::fs::read(&path).unwrap();
    let own = Tokenizer::from_json(&bytes, &path).unwrap();
    let vocabulary = std::fs::read(format!("{}/vocab.txt", folder.trim())).unwrap();
    let bare = Tokenizer::from_vocab(&vocabulary, true, "vocab.txt").unwrap();
    let text = "Naïve T-lymphocytes (CD4+) 漢字 😀 antidisestablishmentarianism's\u{200B} [MASK]";
    assert_eq!(own.encode(text).unwrap(), bare.encode(text).unwrap());
    assert_eq!(own.prefix(), bare.prefix());
    Some(own)
}

#[test]
fn mini_lm_splits_as_transformers_does() {
    let Some(own) = mini_lm() else { return };
    // ids of `BertTokenizerFast.from_pretrained(...)("Hyperglycemia in naïve mice")` without [CLS] 101 and [SEP] 102
    assert_eq!(
        (own.prefix(), own.suffix(), own.pad_id(), own.vocab_size()),
        (&[101][..], &[102][..], 0, 30522)
    );
    let pieces = own.encode("Hyperglycemia in naïve mice").unwrap();
    let words: Vec<&str> =
        pieces.spans.iter().map(|span| &"Hyperglycemia in naïve mice"[span.clone()]).collect();
    assert_eq!(words.concat(), "Hyperglycemiainnaïvemice");
    assert_eq!(&words[words.len() - 3..], ["in", "naïve", "mice"]);
    let mut runner = proptest::test_runner::TestRunner::default();
    runner.run(&any::<String>(), |text| check(&own, &text)).unwrap();
}
