// y = x·w + b: four rows by four columns for each invocation.
@group(0) @binding(0) var<storage, read_write> y: array<vec4<f32>>; // [rows, OUTPUT]
@group(0) @binding(1) var<storage, read_write> numbers: array<u32>; // rows
@group(0) @binding(2) var<storage, read_write> x: array<vec4<f32>>; // [rows, INPUT]
@group(0) @binding(3) var<storage, read_write> w: array<vec4<f32>>; // [4 * INPUT, OUTPUT]
@group(0) @binding(4) var<storage, read_write> b: array<vec4<f32>>; // [OUTPUT]

const INPUT = {{input}}u / 4u;
const OUTPUT = {{output}}u / 4u;

@compute @workgroup_size(16, 4)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let rows = numbers[0];
    let column = id.x;
    let row = 4u * id.y;
    if (column >= OUTPUT || row >= rows) {
        return;
    }
    // the last tile reads its last row again in place of those that are not there
    let last = rows - 1u;
    var x0 = row * INPUT;
    var x1 = min(row + 1u, last) * INPUT;
    var x2 = min(row + 2u, last) * INPUT;
    var x3 = min(row + 3u, last) * INPUT;
    var y0 = b[column];
    var y1 = y0;
    var y2 = y0;
    var y3 = y0;
    var at = column;
    for (var k = 0u; k < INPUT; k++) {
        let w0 = w[at];
        let w1 = w[at + OUTPUT];
        let w2 = w[at + 2u * OUTPUT];
        let w3 = w[at + 3u * OUTPUT];
        at += 4u * OUTPUT;
        var a = x[x0 + k];
        y0 += a.x * w0 + a.y * w1 + a.z * w2 + a.w * w3;
        a = x[x1 + k];
        y1 += a.x * w0 + a.y * w1 + a.z * w2 + a.w * w3;
        a = x[x2 + k];
        y2 += a.x * w0 + a.y * w1 + a.z * w2 + a.w * w3;
        a = x[x3 + k];
        y3 += a.x * w0 + a.y * w1 + a.z * w2 + a.w * w3;
    }
    let to = row * OUTPUT + column;
    y[to] = y0;
    if (row + 1u < rows) { y[to + OUTPUT] = y1; }
    if (row + 2u < rows) { y[to + 2u * OUTPUT] = y2; }
    if (row + 3u < rows) { y[to + 3u * OUTPUT] = y3; }
}
