//! `hf:ORG/NAME` against a hub on this machine.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use tempfile::TempDir;

use crate::support::{Run, command, contents, file, folder, inside, model, run, sentences};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// How the hub behaves.
#[derive(Clone, Copy, Default)]
struct Manners {
    /// Answers 401 without this token.
    token: Option<&'static str>,
    /// Breaks off after so many bytes of the weights, so many times.
    breaks_off: Option<(usize, usize)>,
}

/// Serves files as the Hugging Face hub does.
struct Hub {
    address: String,
    /// Requests so far: path and range.
    requests: Arc<Mutex<Vec<(String, String)>>>,
}

impl Hub {
    fn serve(files: BTreeMap<String, Vec<u8>>, manners: Manners) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        let broken = Arc::new(Mutex::new(0));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (files, seen, broken) = (files.clone(), Arc::clone(&seen), Arc::clone(&broken));
                // a client that hangs up is no concern of the hub's
                std::thread::spawn(move || drop(answer(&stream, &files, manners, &seen, &broken)));
            }
        });
        Self { address, requests }
    }

    /// The files of an encoder: those of a model without its head.
    fn encoder() -> BTreeMap<String, Vec<u8>> {
        let own = |(path, bytes): (std::path::PathBuf, Vec<u8>)| {
            (path.to_string_lossy().into_owned(), bytes)
        };
        let mut files: BTreeMap<_, _> = contents(Path::new(model())).into_iter().map(own).collect();
        files.retain(|name, _| {
            ["config.json", "tokenizer.json", "model.safetensors"].contains(&name.as_str())
        });
        files
    }

    /// The program, which knows this hub and keeps downloads in `home`.
    fn command(&self, home: &TempDir) -> Command {
        let mut command = command();
        command.env("HF_ENDPOINT", &self.address).env("HF_HOME", home.path());
        command
    }

    fn inspect(&self, home: &TempDir, name: &str) -> Run {
        run(self.command(home).args(["inspect", name]))
    }

    fn requested(&self) -> Vec<(String, String)> {
        self.requests.lock().unwrap().clone()
    }
}

fn answer(
    stream: &TcpStream,
    files: &BTreeMap<String, Vec<u8>>,
    manners: Manners,
    seen: &Mutex<Vec<(String, String)>>,
    broken: &Mutex<usize>,
) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream).lines();
    let mut out = stream;
    loop {
        let Some(Ok(request)) = lines.next() else { return Ok(()) };
        let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
        let (mut range, mut authorized) = (String::new(), manners.token.is_none());
        while let Some(Ok(line)) = lines.next() {
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(": ").unwrap_or_default();
            match name.to_lowercase().as_str() {
                "range" => value.clone_into(&mut range),
                "authorization" => {
                    authorized |=
                        manners.token.is_some_and(|token| value == format!("Bearer {token}"))
                }
                _ => {}
            }
        }
        seen.lock().unwrap().push((path.clone(), range.clone()));
        let of = |revision| path.strip_prefix("/org/enc/resolve/")?.strip_prefix(revision);
        let name = of("main/").or(of("v1/")).unwrap_or_default();
        let Some(content) = files.get(name).filter(|_| authorized) else {
            let status = if authorized { "404 Not Found" } else { "401 Unauthorized" };
            write!(out, "HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n")?;
            continue;
        };
        let (start, end) = range.trim_start_matches("bytes=").split_once('-').unwrap_or_default();
        let start = start.parse().unwrap_or(0).min(content.len());
        let end = end.parse::<usize>().map_or(content.len(), |last| (last + 1).min(content.len()));
        write!(
            out,
            "HTTP/1.1 206 Partial Content\r\nContent-Length: {}\r\nContent-Range: bytes {start}-{}/{}\r\nETag: \"etag-{}\"\r\nx-repo-commit: {COMMIT}\r\n\r\n",
            end - start,
            end.max(1) - 1,
            content.len(),
            name.replace('/', "-")
        )?;
        if let Some((bytes, times)) =
            manners.breaks_off.filter(|_| name == "model.safetensors" && end - start > 1)
        {
            let mut broken = broken.lock().unwrap();
            if *broken < times {
                *broken += 1;
                out.write_all(&content[start..(start + bytes).min(end)])?;
                return stream.shutdown(std::net::Shutdown::Both);
            }
        }
        out.write_all(&content[start..end])?;
    }
}

#[test]
fn an_encoder_is_downloaded_once_and_then_found_without_a_network() {
    let (hub, home) = (Hub::serve(Hub::encoder(), Manners::default()), folder());
    let first = hub.inspect(&home, "hf:org/enc");
    assert!(first.stderr.contains("downloading model.safetensors"), "{first:?}");
    assert!(first.ok().contains("family: bert"));
    let snapshot = home.path().join("hub/models--org--enc/snapshots").join(COMMIT);
    for (name, content) in Hub::encoder() {
        assert!(std::fs::read(snapshot.join(&name)).unwrap() == content, "{name}");
    }
    let offline = run(command()
        .env("HF_ENDPOINT", "http://127.0.0.1:9")
        .env("HF_HOME", home.path())
        .env("HF_HUB_OFFLINE", "1")
        .args(["inspect", "hf:org/enc"]));
    assert!(offline.ok().contains("family: bert"));
}

#[test]
fn training_starts_from_a_downloaded_encoder() {
    let (hub, home) = (Hub::serve(Hub::encoder(), Manners::default()), folder());
    let data = file(&home, "data.jsonl", sentences(4));
    let out = inside(&home, "model");
    let arguments = [
        "train",
        "--train",
        &data,
        "--dev",
        &data,
        "--encoder",
        "hf:org/enc",
        "--out",
        &out,
        "--device",
        "cpu",
        "--epochs",
        "1",
    ];
    run(hub.command(&home).args(arguments)).ok();
    assert!(
        std::fs::read_to_string(Path::new(&out).join("README.md")).unwrap().contains("hf:org/enc")
    );
}

#[test]
fn a_model_and_an_ensemble_of_it_are_used_from_the_hub() {
    let mut files = Hub::encoder();
    let config: serde_json::Value = serde_json::from_slice(&files["config.json"]).unwrap();
    let ensemble = serde_json::json!({ "innerspan": {
        "format_version": 1,
        "labels": config["innerspan"]["labels"],
        "ensemble": { "method": "union", "members": ["a", "b"] },
    }});
    let members = ["a", "b"].into_iter().flat_map(|member| {
        Hub::encoder().into_iter().map(move |(name, bytes)| (format!("{member}/{name}"), bytes))
    });
    let mut inner: BTreeMap<_, _> = members.collect();
    inner.insert("config.json".into(), ensemble.to_string().into());
    let text = sentences(1);
    let mut found = Vec::new();
    for (files, weights) in [(&files, 1), (&inner, 2)] {
        let (hub, home) = (Hub::serve(files.clone(), Manners::default()), folder());
        let data = file(&home, "data.jsonl", &text);
        let arguments = ["predict", "--model", "hf:org/enc", &data, "--device", "cpu"];
        found.push(run(hub.command(&home).args(arguments)).ok());
        let requested = || -> Vec<String> {
            let paths = hub.requested().into_iter().map(|(path, _)| path);
            // what the model has not is asked for every time
            paths.filter(|path| !path.ends_with("tokenizer_config.json")).collect()
        };
        let first = requested();
        let of_weights = first.iter().filter(|path| path.ends_with(".safetensors"));
        assert_eq!(of_weights.collect::<BTreeSet<_>>().len(), weights, "{first:?}");
        let inspected = hub.inspect(&home, "hf:org/enc").ok();
        assert_eq!(inspected.contains("kind: ensemble"), weights == 2, "{inspected}");
        let evaluate = ["evaluate", "--model", "hf:org/enc", "--data", &data, "--device", "cpu"];
        run(hub.command(&home).args(evaluate)).ok();
        assert_eq!(requested(), first, "everything was there already");
    }
    assert_eq!(found[0], found[1]);

    let (hub, home) = (Hub::serve(Hub::encoder(), Manners::default()), folder());
    let combined = inside(&home, "ensemble");
    let arguments = ["combine", "--method", "union", "--out", &combined, "--device", "cpu"];
    run(hub.command(&home).args(arguments).args(["hf:org/enc", model()])).ok();
    let data = file(&home, "data.jsonl", &text);
    let predict = ["predict", "--model", &combined, &data, "--device", "cpu"];
    assert_eq!(run(command().args(predict)).ok(), found[0]);
    // names that would leave the folder
    let hostile = ensemble.to_string().replace("\"a\"", "\"../a\"");
    files.insert("config.json".into(), hostile.into());
    let (hub, home) = (Hub::serve(files, Manners::default()), folder());
    hub.inspect(&home, "hf:org/enc").fails_naming(1, &["config.json", "../a", "no name"]);
}

#[test]
fn a_revision_is_asked_for_by_its_name() {
    let (hub, home) = (Hub::serve(Hub::encoder(), Manners::default()), folder());
    hub.inspect(&home, "hf:org/enc@v1").ok();
    assert!(hub.requested().iter().all(|(path, _)| path.starts_with("/org/enc/resolve/v1/")));
    hub.inspect(&home, "hf:org/enc@v2")
        .fails_naming(1, &["hf:org/enc", "no config.json", "revision"]);
}

#[test]
fn shards_are_all_downloaded() {
    let mut files = Hub::encoder();
    let weights = files.remove("model.safetensors").unwrap();
    files.insert("part-1.safetensors".into(), weights);
    let names = innerspan_tensor_names();
    let map: serde_json::Map<String, serde_json::Value> =
        names.into_iter().map(|name| (name, "part-1.safetensors".into())).collect();
    let index = serde_json::json!({ "metadata": {}, "weight_map": map });
    files.insert("model.safetensors.index.json".into(), serde_json::to_vec(&index).unwrap());
    let (hub, home) = (Hub::serve(files, Manners::default()), folder());
    hub.inspect(&home, "hf:org/enc").ok();
    assert!(hub.requested().iter().any(|(path, _)| path.ends_with("/part-1.safetensors")));
}

/// The names of the tensors in [`model`], as its header has them.
fn innerspan_tensor_names() -> Vec<String> {
    let bytes = std::fs::read(Path::new(model()).join("model.safetensors")).unwrap();
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(&bytes[8..8 + length]).unwrap();
    header.keys().filter(|name| *name != "__metadata__").cloned().collect()
}

#[test]
fn a_model_that_is_not_there_is_named() {
    let (hub, home) = (Hub::serve(Hub::encoder(), Manners::default()), folder());
    hub.inspect(&home, "hf:org/nothing")
        .fails_naming(1, &["hf:org/nothing", "config.json", &hub.address, "check the name"]);
}

#[test]
fn a_private_model_needs_the_right_token() {
    let manners = Manners { token: Some("secret-7"), ..Manners::default() };
    let (hub, home) = (Hub::serve(Hub::encoder(), manners), folder());
    hub.inspect(&home, "hf:org/enc").fails_naming(1, &["hf:org/enc", "HTTP 401", "HF_TOKEN"]);
    let wrong = run(hub.command(&home).env("HF_TOKEN", "wrong").args(["inspect", "hf:org/enc"]));
    wrong.fails_naming(1, &["HTTP 401"]);
    run(hub.command(&home).env("HF_TOKEN", "secret-7").args(["inspect", "hf:org/enc"])).ok();
}

#[test]
fn a_download_that_breaks_off_is_taken_up_where_it_ended() {
    let manners = Manners { breaks_off: Some((1000, 1)), ..Manners::default() };
    let (hub, home) = (Hub::serve(Hub::encoder(), manners), folder());
    hub.inspect(&home, "hf:org/enc").ok();
    let resumed = ("/org/enc/resolve/main/model.safetensors".to_owned(), "bytes=1000-".to_owned());
    assert!(hub.requested().contains(&resumed), "{:?}", hub.requested());
    let blob = home.path().join("hub/models--org--enc/blobs/etag-model.safetensors");
    assert!(std::fs::read(blob).unwrap() == Hub::encoder()["model.safetensors"]);
}

#[test]
fn a_download_that_never_ends_is_given_up_and_taken_up_by_the_next_run() {
    let manners = Manners { breaks_off: Some((1000, 3)), ..Manners::default() };
    let (hub, home) = (Hub::serve(Hub::encoder(), manners), folder());
    hub.inspect(&home, "hf:org/enc")
        .fails_naming(1, &["model.safetensors", &hub.address, "network"]);
    assert!(
        !home
            .path()
            .join("hub/models--org--enc/snapshots")
            .join(COMMIT)
            .join("model.safetensors")
            .exists()
    );
    hub.inspect(&home, "hf:org/enc").ok();
    let resumed = ("/org/enc/resolve/main/model.safetensors".to_owned(), "bytes=3000-".to_owned());
    assert!(hub.requested().contains(&resumed), "{:?}", hub.requested());
}

#[test]
fn offline_and_not_in_the_cache_is_said() {
    let home = folder();
    let offline = run(command()
        .env("HF_HOME", home.path())
        .env("HF_HUB_OFFLINE", "1")
        .args(["inspect", "hf:org/enc"]));
    offline.fails_naming(1, &["hf:org/enc", "not in the cache", "HF_HUB_OFFLINE"]);
}

#[test]
fn a_hub_that_cannot_be_reached_is_named() {
    let home = folder();
    let nobody = run(command()
        .env("HF_HOME", home.path())
        .env("HF_ENDPOINT", "http://127.0.0.1:9")
        .args(["inspect", "hf:org/enc"]));
    nobody.fails_naming(1, &["http://127.0.0.1:9", "HF_ENDPOINT"]);
}
