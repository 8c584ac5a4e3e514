//! Models from the Hugging Face hub: `hf:ORG/NAME`, `hf:ORG/NAME@REVISION`, kept where Hugging Face's own tools keep
//! them. The variables `HF_HOME`, `HF_ENDPOINT`, `HF_TOKEN` and `HF_HUB_OFFLINE` mean what they mean there.

mod error;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};

use hf_hub::api::Progress;
use hf_hub::api::sync::{Api, ApiBuilder, ApiError, ApiRepo};
use hf_hub::{Cache, CacheRepo, Repo, RepoType};
use serde_json::Value;

pub use error::{HubError, Reason};

/// Hears of downloads.
pub trait Watch {
    /// A file of so many bytes is being downloaded, or once more from its beginning.
    fn begun(&mut self, file: &str, bytes: u64);
    /// So many bytes more are there.
    fn received(&mut self, bytes: u64);
    /// The file is there.
    fn ended(&mut self) {}
    /// A download broke off and is taken up again.
    fn again(&mut self, _note: &str) {}
    /// Whether the download is still wanted; asked after every piece.
    fn go_on(&self) -> bool {
        true
    }
}

/// How often a download that breaks off is taken up again.
const ATTEMPTS: usize = 3;

/// Most models of an ensemble, its classifier included.
const MOST_PARTS: usize = 17;

/// A model on the hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubName {
    name: String,
    revision: Option<String>,
}

impl HubName {
    /// The name behind `hf:`; `None` if the argument does not begin so.
    pub fn parse(argument: &str) -> Option<Result<Self, HubError>> {
        let rest = argument.strip_prefix("hf:")?;
        let (name, revision) = match rest.split_once('@') {
            Some((name, revision)) => (name, Some(revision)),
            None => (rest, None),
        };
        let plain = |part: &str| {
            !part.is_empty()
                && !part.starts_with('.')
                && part.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
        };
        let good_name = name.split('/').count() <= 2 && name.split('/').all(plain);
        let good_revision = revision.is_none_or(|revision| revision.split('/').all(plain));
        if !good_name || !good_revision {
            return Some(Err(HubError {
                reason: Reason::Name,
                message: format!("'{argument}' is no model on the hub"),
                hint: "write hf:ORG/NAME or hf:ORG/NAME@REVISION, as in hf:google-bert/bert-base-cased",
            }));
        }
        Some(Ok(Self { name: name.to_owned(), revision: revision.map(str::to_owned) }))
    }

    /// The folder with the files of an encoder, or of whatever else lies there, downloaded where the cache has them not.
    ///
    /// # Errors
    /// A model that is not there or not public, no network, no disk space; offline, a model that the cache has not;
    /// [`Reason::Stopped`] when `watch` says so.
    pub fn encoder_folder(&self, watch: &mut dyn Watch) -> Result<PathBuf, HubError> {
        Hub::new(self, watch)?.folder(None)
    }

    /// The same with the files of a trained model, or of each in an ensemble, of which `weights` holds the weights.
    ///
    /// # Errors
    /// As [`encoder_folder`](Self::encoder_folder).
    pub fn model_folder(&self, weights: &str, watch: &mut dyn Watch) -> Result<PathBuf, HubError> {
        Hub::new(self, watch)?.folder(Some(weights))
    }
}

/// A model's files on the hub and in the cache.
struct Hub<'a> {
    model: &'a HubName,
    endpoint: String,
    cache: CacheRepo,
    /// `None` when offline.
    remote: Option<ApiRepo>,
    watch: &'a mut dyn Watch,
}

impl<'a> Hub<'a> {
    fn new(model: &'a HubName, watch: &'a mut dyn Watch) -> Result<Self, HubError> {
        let revision = model.revision.clone().unwrap_or_else(|| "main".into());
        let repo = Repo::with_revision(model.name.clone(), RepoType::Model, revision);
        let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        if set("HF_HOME").is_none() && std::env::home_dir().is_none() {
            return Err(HubError {
                reason: Reason::Disk,
                message: "there is no home folder to keep downloads in".into(),
                hint: "set HF_HOME to a folder",
            });
        }
        let cache = Cache::from_env();
        let endpoint = set("HF_ENDPOINT").unwrap_or_else(|| "https://huggingface.co".into());
        let endpoint = endpoint.trim_end_matches('/').to_owned();
        let offline = set("HF_HUB_OFFLINE").is_some_and(|value| {
            !["0", "false", "no", "off"].contains(&value.to_lowercase().as_str())
        });
        let remote = if offline {
            None
        } else {
            let token = set("HF_TOKEN").or_else(|| cache.token());
            let api: Api = ApiBuilder::from_cache(cache.clone())
                .with_endpoint(endpoint.clone())
                .with_token(token)
                .with_user_agent("innerspan", env!("CARGO_PKG_VERSION"))
                .with_progress(false)
                .build()
                .map_err(|error| HubError {
                    reason: Reason::Network,
                    message: format!("{endpoint}: {error}"),
                    hint: "check HF_ENDPOINT",
                })?;
            Some(api.repo(repo.clone()))
        };
        Ok(Self { model, endpoint, cache: cache.repo(repo), remote, watch })
    }

    /// The folder with the model, or with all that an ensemble consists of.
    fn folder(&mut self, weights: Option<&str>) -> Result<PathBuf, HubError> {
        let config = self.need("config.json")?;
        let inner = parts(&config)?;
        if inner.is_empty() {
            self.model("", weights)?;
        }
        for name in inner {
            self.model(&format!("{name}/"), weights)?;
        }
        Ok(config.parent().map(Path::to_owned).unwrap_or(config))
    }

    /// A model in the folder `at`, whose name ends in a slash, with the weights of that name or of any.
    fn model(&mut self, at: &str, weights: Option<&str>) -> Result<(), HubError> {
        self.need(&format!("{at}config.json"))?;
        if self.find(&format!("{at}tokenizer.json"))?.is_none() {
            self.find(&format!("{at}vocab.txt"))?;
        }
        self.find(&format!("{at}tokenizer_config.json"))?;
        match weights {
            Some(weights) => self.need(&format!("{at}{weights}")).map(drop),
            None => self.weights(at),
        }
    }

    /// The weights, in the first form that the model has: those that the cache holds come before all others.
    fn weights(&mut self, at: &str) -> Result<(), HubError> {
        const FORMS: [&str; 4] = [
            "model.safetensors",
            "model.safetensors.index.json",
            "pytorch_model.bin",
            "pytorch_model.bin.index.json",
        ];
        let forms = FORMS.map(|form| format!("{at}{form}"));
        let cached = forms.iter().find_map(|form| Some((form, self.cache.get(form)?)));
        let (form, path) = match cached {
            Some(found) => found,
            None => {
                let mut found = None;
                for form in &forms {
                    if let Some(path) = self.find(form)? {
                        found = Some((form, path));
                        break;
                    }
                }
                found.ok_or_else(|| self.absent(&forms[0]))?
            }
        };
        if form.ends_with(".index.json") {
            for shard in shards(&path)? {
                self.need(&format!("{at}{shard}"))?;
            }
        }
        Ok(())
    }

    /// A file that must be there.
    fn need(&mut self, file: &str) -> Result<PathBuf, HubError> {
        self.find(file)?.ok_or_else(|| self.absent(file))
    }

    /// The file's path in the cache, after downloading it if need be; `None` if the model has no such file.
    fn find(&mut self, file: &str) -> Result<Option<PathBuf>, HubError> {
        if let Some(path) = self.cache.get(file) {
            return Ok(Some(path));
        }
        let Some(remote) = &self.remote else { return Ok(None) };
        for attempt in 1.. {
            let mut expected = 0;
            let download = Download { watch: &mut *self.watch, expected: &mut expected };
            let error = match stoppable(|| remote.download_with_progress(file, download))? {
                Ok(path) => return complete(path, expected).map(Some),
                Err(error) => error,
            };
            match status(&error) {
                Some(404) => return Ok(None),
                Some(401 | 403) => return Err(self.refused(file, &error)),
                Some(400..500) => return Err(self.failed(file, &error)),
                _ if attempt == ATTEMPTS => return Err(self.failed(file, &error)),
                _ => {
                    let note = format!("{}/{file}: {}", self.model.name, plain(&error));
                    self.watch.again(&note);
                }
            }
        }
        Ok(None)
    }

    fn absent(&self, file: &str) -> HubError {
        let name = &self.model.name;
        let (message, hint) = match self.remote {
            None => (
                format!("hf:{name}: {file} is not in the cache, and HF_HUB_OFFLINE is set"),
                "run once without HF_HUB_OFFLINE, or give a folder instead of hf:…",
            ),
            Some(_) => (
                format!("hf:{name}: there is no {file} at {}", self.endpoint),
                "check the name and the revision; a model has config.json, a tokenizer and weights",
            ),
        };
        HubError { reason: Reason::Absent, message, hint }
    }

    fn refused(&self, file: &str, error: &ApiError) -> HubError {
        let status = status(error).unwrap_or_default();
        HubError {
            reason: Reason::Network,
            message: format!(
                "hf:{}: {} refuses {file} (HTTP {status})",
                self.model.name, self.endpoint
            ),
            hint: "the model does not exist, or is private or gated: check the name, and set HF_TOKEN to a token that \
                   may read it",
        }
    }

    fn failed(&self, file: &str, error: &ApiError) -> HubError {
        HubError {
            reason: Reason::Network,
            message: format!(
                "hf:{}: downloading {file} from {}: {}",
                self.model.name,
                self.endpoint,
                plain(error)
            ),
            hint: "check the network, HF_ENDPOINT and the disk space; what was downloaded is kept and taken up again",
        }
    }
}

/// What leaves a download that is no longer wanted: `hf-hub` lets its listener only listen, and an end of the
/// connection would be taken for a fault of the network. What has arrived stays in the cache and is taken up again.
struct Stopped;

/// What `download` returns, unless it is left through [`Stopped`].
fn stoppable<T>(download: impl FnOnce() -> T) -> Result<T, HubError> {
    catch_unwind(AssertUnwindSafe(download)).map_err(|reason| {
        if !reason.is::<Stopped>() {
            resume_unwind(reason)
        }
        HubError {
            reason: Reason::Stopped,
            message: "the download was stopped on request".into(),
            hint: "what was downloaded is kept and taken up again",
        }
    })
}

/// The folders that the models of an ensemble lie in, as its configuration names them; none if it is that of a model.
fn parts(config: &Path) -> Result<BTreeSet<String>, HubError> {
    let json = json(config)?;
    let ensemble = &json["innerspan"]["ensemble"];
    let members = ensemble["members"].as_array().into_iter().flatten();
    let classifier = ensemble.get("classifier").filter(|name| !name.is_null());
    let names: BTreeSet<String> =
        members.chain(classifier).map(|name| inside(config, name)).collect::<Result<_, _>>()?;
    if names.len() > MOST_PARTS {
        return Err(damaged(config, format!("an ensemble of {} models", names.len())));
    }
    Ok(names)
}

/// The files that an index of shards names.
fn shards(index: &Path) -> Result<BTreeSet<String>, HubError> {
    let json = json(index)?;
    let refuse = || damaged(index, "no \"weight_map\" object".into());
    let map = json["weight_map"].as_object().ok_or_else(refuse)?;
    map.values().map(|name| inside(index, name)).collect()
}

fn json(path: &Path) -> Result<Value, HubError> {
    let bytes = std::fs::read(path).map_err(|error| damaged(path, error.to_string()))?;
    serde_json::from_slice(&bytes).map_err(|error| damaged(path, format!("not JSON: {error}")))
}

/// A name in `path` that leads nowhere but into the folder that it lies in.
fn inside(path: &Path, name: &Value) -> Result<String, HubError> {
    let plain = |name: &&str| {
        !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', ':', '\0'])
    };
    let refuse = || damaged(path, format!("{name} is no name of a file or folder"));
    name.as_str().filter(plain).map(str::to_owned).ok_or_else(refuse)
}

fn damaged(path: &Path, what: String) -> HubError {
    HubError {
        reason: Reason::Absent,
        message: format!("{}: {what}", path.display()),
        hint: "the model's author has to repair it",
    }
}

/// Refuses a file that is shorter or longer than the hub said, and forgets it, so that the next run starts afresh.
fn complete(path: PathBuf, expected: u64) -> Result<PathBuf, HubError> {
    let found = std::fs::metadata(&path).map_or(0, |metadata| metadata.len());
    if found == expected {
        return Ok(path);
    }
    if let Ok(blob) = path.canonicalize() {
        let _ = std::fs::remove_file(blob);
    }
    let _ = std::fs::remove_file(&path);
    Err(HubError {
        reason: Reason::Network,
        message: format!("{}: the download has {found} bytes of {expected}", path.display()),
        hint: "the connection broke off; try again",
    })
}

/// The HTTP status that an error is about.
fn status(error: &ApiError) -> Option<u16> {
    error.to_string().split_once("http status: ")?.1.get(..3)?.parse().ok()
}

/// The message of an error without the layers it came through.
fn plain(error: &ApiError) -> String {
    error.to_string().trim_start_matches("request error: ").trim_start_matches("io: ").to_owned()
}

/// One download.
struct Download<'a> {
    watch: &'a mut dyn Watch,
    /// Bytes of the whole file, as the hub said.
    expected: &'a mut u64,
}

impl Progress for Download<'_> {
    fn init(&mut self, size: usize, filename: &str) {
        *self.expected = size as u64;
        self.watch.begun(filename, size as u64);
    }

    fn update(&mut self, size: usize) {
        self.watch.received(size as u64);
        if !self.watch.go_on() {
            // unlike a panic this is told to nobody
            resume_unwind(Box::new(Stopped));
        }
    }

    fn finish(&mut self) {
        self.watch.ended();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_may_have_an_organisation_and_a_revision() {
        let parse = |argument| HubName::parse(argument).unwrap();
        let name = parse("hf:google-bert/bert-base-cased@refs/pr/1").unwrap();
        assert_eq!(name.name, "google-bert/bert-base-cased");
        assert_eq!(name.revision.as_deref(), Some("refs/pr/1"));
        assert_eq!(parse("hf:gpt2").unwrap().revision, None);
        assert!(HubName::parse("encoder").is_none());
    }

    #[test]
    fn names_that_would_leave_the_cache_are_refused() {
        for argument in
            ["hf:", "hf:a/b/c", "hf:../x", "hf:a/..", "hf:a/b@", "hf:a/b@../../x", "hf:a b"]
        {
            assert!(HubName::parse(argument).unwrap().is_err(), "{argument}");
        }
    }
}
