//! Inference in a linear chain of tags: the best sequence, and how probable parts of it are.

use super::tags::Tags;

/// Scores of one tag after another, with their exponentials.
#[derive(Debug, Clone)]
pub struct Chain {
    tags: usize,
    /// `[to, from]`; minus infinity where it may not be.
    between: Vec<f32>,
    start: Vec<f32>,
    end: Vec<f32>,
    /// exp(between), `[to, from]`.
    factors: Vec<f64>,
}

/// What a chain believes about one sequence, from [`Chain::beliefs`].
#[derive(Debug)]
pub struct Beliefs<'a> {
    chain: &'a Chain,
    /// exp(emission - largest of the token), `[tokens, tags]`.
    emitted: Vec<f64>,
    /// Probability of the past and the present, given the past, `[tokens, tags]`.
    forward: Vec<f64>,
    /// What the future adds, `[tokens, tags]`.
    backward: Vec<f64>,
    /// What each token's forward values were divided by.
    scale: Vec<f64>,
}

impl Chain {
    /// A chain of as many tags as `start` has; `between` is `[to, from]` in row-major order.
    ///
    /// # Panics
    /// When the sizes disagree.
    pub fn new(between: Vec<f32>, start: Vec<f32>, end: Vec<f32>) -> Self {
        let tags = start.len();
        assert!(between.len() == tags * tags && end.len() == tags, "one chain, one set of tags");
        let factors = exponentials(&between);
        Self { tags, between, start, end, factors }
    }

    /// Rules out sequences that are no BIO tags.
    pub fn forbid(&mut self, tags: Tags) {
        for to in 0..self.tags {
            for from in 0..self.tags {
                if !tags.may_follow(to, Some(from)) {
                    self.between[to * self.tags + from] = f32::NEG_INFINITY;
                }
            }
            if !tags.may_follow(to, None) {
                self.start[to] = f32::NEG_INFINITY;
            }
        }
        self.factors = exponentials(&self.between);
    }

    /// The sequence of tags with the highest score, from emissions `[tokens, tags]`; of equals the one whose last
    /// tags come first.
    pub fn viterbi(&self, emissions: &[f32]) -> Vec<usize> {
        let tokens = emissions.len() / self.tags;
        if tokens == 0 {
            return Vec::new();
        }
        let mut scores: Vec<f32> =
            self.start.iter().zip(emissions).map(|(start, emission)| start + emission).collect();
        let mut from: Vec<usize> = Vec::with_capacity(emissions.len());
        for emissions in emissions.chunks_exact(self.tags).skip(1) {
            let mut next = Vec::with_capacity(self.tags);
            for (row, emission) in self.between.chunks_exact(self.tags).zip(emissions) {
                let best = argmax(scores.iter().zip(row).map(|(score, step)| score + step));
                next.push(scores[best] + row[best] + emission);
                from.push(best);
            }
            scores = next;
        }
        let mut tag = argmax(scores.iter().zip(&self.end).map(|(score, end)| score + end));
        let mut tags = vec![tag; tokens];
        for token in (1..tokens).rev() {
            tag = from[(token - 1) * self.tags + tag];
            tags[token - 1] = tag;
        }
        tags
    }

    /// The forward and backward passes over emissions `[tokens, tags]`.
    pub fn beliefs(&self, emissions: &[f32]) -> Beliefs<'_> {
        let k = self.tags;
        let tokens = emissions.len() / k;
        let mut emitted = Vec::with_capacity(emissions.len());
        for row in emissions.chunks_exact(k) {
            let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            emitted.extend(row.iter().map(|e| f64::from(e - largest).exp()));
        }
        let (mut forward, mut scale) = (vec![0.0; tokens * k], vec![1.0; tokens]);
        for token in 0..tokens {
            let (before, now) = forward.split_at_mut(token * k);
            let now = &mut now[..k];
            for (tag, value) in now.iter_mut().enumerate() {
                let past = match token {
                    0 => f64::from(self.start[tag]).exp(),
                    _ => dot(&self.factors[tag * k..(tag + 1) * k], &before[(token - 1) * k..]),
                };
                *value = past * emitted[token * k + tag];
            }
            scale[token] = now.iter().sum::<f64>().max(f64::MIN_POSITIVE);
            now.iter_mut().for_each(|value| *value /= scale[token]);
        }
        let mut backward = vec![0.0; tokens * k];
        for token in (0..tokens).rev() {
            let (now, after) = backward.split_at_mut((token + 1) * k);
            let now = &mut now[token * k..];
            if token + 1 == tokens {
                now.iter_mut().zip(&self.end).for_each(|(b, end)| *b = f64::from(*end).exp());
                continue;
            }
            for to in 0..k {
                let future = after[to] * emitted[(token + 1) * k + to] / scale[token + 1];
                let row = &self.factors[to * k..(to + 1) * k];
                now.iter_mut().zip(row).for_each(|(b, factor)| *b += factor * future);
            }
        }
        Beliefs { chain: self, emitted, forward, backward, scale }
    }
}

impl Beliefs<'_> {
    /// The probability that tokens `first..=last` all have the tags that `chosen` gives them, over all sequences.
    pub fn together(&self, chosen: &[usize], first: usize, last: usize) -> f32 {
        let k = self.chain.tags;
        let mut probability = self.forward[first * k + chosen[first]];
        for token in first + 1..=last {
            let (to, from) = (chosen[token], chosen[token - 1]);
            probability *= self.chain.factors[to * k + from] * self.emitted[token * k + to];
            probability /= self.scale[token];
        }
        probability *= self.backward[last * k + chosen[last]];
        // the last forward values sum to 1 before STOP is scored
        let tail = self.forward.len() - k;
        let ends = self.chain.end.iter().zip(&self.forward[tail..]);
        let whole: f64 = ends.map(|(end, forward)| f64::from(*end).exp() * forward).sum();
        (probability / whole.max(f64::MIN_POSITIVE)).clamp(0.0, 1.0) as f32
    }
}

fn exponentials(scores: &[f32]) -> Vec<f64> {
    scores.iter().map(|score| f64::from(*score).exp()).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The index of the largest value, the first of equals.
fn argmax(values: impl Iterator<Item = f32>) -> usize {
    let mut best = (0, f32::NEG_INFINITY);
    for (index, value) in values.enumerate() {
        if value > best.1 {
            best = (index, value);
        }
    }
    best.0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two tags; transitions `[to][from]`.
    fn chain() -> Chain {
        Chain::new(vec![0.1, -0.3, 0.2, 0.4], vec![0.5, -0.2], vec![0.3, -0.1])
    }

    const EMISSIONS: [f32; 6] = [0.7, 0.2, -0.4, 0.9, 0.1, 0.3];

    #[test]
    fn viterbi_finds_the_best_sequence() {
        assert_eq!(chain().viterbi(&EMISSIONS), [0, 1, 1]);
        assert_eq!(chain().viterbi(&EMISSIONS[..2]), [0]);
        assert!(chain().viterbi(&[]).is_empty());
    }

    #[test]
    fn the_best_sequence_is_as_probable_as_its_score_over_all() {
        // score 2.9 of log Z 3.896350: e^-0.996350
        let chain = chain();
        let whole = chain.beliefs(&EMISSIONS).together(&[0, 1, 1], 0, 2);
        assert!((f64::from(whole) - (-0.996_350f64).exp()).abs() < 1e-5, "{whole}");
    }

    #[test]
    fn parts_are_as_probable_as_all_sequences_that_hold_them() {
        let chain = chain();
        let beliefs = chain.beliefs(&EMISSIONS);
        let mut by_enumeration = [0.0f64; 2]; // tags 1, 1 at tokens 1 and 2; tag 0 at token 0
        let mut total = 0.0;
        for code in 0..8usize {
            let y = [code & 1, code >> 1 & 1, code >> 2 & 1];
            let mut score = chain.start[y[0]] + chain.end[y[2]];
            score += (0..3).map(|t| EMISSIONS[t * 2 + y[t]]).sum::<f32>();
            score += (1..3).map(|t| chain.between[y[t] * 2 + y[t - 1]]).sum::<f32>();
            let weight = f64::from(score).exp();
            total += weight;
            by_enumeration[0] += if y[1] == 1 && y[2] == 1 { weight } else { 0.0 };
            by_enumeration[1] += if y[0] == 0 { weight } else { 0.0 };
        }
        let expected = by_enumeration.map(|weight| weight / total);
        for (found, expected) in [
            (beliefs.together(&[0, 1, 1], 1, 2), expected[0]),
            (beliefs.together(&[0, 1, 1], 0, 0), expected[1]),
        ] {
            assert!((f64::from(found) - expected).abs() < 1e-6, "{found} instead of {expected}");
        }
    }

    #[test]
    fn a_constrained_chain_decodes_no_i_without_its_b() {
        // B, I, O: emissions ask for O, I, I
        let free = Chain::new(vec![0.0; 9], vec![0.0; 3], vec![0.0; 3]);
        let mut bound = free.clone();
        bound.forbid(Tags(1));
        let emissions = [0.0, 1.0, 2.0, 0.5, 3.0, 0.0, 0.0, 1.0, 0.5];
        assert_eq!(free.viterbi(&emissions), [2, 1, 1]);
        // B I I scores 0 + 3 + 1, O B I only 2 + 0.5 + 1
        assert_eq!(bound.viterbi(&emissions), [0, 1, 1]);
        let sure = bound.beliefs(&emissions).together(&[0, 1, 1], 0, 2);
        assert!(sure > 0.0 && sure < 1.0, "{sure}");
        assert_eq!(bound.beliefs(&emissions).together(&[1, 1, 1], 0, 0), 0.0);
    }
}
