//! Round trips, and every way in which weights can be wrong.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use ::safetensors::tensor::{SafeTensors, TensorView};
use ::safetensors::{Dtype, serialize};
use burn::module::Module;
use burn::nn::{LayerNorm, LayerNormConfig, Linear, LinearConfig};
use burn::tensor::{Device, Int, Tensor, bf16, f16};
use proptest::prelude::*;

use super::*;
use crate::encoder::Encoder;
use crate::model::source::ModelSource;

/// What a model with a head looks like.
#[derive(Module, Debug)]
struct Model {
    encoder: Encoder,
    head: Head,
}

#[derive(Module, Debug)]
struct Head {
    query: Linear,
    norm: LayerNorm,
}

fn model(config: &EncoderConfig, seed: u64) -> Model {
    let device = Device::flex();
    device.seed(seed);
    Model {
        encoder: config.init(&device),
        head: Head {
            query: LinearConfig::new(config.hidden_size, 3).init(&device),
            norm: LayerNormConfig::new(3).init(&device),
        },
    }
}

fn states(encoder: &Encoder) -> Vec<f32> {
    let ids = Tensor::<2, Int>::from_data([[2, 9, 4, 3]], &Device::flex());
    encoder.forward(ids, None).into_data().try_to_vec().unwrap()
}

fn memory(bytes: Vec<u8>) -> ModelSource {
    ModelSource::memory(BTreeMap::from([(WEIGHTS_FILE.to_owned(), bytes)]))
}

fn load(config: &EncoderConfig, bytes: Vec<u8>) -> Result<Encoder> {
    config.load(&memory(bytes), &Device::flex())
}

fn refusal(bytes: Vec<u8>) -> String {
    load(&EncoderConfig::tiny(12), bytes).unwrap_err().to_string()
}

fn good() -> Vec<u8> {
    let config = EncoderConfig::tiny(12);
    module_bytes(&model(&config, 1), Precision::F32, |path| config.tensor_name(path)).unwrap()
}

/// The tensors of `bytes`, changed, as a file again.
fn changed<'a>(
    bytes: &'a [u8],
    change: impl FnOnce(&mut BTreeMap<String, TensorView<'a>>),
) -> Vec<u8> {
    let file = SafeTensors::deserialize(bytes).unwrap();
    let mut tensors: BTreeMap<_, _> = file.tensors().into_iter().collect();
    change(&mut tensors);
    serialize(tensors, None).unwrap()
}

fn with_header(header: &str, data: usize) -> Vec<u8> {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.resize(bytes.len() + data, 0);
    bytes
}

#[test]
fn a_model_comes_back_as_it_was_saved() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(WEIGHTS_FILE);
    let config = EncoderConfig::tiny(12);
    let names = |path: &str| config.tensor_name(path);
    let saved = model(&config, 1);
    save_module(&saved, &path, Precision::F32, names).unwrap();
    assert_eq!(fs::read(&path).unwrap(), module_bytes(&saved, Precision::F32, names).unwrap());

    let source = ModelSource::folder(folder.path());
    let other = model(&config, 2);
    assert_ne!(states(&other.encoder), states(&saved.encoder));
    let loaded = load_into(other, &Checkpoint::open(&source).unwrap(), names).unwrap();
    assert_eq!(states(&loaded.encoder), states(&saved.encoder));
    assert_eq!(loaded.head.query.weight.to_data(), saved.head.query.weight.to_data());
    let encoder = config.load(&source, &Device::flex()).unwrap();
    assert_eq!(states(&encoder), states(&saved.encoder));
}

#[test]
fn half_precision_halves_the_file_and_keeps_the_states() {
    let config = EncoderConfig::tiny(12);
    let saved = model(&config, 1);
    let names = |path: &str| config.tensor_name(path);
    let bytes = module_bytes(&saved, Precision::F16, names).unwrap();
    assert!(bytes.len() * 100 < good().len() * 52);
    let loaded = states(&load(&config, bytes).unwrap());
    let largest =
        loaded.iter().zip(states(&saved.encoder)).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(largest > 0.0 && largest < 0.01, "{largest}");
}

#[test]
fn bytes_with_scales_quarter_the_file_and_nearly_keep_the_states() {
    let config = EncoderConfig::tiny(12);
    let saved = model(&config, 1);
    let bytes = module_bytes(&saved, Precision::Q8, |path| config.tensor_name(path)).unwrap();
    assert!(bytes.len() * 100 < good().len() * 30, "{} of {}", bytes.len(), good().len());
    let loaded = states(&load(&config, bytes).unwrap());
    let largest =
        loaded.iter().zip(states(&saved.encoder)).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(largest > 0.0 && largest < 0.1, "{largest}");
}

#[test]
fn bytes_are_multiplied_by_the_scale_of_their_row() {
    let bytes: Vec<u8> = [1i8, -2, 127, -127].map(|byte| byte as u8).to_vec();
    let scales: Vec<u8> = [0.5f32, 2.0].iter().flat_map(|scale| scale.to_le_bytes()).collect();
    let matrix = TensorView::new(Dtype::I8, vec![2, 2], &bytes).unwrap();
    let file = |scales: TensorView| {
        memory(serialize([("a", matrix.clone()), ("a.scale", scales)], None).unwrap())
    };
    let good = file(TensorView::new(Dtype::F32, vec![2], &scales).unwrap());
    let tensors = load_tensors(&good, WEIGHTS_FILE).unwrap();
    let expected = HostTensor { shape: vec![2, 2], values: vec![0.5, -1.0, 254.0, -254.0] };
    assert_eq!(tensors, HostTensors::from([("a".to_owned(), expected)]));

    let misshapen = file(TensorView::new(Dtype::F32, vec![1, 2], &scales).unwrap());
    let error = load_tensors(&misshapen, WEIGHTS_FILE).unwrap_err().to_string();
    assert!(error.contains("\"a.scale\", F32 [2]"), "{error}");
}

#[test]
fn the_file_has_the_names_and_shapes_of_hugging_face() {
    let bytes = good();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let shape = |name: &str| file.tensor(name).unwrap().shape().to_vec();
    assert_eq!(shape("bert.embeddings.word_embeddings.weight"), [12, 128]);
    assert_eq!(shape("bert.encoder.layer.1.intermediate.dense.weight"), [512, 128]);
    assert_eq!(shape("bert.encoder.layer.0.attention.output.LayerNorm.weight"), [128]);
    assert_eq!(shape("head.query.weight"), [3, 128]);
    assert_eq!(shape("head.norm.bias"), [3]);
}

#[test]
fn other_float_types_are_converted() {
    // 1.5 and -2 are exact in all of them
    let values = [1.5_f64, -2.0];
    let bytes =
        |each: &dyn Fn(f64) -> Vec<u8>| values.iter().flat_map(|&v| each(v)).collect::<Vec<u8>>();
    for (dtype, data) in [
        (Dtype::F64, bytes(&|v| v.to_le_bytes().to_vec())),
        (Dtype::F32, bytes(&|v| (v as f32).to_le_bytes().to_vec())),
        (Dtype::F16, bytes(&|v| f16::from_f64(v).to_le_bytes().to_vec())),
        (Dtype::BF16, bytes(&|v| bf16::from_f64(v).to_le_bytes().to_vec())),
    ] {
        let view = TensorView::new(dtype, vec![2], &data).unwrap();
        let source = memory(serialize([("a", view)], None).unwrap());
        let tensors = load_tensors(&source, WEIGHTS_FILE).unwrap();
        assert_eq!(
            tensors["a"],
            HostTensor { shape: vec![2], values: vec![1.5, -2.0] },
            "{dtype:?}"
        );
    }
}

#[test]
fn named_tensors_come_back_as_they_were_saved() {
    let folder = tempfile::tempdir().unwrap();
    let tensors = HostTensors::from([
        (
            "encoder.layer.0.x.gamma".to_owned(),
            HostTensor { shape: vec![2, 1], values: vec![1.0, -0.0] },
        ),
        ("step".to_owned(), HostTensor { shape: vec![], values: vec![3.0] }),
        ("none".to_owned(), HostTensor { shape: vec![0, 4], values: vec![] }),
    ]);
    save_tensors(&folder.path().join("state.safetensors"), &tensors).unwrap();
    let loaded = load_tensors(&ModelSource::folder(folder.path()), "state.safetensors").unwrap();
    assert_eq!(loaded, tensors);
}

#[test]
fn values_too_large_for_half_precision_are_refused() {
    let config = EncoderConfig::tiny(12);
    let mut model = model(&config, 1);
    model.head.query.weight = model.head.query.weight.map(|weight| weight * 1e7);
    let error = module_bytes(&model, Precision::F16, |path| path.to_owned()).unwrap_err();
    assert!(error.to_string().contains("head.query.weight"), "{error}");
}

#[test]
fn missing_misshapen_and_unknown_tensors_are_listed_by_name() {
    let (bytes, extra) = (good(), vec![0; 16]);
    let message = refusal(changed(&bytes, |tensors| {
        tensors.remove("bert.encoder.layer.1.output.dense.bias");
        let four = TensorView::new(Dtype::F32, vec![4], &extra).unwrap();
        tensors.insert("bert.embeddings.LayerNorm.weight".to_owned(), four.clone());
        tensors.insert("bert.encoder.layer.2.output.dense.bias".to_owned(), four.clone());
        tensors.insert("adapter.weight".to_owned(), four.clone());
        // what published checkpoints carry besides the encoder is no fault
        tensors.insert("bert.pooler.dense.bias".to_owned(), four.clone());
        tensors.insert("cls.predictions.bias".to_owned(), four.clone());
        tensors.insert("bert.embeddings.position_ids".to_owned(), four);
    }));
    assert!(
        message.contains("missing: bert.encoder.layer.1.output.dense.bias [128]\n"),
        "{message}"
    );
    assert!(
        message.contains("misshapen: bert.embeddings.LayerNorm.weight is [4], [128] expected\n"),
        "{message}"
    );
    assert!(
        message.ends_with("unknown: adapter.weight; bert.encoder.layer.2.output.dense.bias"),
        "{message}"
    );
}

#[test]
fn a_vocabulary_that_disagrees_is_refused() {
    let error = load(&EncoderConfig::tiny(13), good()).unwrap_err().to_string();
    assert!(error.contains("word_embeddings.weight is [12, 128], [13, 128] expected"), "{error}");
    let config = EncoderConfig::tiny(12);
    assert!(check_vocabulary("tokenizer.json", 12, &config).is_ok());
    let error = check_vocabulary("tokenizer.json", 13, &config).unwrap_err().to_string();
    assert!(error.starts_with("tokenizer.json: 13 tokens") && error.contains("12"), "{error}");
}

#[test]
fn a_missing_head_is_reported_when_a_whole_model_is_loaded() {
    let config = EncoderConfig::tiny(12);
    let names = |path: &str| config.tensor_name(path);
    let source = memory(changed(&good(), |tensors| {
        tensors.remove("head.query.bias");
        let view = tensors["head.norm.bias"].clone();
        tensors.insert("head.surplus".to_owned(), view);
    }));
    let checkpoint = Checkpoint::open(&source).unwrap();
    let error = load_into(model(&config, 1), &checkpoint, names).unwrap_err().to_string();
    assert!(error.contains("missing: head.query.bias [3]"), "{error}");
    assert!(error.contains("unknown: head.surplus"), "{error}");
    config.load(&source, &Device::flex()).unwrap();
}

#[test]
fn a_truncated_file_is_refused_wherever_it_ends() {
    let bytes = good();
    for length in [0, 4, 8, 100, bytes.len() / 2, bytes.len() - 1] {
        let message = refusal(bytes[..length].to_vec());
        assert!(
            message.starts_with("model.safetensors: ") && message.contains("truncated"),
            "{message}"
        );
    }
    let mut longer = bytes;
    longer.push(0);
    assert!(refusal(longer).contains("damaged"));
}

#[test]
fn sizes_that_a_header_makes_up_allocate_nothing() {
    let mut bytes = (1u64 << 42).to_le_bytes().to_vec();
    bytes.extend(b"{}");
    assert!(refusal(bytes).contains("announces a header of 4398046511104 bytes"));
    let terabytes =
        r#"{"a":{"dtype":"F32","shape":[1099511627776],"data_offsets":[0,4398046511104]}}"#;
    assert!(refusal(with_header(terabytes, 16)).contains("take 4398046511104 bytes"));
    let overflow =
        r#"{"a":{"dtype":"F32","shape":[4294967296,4294967296,4],"data_offsets":[0,16]}}"#;
    assert!(refusal(with_header(overflow, 16)).contains("damaged safetensors header"));
}

#[test]
fn a_damaged_header_is_refused() {
    for header in [
        "not json",
        "[]",
        r#"{"a": 1}"#,
        r#"{"a":{"dtype":"F31","shape":[4],"data_offsets":[0,16]}}"#,
        // the shape disagrees with the offsets
        r#"{"a":{"dtype":"F32","shape":[5],"data_offsets":[0,16]}}"#,
        // reversed
        r#"{"a":{"dtype":"F32","shape":[4],"data_offsets":[16,0]}}"#,
        // overlapping
        r#"{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]},"b":{"dtype":"F32","shape":[3],"data_offsets":[4,16]}}"#,
        // twice
        r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}"#,
    ] {
        let message = refusal(with_header(header, 16));
        assert!(message.contains("model.safetensors: damaged safetensors header"), "{message}");
    }
}

#[test]
fn two_tensors_that_are_the_same_one_are_refused() {
    let message = refusal(changed(&good(), |tensors| {
        let view = tensors["bert.embeddings.LayerNorm.weight"].clone();
        tensors.insert("embeddings.LayerNorm.gamma".to_owned(), view);
    }));
    assert!(message.contains("are both \"embeddings.LayerNorm.weight\""), "{message}");
}

#[test]
fn whole_numbers_where_weights_belong_are_refused() {
    let (bytes, zeros) = (good(), vec![0; 128 * 8]);
    let message = refusal(changed(&bytes, |tensors| {
        let view = TensorView::new(Dtype::I64, vec![128], &zeros).unwrap();
        tensors.insert("bert.embeddings.LayerNorm.bias".to_owned(), view);
    }));
    assert!(
        message.contains("bert.embeddings.LayerNorm.bias") && message.contains("I64"),
        "{message}"
    );
}

#[test]
fn a_git_lfs_pointer_is_recognised() {
    let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n";
    assert!(refusal(pointer.to_vec()).contains("git lfs pull"));
}

fn folder_refusal(files: &[(&str, &[u8])]) -> String {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    let source = ModelSource::folder(folder.path());
    EncoderConfig::tiny(12).load(&source, &Device::flex()).unwrap_err().to_string()
}

#[test]
fn a_folder_without_weights_says_what_it_looked_for() {
    let message = folder_refusal(&[]);
    assert!(
        message.contains("model.safetensors") && message.contains("pytorch_model.bin"),
        "{message}"
    );
    let nowhere = ModelSource::folder("/nowhere/at/all");
    let error = Checkpoint::open(&nowhere).unwrap_err().to_string();
    assert!(error.starts_with("/nowhere/at/all: no such folder"), "{error}");
}

#[test]
fn an_index_that_disagrees_with_its_shards_is_refused() {
    const INDEX: &str = "model.safetensors.index.json";
    assert!(folder_refusal(&[(INDEX, b"{")]).contains("not a JSON object"));
    assert!(folder_refusal(&[(INDEX, b"{}")]).contains("weight_map"));
    for file in [r#""../x.safetensors""#, r#""/etc/passwd""#, r#""""#, "7"] {
        let index = format!(r#"{{"weight_map": {{"a": {file}}}}}"#);
        let message = folder_refusal(&[(INDEX, index.as_bytes())]);
        assert!(message.contains("no file name"), "{message}");
    }
    let index = br#"{"weight_map": {"a": "one.safetensors"}}"#;
    assert!(folder_refusal(&[(INDEX, index)]).contains("one.safetensors: no such file"));
    let message = folder_refusal(&[(INDEX, index), ("one.safetensors", &good())]);
    assert!(message.contains("the first is \"a\""), "{message}");
}

#[cfg(feature = "native")]
#[test]
fn a_damaged_pytorch_file_is_refused() {
    const NAME: &str = "pytorch_model.bin";
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/encoders/xlm-roberta").join(NAME);
    let bytes = fs::read(path).unwrap();
    for damaged in [&b""[..], b"hello", &bytes[..bytes.len() / 2], &bytes[..100]] {
        let message = folder_refusal(&[(NAME, damaged)]);
        assert!(
            message.contains("pytorch_model.bin: not a PyTorch checkpoint, or damaged"),
            "{message}"
        );
    }
    let source = ModelSource::memory(BTreeMap::from([(NAME.to_owned(), bytes)]));
    let error = Checkpoint::open(&source).unwrap_err().to_string();
    assert!(error.contains("convert it to safetensors"), "{error}");
}

proptest! {
    #[test]
    fn no_change_of_a_byte_makes_loading_panic(at in 0usize..4000, byte: u8) {
        let mut bytes = good();
        bytes[at] = byte;
        let _ = load(&EncoderConfig::tiny(12), bytes);
    }
}
