// softmax(q·Kᵀ/√d)·V: one query of one head for each invocation, which goes through the keys once and keeps what it has
// summed up relative to the greatest score so far. A line with //each stands for one line for each # of 0..FOURS.
@group(0) @binding(0) var<storage, read_write> y: array<vec4<f32>>; // [rows * tokens, heads * FOURS], as the others
@group(0) @binding(1) var<storage, read_write> numbers: array<u32>; // rows * tokens; tokens
@group(0) @binding(2) var<storage, read_write> q: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> k: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> v: array<vec4<f32>>;
//mask @group(0) @binding(5) var<storage, read_write> mask: array<f32>; // [rows * tokens]

const HEADS = {{heads}}u;
const FOURS = {{d}}u / 4u;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let query = id.x / HEADS;
    if (query >= numbers[0]) {
        return;
    }
    let head = id.x % HEADS * FOURS;
    let tokens = numbers[1];
    let from_ = query * HEADS * FOURS + head;
    //each let q# = q[from_ + #u] * inverseSqrt(f32({{d}}));
    //each var y# = vec4(0.0);
    var greatest = -1e30;
    var sum = 0.0;
    let first = query / tokens * tokens;
    for (var key = first; key < first + tokens; key++) {
        let at = key * HEADS * FOURS + head;
        var score = 0.0;
        //each score += dot(q#, k[at + #u]);
        //mask score += mask[key];
        let new_ = max(greatest, score);
        let keep = exp(greatest - new_);
        let weight = exp(score - new_);
        greatest = new_;
        sum = sum * keep + weight;
        //each y# = y# * keep + weight * v[at + #u];
    }
    //each y[from_ + #u] = y# / sum;
}
