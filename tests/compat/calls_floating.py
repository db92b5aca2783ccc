"""Calls of functions of the parts of floating numbers, of choices, comparisons, angles."""

CALLS = """
np.copysign(x, y)
np.copysign(A, -1.0)
np.copysign(A, A[:1])
np.copysign(c, -0.0)
np.nextafter(x, 10.0)
np.nextafter(x, y)  # kinks
np.nextafter(e, 1.0)
np.fmod(x, y)  # kinks, refused in bool
np.fmod(A, 0.7)  # kinks
np.fmod(x, 0)  # kinks
np.divmod(x, y)  # kinks, refused in bool
divmod(A, 0.7)  # kinks
divmod(7, o)  # kinks
np.fmax(x, y)
np.fmax(A, 0.5)
np.fmax(np.where(m, x, np.nan), y)  # kinks
np.fmin(x, y)
np.fmin(c, A)
np.fmin(np.where(m, np.nan, x), np.nan)  # kinks
np.heaviside(x, y)
np.heaviside(A, 0.5)
np.heaviside(x - x, y)
np.heaviside(c, d)
np.logaddexp2(x, y)
np.logaddexp2(A, 300)
np.logaddexp2(A, -np.inf)  # kinks
np.signbit(x)
np.signbit(-0.0 * A)
np.isneginf(x)
np.isneginf(np.log(x - x))
np.isposinf(x)
np.isposinf(-np.log(x - x))
np.fix(A)
np.fix(c)
np.sinc(x)
np.sinc(A - A)
np.sinc(c / 9)
np.deg2rad(x)
np.radians(A)
np.rad2deg(x)
np.degrees(c)
np.ldexp(x, 2)
np.ldexp(x, np.arange(5) - 2)
np.ldexp(A, -1080)
np.ldexp(A, k[:, None])
np.ldexp(x, x)  # kinks
np.frexp(x)
np.frexp(A * 1e-310)  # kinks
np.frexp(c)
np.frexp(np.log(x - x))  # kinks
np.modf(x)
np.modf(A)
np.modf(np.log(x - x))  # kinks
np.spacing(x)
np.spacing(c)
np.float_power(abs(x) + 1, y)
np.float_power(k, -1)  # kinks
np.float_power(2, x)
np.positive(x)
np.real(x)
np.imag(A)
x.real
x.imag
np.conj(x)
np.conjugate(A)
x.conj()
x.conjugate()
np.angle(x)
np.angle(A, deg=True)
np.angle(-0.0 * x)
np.iscomplex(A)
np.isreal(x)
np.real_if_close(x)
np.nan_to_num(x)
np.nan_to_num(np.log(x - x))  # kinks
np.nan_to_num(np.where(m, x, np.nan), nan=2.0)
np.nan_to_num(-np.log(x - x), posinf=3, neginf=-3)  # kinks
np.isclose(x, y)
np.isclose(x, x + 1e-9)
np.isclose(A, A[:1], atol=2)
np.isclose(x, y, rtol=0.5, atol=0)
np.isclose(np.log(x - x), -np.inf)
np.isclose(np.where(m, x, np.nan), np.where(m, x, np.nan))
np.isclose(np.where(m, x, np.nan), np.where(m, x, np.nan), equal_nan=True)
np.allclose(x, x)
np.allclose(A, B)
np.allclose(A, A[:1], 1.0, 9.0)
np.allclose(e, 1.0)
np.array_equal(x, x)
np.array_equal(x, y)
np.array_equal(x, A)
np.array_equal(np.where(m, x, np.nan), np.where(m, x, np.nan), equal_nan=True)
np.array_equiv(x, x)
np.array_equiv(A, A[:1])
np.array_equiv(A, x)
np.select([x > 0, x < -1], [x, y])
np.select([x > 0, m], [x * 2, 1.5], default=-1)
np.select([m], [x], np.float32(3))
np.select([M, A > 1], [A, c], 7)
np.select([x > 0], [x, y])
np.select([k], [x[:3]])
np.piecewise(x, [x < 0, x >= 0], [lambda x: 1 - x, lambda x: x * x])  # kinks
np.piecewise(x, [x < 0], [3, 2])
np.piecewise(x, x > 0, [lambda x, a: a * x, lambda x, a: x], 2)
np.piecewise(A, [M, A > 1], [1, lambda a: a, 5])
np.choose(k, [x[:3], y[:3], z[:3]])
np.choose(k, A[:, :3])
np.choose(k, [c, x[2:], 1], mode="wrap")
np.choose(k - 1, [x[:3], y[:3]], mode="clip")
np.choose(k - 1, [x[:3], y[:3]], mode="wrap")
k.choose([x[:3], y[:3], z[:3]])  # kinks
np.unwrap(x * 3)  # kinks
np.unwrap(A, axis=0)
np.unwrap(A, period=4)  # kinks
np.unwrap(x, discont=1)
np.unwrap(x, 5.0, period=2)  # kinks
np.unwrap(o)
np.add.outer(x, y)
np.subtract.outer(A, x)
np.multiply.outer(x, c)
np.maximum.outer(x, z)
np.less.outer(x, y)
np.logaddexp2.outer(x, y)
np.add.outer(x, [1, 2])
np.copysign.outer(e, x)
"""
