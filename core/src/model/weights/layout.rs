//! How a module's parameters lie on disk: PyTorch's names for them, and its `[out, in]` matrices.

/// Where a traversal is in a module, and what PyTorch calls the parameter there.
#[derive(Debug, Default)]
pub(super) struct ModulePath {
    /// Field names, and for each the type of the module that has the field.
    fields: Vec<(String, String)>,
}

impl ModulePath {
    pub(super) fn enter(&mut self, name: &str, container: &str) {
        self.fields.push((name.to_owned(), container.to_owned()));
    }

    pub(super) fn exit(&mut self) {
        self.fields.pop();
    }

    /// The dotted path, with PyTorch's `weight` and `bias` for a layer norm's `gamma` and `beta`. Which variant of an
    /// enum it is says config.json.
    pub(super) fn name(&self) -> String {
        let mut path = String::new();
        for (name, container) in &self.fields {
            if container.starts_with("Enum:") {
                continue;
            }
            let name = match (container.as_str(), name.as_str()) {
                ("Struct:LayerNorm", "gamma") => "weight",
                ("Struct:LayerNorm", "beta") => "bias",
                (_, name) => name,
            };
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(name);
        }
        path
    }

    /// Whether the parameter is a matrix that PyTorch stores transposed.
    pub(super) fn is_transposed(&self) -> bool {
        self.fields
            .last()
            .is_some_and(|(name, container)| container == "Struct:Linear" && name == "weight")
    }

    /// The shape on disk of the parameter, which has `shape` in memory.
    pub(super) fn disk_shape(&self, mut shape: Vec<usize>) -> Vec<usize> {
        if self.is_transposed() {
            shape.reverse();
        }
        shape
    }
}
