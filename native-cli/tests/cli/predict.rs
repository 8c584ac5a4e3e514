//! Texts in, entities out.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use serde_json::Value;

use crate::support::{
    KNOWN, command, file, folder, innerspan, innerspan_reading, model, run, sentences,
};

/// The text of a sentence that the model knows.
pub fn known_text(index: usize) -> String {
    let sentences = sentences(KNOWN);
    let line: Value = serde_json::from_str(sentences.lines().nth(index).unwrap()).unwrap();
    line["text"].as_str().unwrap().to_owned()
}

/// Start, end and label of the entities of a line.
pub fn spans(line: &str) -> Vec<(u64, u64, String)> {
    let line: Value = serde_json::from_str(line).unwrap();
    let span = |e: &Value| {
        (
            e["start"].as_u64().unwrap(),
            e["end"].as_u64().unwrap(),
            e["label"].as_str().unwrap().to_owned(),
        )
    };
    line["entities"].as_array().unwrap().iter().map(span).collect()
}

fn predict(extra: &[&str]) -> String {
    innerspan([&["predict", "--model", model(), "--device", "cpu"], extra].concat()).ok()
}

#[test]
fn a_line_of_json_holds_text_and_entities_with_their_own_text_and_score() {
    let text = known_text(0);
    let line: Value =
        serde_json::from_str(&predict(&["--text", &text, "--format", "jsonl"])).unwrap();
    assert_eq!(line["text"], text.as_str());
    let keys: Vec<&String> = line.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["text", "entities"]);
    let entities = line["entities"].as_array().unwrap();
    assert!(!entities.is_empty(), "the model should know this sentence");
    let characters: Vec<char> = text.chars().collect();
    for entity in entities {
        let keys: Vec<&String> = entity.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["start", "end", "label", "score", "text"]);
        let [start, end] = ["start", "end"].map(|key| entity[key].as_u64().unwrap() as usize);
        assert_eq!(entity["text"], characters[start..end].iter().collect::<String>());
        assert!((0.5..=1.0).contains(&entity["score"].as_f64().unwrap()), "{entity}");
    }
}

/// Where the characters of a text begin, and where the last one ends.
type Places = fn(&str) -> Vec<usize>;

#[test]
fn offsets_count_what_is_asked_for() {
    let text = format!("😀 é — {}", known_text(0));
    let units: [(&str, Places); 3] = [
        ("codepoint", |text| (0..=text.chars().count()).collect()),
        ("byte", |text| text.char_indices().map(|(at, _)| at).chain([text.len()]).collect()),
        ("utf16", |text| {
            let mut at = 0;
            let mut places = vec![0];
            for c in text.chars() {
                at += c.len_utf16();
                places.push(at);
            }
            places
        }),
    ];
    let plain: Vec<_> = spans(&predict(&["--text", &text, "--format", "jsonl"]));
    for (unit, places) in units {
        let places = places(&text);
        let expected: Vec<_> = plain
            .iter()
            .map(|(start, end, label)| {
                (places[*start as usize] as u64, places[*end as usize] as u64, label.clone())
            })
            .collect();
        let found = spans(&predict(&["--text", &text, "--format", "jsonl", "--offsets", unit]));
        assert_eq!(found, expected, "{unit}");
    }
}

#[test]
fn files_and_standard_input_are_read_in_order_line_by_line() {
    let texts: Vec<String> = (0..KNOWN).map(known_text).collect();
    let folder = folder();
    let first = file(&folder, "a.txt", texts[..3].join("\r\n"));
    let second =
        file(&folder, "b.jsonl", sentences(KNOWN).lines().skip(3).collect::<Vec<_>>().join("\n"));
    let found = predict(&[&first, &second, "--format", "jsonl"]);
    let read: Vec<Value> = found.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(read.iter().map(|line| line["text"].as_str().unwrap()).collect::<Vec<_>>(), texts);

    let piped = innerspan_reading(
        texts.join("\n").as_bytes(),
        &["predict", "--model", model(), "-", "--format", "jsonl", "--device", "cpu"],
    )
    .ok();
    assert_eq!(
        piped.lines().map(spans).collect::<Vec<_>>(),
        found.lines().map(spans).collect::<Vec<_>>()
    );
}

#[test]
fn who_writes_a_line_and_waits_gets_its_answer() {
    let mut child = command()
        .args(["predict", "--model", model(), "-", "--format", "jsonl", "--device", "cpu"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut answers = BufReader::new(child.stdout.take().unwrap()).lines();
    for index in 0..3 {
        writeln!(stdin, "{}", known_text(index)).unwrap();
        let answer: Value = serde_json::from_str(&answers.next().unwrap().unwrap()).unwrap();
        assert_eq!(answer["text"], known_text(index).as_str());
    }
    drop(stdin);
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_line_far_longer_than_a_window_keeps_its_entities() {
    let text = vec![known_text(0); 60].join(" ");
    let one = spans(&predict(&["--text", &known_text(0), "--format", "jsonl"])).len();
    let all = spans(&predict(&["--text", &text, "--format", "jsonl"])).len();
    assert!(all >= one * 50, "{all} of {one} × 60");
}

#[cfg(target_os = "linux")]
#[test]
fn memory_stays_the_same_however_long_the_input_is() {
    let peak = |lines: usize, separator: &str| {
        let folder = folder();
        let input =
            file(&folder, "long.txt", format!("{}{separator}", known_text(0)).repeat(lines));
        let script = format!(
            "'{}' -q predict --model '{}' --device cpu --format jsonl '{input}' > /dev/null & pid=$!
             peak=0; while [ -r /proc/$pid/status ] && kill -0 $pid 2>/dev/null; do
               now=$(awk '/VmHWM/ {{ print $2 }}' /proc/$pid/status 2>/dev/null); [ -n \"$now\" ] && peak=$now; sleep 0.02; done
             wait $pid && echo $peak",
            env!("CARGO_BIN_EXE_innerspan"),
            model()
        );
        let ended = run(std::process::Command::new("bash").args(["-c", &script]));
        ended.ok().trim().parse::<f64>().unwrap()
    };
    let (short, many_lines, one_line) = (peak(200, "\n"), peak(4000, "\n"), peak(4000, " "));
    assert!(
        many_lines < short * 1.5 + 30_000.0,
        "{many_lines} KiB for many lines, {short} for few"
    );
    assert!(one_line < short * 2.0 + 60_000.0, "{one_line} KiB for a long line, {short} for few");
}

#[test]
fn every_format_shows_the_same_entities() {
    let text = known_text(0);
    let expected = spans(&predict(&["--text", &text, "--format", "jsonl"]));
    let label = &expected[0].2;

    let highlight = predict(&["--text", &text, "--format", "highlight"]);
    assert!(highlight.contains(label.as_str()) && !highlight.contains('\u{1b}'), "{highlight}");

    let html = predict(&["--text", &text, "--format", "html"]);
    assert!(html.starts_with("<!DOCTYPE html>") && html.trim_end().ends_with("</html>"), "{html}");
    assert!(
        html.contains(label.as_str()) && !html.contains("http://") && !html.contains("https://"),
        "{html}"
    );

    let brat = predict(&["--text", &text, "--format", "brat"]);
    let standoff: Vec<(u64, u64, String)> = brat
        .lines()
        .map(|line| {
            let fields: Vec<&str> = line.split(['\t', ' ']).collect();
            (fields[2].parse().unwrap(), fields[3].parse().unwrap(), fields[1].to_owned())
        })
        .collect();
    assert_eq!(standoff, expected);

    let conll = predict(&["--text", &text, "--format", "conll"]);
    assert_eq!(conll.matches("B-").count(), expected.len(), "{conll}");
    assert!(conll.ends_with("\n\n"), "{conll}");
}

#[test]
fn brat_counts_over_the_whole_file() {
    let texts = [known_text(0), "é 😀".to_owned(), known_text(0)];
    let folder = folder();
    let input = file(&folder, "notes.txt", texts.join("\r\n"));
    let whole: Vec<char> = texts.join("\r\n").chars().collect();
    let brat = predict(&[&input, "--from", "text", "--format", "brat"]);
    assert!(!brat.is_empty());
    for (number, line) in brat.lines().enumerate() {
        let [id, span, text] = line.split('\t').collect::<Vec<_>>().try_into().unwrap();
        assert_eq!(id, format!("T{}", number + 1));
        let fields: Vec<&str> = span.split(' ').collect();
        let (start, end) =
            (fields[1].parse::<usize>().unwrap(), fields[2].parse::<usize>().unwrap());
        assert_eq!(whole[start..end].iter().collect::<String>(), text);
    }
}

#[test]
fn html_and_terminal_output_carry_no_one_elses_markup() {
    let text = "<script>alert(1)</script> \u{1b}[31mred";
    let html = predict(&["--text", text, "--format", "html"]);
    assert!(!html.contains("<script>alert"), "{html}");
    let highlight = predict(&["--text", text, "--format", "highlight"]);
    assert!(!highlight.contains('\u{1b}'), "{highlight:?}");
}

#[test]
fn a_threshold_of_one_finds_nothing_and_a_low_one_more() {
    let text = known_text(0);
    let count = |threshold: &str| {
        let line = predict(&["--text", &text, "--format", "jsonl", "--threshold", threshold]);
        spans(&line).len()
    };
    assert_eq!(count("1"), 0);
    assert!(count("0.01") >= count("0.5") && count("0.5") >= count("0.99"));
}

#[test]
fn nothing_but_results_is_on_standard_output() {
    let quiet = run(command().args([
        "-q",
        "predict",
        "--model",
        model(),
        "--text",
        "x",
        "--format",
        "jsonl",
    ]));
    assert_eq!(quiet.stderr, "");
    assert_eq!(quiet.ok(), "{\"text\":\"x\",\"entities\":[]}\n");
}

#[test]
fn an_empty_input_is_an_empty_output() {
    let empty = innerspan_reading(b"", &["predict", "--model", model(), "-", "--format", "jsonl"]);
    assert_eq!(empty.ok(), "");
}
