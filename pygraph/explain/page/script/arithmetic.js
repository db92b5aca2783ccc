/* What the programs of sliders call. */
// Arithmetic of integers, as csrc/pg_int.h names it.
const whole = {
  add: (x, y) => x + y, subtract: (x, y) => x - y, multiply: (x, y) => x * y, negative: (x) => -x, square: (x) => x * x,
  mod: (x, y) => (y === 0 ? 0 : ((x % y) + y) % y), floor_divide: (x, y) => (y === 0 ? 0 : (x - whole.mod(x, y)) / y),
};
