// LayerNorm(x), or LayerNorm(x + residual), of each row: a workgroup for each row.
@group(0) @binding(0) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> numbers: array<u32>; // the bits of epsilon
@group(0) @binding(2) var<storage, read_write> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> gamma: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> beta: array<vec4<f32>>;
//residual @group(0) @binding(5) var<storage, read_write> residual: array<vec4<f32>>;

const WIDTH = {{width}}u / 4u;
const LANES = 32u;

var<workgroup> parts: array<f32, LANES>;

fn total(lane: u32, part: f32) -> f32 {
    parts[lane] = part;
    workgroupBarrier();
    var sum = 0.0;
    for (var other = 0u; other < LANES; other++) {
        sum += parts[other];
    }
    workgroupBarrier();
    return sum;
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let row = group.x * WIDTH;
    var part = 0.0;
    for (var column = lane; column < WIDTH; column += LANES) {
        var value = x[row + column];
        //residual value += residual[row + column];
        y[row + column] = value;
        part += dot(value, vec4(1.0));
    }
    let mean = total(lane, part) / f32({{width}});
    part = 0.0;
    for (var column = lane; column < WIDTH; column += LANES) {
        let value = y[row + column] - mean;
        part += dot(value, value);
    }
    let scale = inverseSqrt(total(lane, part) / f32({{width}}) + bitcast<f32>(numbers[0]));
    for (var column = lane; column < WIDTH; column += LANES) {
        y[row + column] = (y[row + column] - mean) * scale * gamma[column] + beta[column];
    }
}
