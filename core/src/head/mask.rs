//! Which cells of a score matrix are spans.

use burn::tensor::{Bool, Tensor};

/// The score of a cell that is no span: it ends before it starts, or touches padding. Finite, so that sums stay so.
pub const NO_SPAN: f32 = -1e12;

/// Puts [`NO_SPAN`] into every cell of `scores` `[batch, types, tokens, tokens]` whose end comes before its start
/// or whose start or end is padding; `mask` `[batch, tokens]` is true at real tokens, `None` where all are.
pub(super) fn mask_spans(scores: Tensor<4>, mask: Option<Tensor<2, Bool>>) -> Tensor<4> {
    let shape = scores.dims();
    let [batch, _, tokens, _] = shape;
    let reversed = Tensor::<2, Bool>::triu_mask([tokens, tokens], 0, &scores.device());
    let Some(mask) = mask else {
        return scores.mask_fill(reversed.unsqueeze::<4>().expand(shape), NO_SPAN);
    };
    let padding = mask.bool_not();
    let square = [batch, tokens, tokens];
    let start = padding.clone().unsqueeze_dim::<3>(2).expand(square);
    let end = padding.unsqueeze_dim::<3>(1).expand(square);
    let no_span = reversed.unsqueeze::<3>().expand(square).bool_or(start).bool_or(end);
    scores.mask_fill(no_span.unsqueeze_dim::<4>(1).expand(shape), NO_SPAN)
}
