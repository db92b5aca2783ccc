/* What the programs of sliders call. */
// Arithmetic of integers, as csrc/pg_int.h names it.
const whole = {
  add: (x, y) => x + y, subtract: (x, y) => x - y, multiply: (x, y) => x * y, negative: (x) => -x, square: (x) => x * x,
  mod: (x, y) => (y === 0 ? 0 : ((x % y) + y) % y), floor_divide: (x, y) => (y === 0 ? 0 : (x - whole.mod(x, y)) / y),
};
// What functions of csrc/pg_math.h are made of, where C and JavaScript differ.
const words = new DataView(new ArrayBuffer(8));
const native = {
  copysign: (x, y) => (y < 0 || Object.is(y, -0) ? -Math.abs(x) : Math.abs(x)),
  fmod: (x, y) => x % y,
  pg_bits_f64: (x) => (words.setFloat64(0, x), words.getBigUint64(0)),
  pg_from_bits_f64: (x) => (words.setBigUint64(0, x), words.getFloat64(0)),
  PG_FMA: (x, y, z) => x * y + z,
  fma: (x, y, z) => x * y + z,
  // lines of elements, nan last; of argmax and argmin the first nan counts
  argsort: (x) => x.map((_, i) => i).sort((i, j) => (x[i] !== x[i]) - (x[j] !== x[j]) || (x[i] > x[j]) - (x[i] < x[j]) || i - j),
  sort: (x) => native.argsort(x).map((i) => x[i]),
  argmax: (x) => [Math.max(x.findIndex(Number.isNaN), 0) || x.indexOf(Math.max(...x.filter((y) => y === y)))],
  argmin: (x) => native.argmax(x.map((y) => -y)),
};
