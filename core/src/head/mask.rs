//! Which cells of a score matrix are spans.

use burn::tensor::{Bool, Tensor};

/// The score of a cell that is no span: it ends before it starts, or touches padding. Finite, so that sums stay so.
pub const NO_SPAN: f32 = -1e12;

/// Puts [`NO_SPAN`] into every cell of `scores` `[batch, types, tokens, tokens]` whose end comes before its start
/// or whose start or end is padding; `mask` `[batch, tokens]` is true at real tokens.
pub(super) fn mask_spans(scores: Tensor<4>, mask: Tensor<2, Bool>) -> Tensor<4> {
    let [batch, types, tokens, _] = scores.dims();
    let reversed: Tensor<3, Bool> =
        Tensor::<2, Bool>::triu_mask([tokens, tokens], 0, &scores.device()).unsqueeze();
    let padding = mask.bool_not();
    let start: Tensor<3, Bool> = padding.clone().unsqueeze_dim(2);
    let end: Tensor<3, Bool> = padding.unsqueeze_dim(1);
    let square = [batch, tokens, tokens];
    let no_span: Tensor<4, Bool> = (start.expand(square))
        .bool_or(end.expand(square))
        .bool_or(reversed.expand(square))
        .unsqueeze_dim(1);
    scores.mask_fill(no_span.expand([batch, types, tokens, tokens]), NO_SPAN)
}
