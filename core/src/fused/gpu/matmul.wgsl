// y = a·b at each place of the leading axes, whatever the strides of a and b: four rows by four columns for each
// invocation.
struct Numbers {
    rows: u32,
    columns: u32,
    depth: u32,
    inner: u32,
    a: array<u32, 4>, // strides
    b: array<u32, 4>,
}

@group(0) @binding(0) var<storage, read_write> y: array<f32>; // [outer, inner, rows, columns]
@group(0) @binding(1) var<storage, read_write> numbers: Numbers;
@group(0) @binding(2) var<storage, read_write> a: array<f32>; // [outer, inner, rows, depth]
@group(0) @binding(3) var<storage, read_write> b: array<f32>; // [outer, inner, depth, columns]

fn write(at: u32, count: u32, values: vec4<f32>) {
    for (var i = 0u; i < count; i++) {
        y[at + i] = values[i];
    }
}

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let rows = numbers.rows;
    let columns = numbers.columns;
    let row = 4u * id.y;
    let column = 4u * id.x;
    if (row >= rows || column >= columns) {
        return;
    }
    let outer = id.z / numbers.inner;
    let inner = id.z % numbers.inner;
    // the last tile reads its last row and column again in place of those that are not there
    let next = vec4(0u, 1u, 2u, 3u);
    var ia = min(vec4(row) + next, vec4(rows - 1u)) * numbers.a[2] + outer * numbers.a[0] + inner * numbers.a[1];
    var ib = min(vec4(column) + next, vec4(columns - 1u)) * numbers.b[3] + outer * numbers.b[0] + inner * numbers.b[1];
    var y0 = vec4(0.0);
    var y1 = vec4(0.0);
    var y2 = vec4(0.0);
    var y3 = vec4(0.0);
    for (var k = 0u; k < numbers.depth; k++) {
        let w = vec4(b[ib.x], b[ib.y], b[ib.z], b[ib.w]);
        y0 += a[ia.x] * w;
        y1 += a[ia.y] * w;
        y2 += a[ia.z] * w;
        y3 += a[ia.w] * w;
        ia += numbers.a[3];
        ib += numbers.b[2];
    }
    let count = min(4u, columns - column);
    let to = (id.z * rows + row) * columns + column;
    write(to, count, y0);
    if (row + 1u < rows) { write(to + columns, count, y1); }
    if (row + 2u < rows) { write(to + 2u * columns, count, y2); }
    if (row + 3u < rows) { write(to + 3u * columns, count, y3); }
}
