"""Calls of functions of integers: bits, shifts, divisors, powers."""

CALLS = """
x & y
x | y
x ^ y
~x
A & A[:1]
A | 5
3 ^ A
x & True
m & m
m ^ (x > 0)
np.bitwise_and(x, y)
np.bitwise_or(A, 12)
np.bitwise_xor(c, A)
np.bitwise_and(e, c)
np.invert(A)
np.invert(c)
np.bitwise_not(x)
x << 2
x >> 1
1 << abs(x)
x << (y & 3)
A >> (A & 70)
np.left_shift(x, y)
np.right_shift(x, y)
np.left_shift(k, c)
np.right_shift(x, o)
np.bitwise_left_shift(x, 63)
np.bitwise_right_shift(x, 70)
np.gcd(x, y)
np.gcd(A, 6)
np.gcd(c, d)
np.gcd(e, e)
np.lcm(x, y)
np.lcm(A, 6)
np.lcm(k, o)
k ** k
2 ** k
k[:, None] ** k
np.power(k, abs(k))
np.power(k, 3)
np.power(k, np.int32(2))
np.power(k, np.array([3, 1, 2]))
np.power(S.astype("int64"), k)
np.power(S.astype("int32"), k)
np.power(S.astype("int32"), k.astype("int32"))
np.power(S.astype("int32"), 3)
np.power(-2, k)
np.power(m, k[:1])
np.power(k, m[:3])
np.power(m, m)
np.power(m, 2)
np.power(k, -1)
np.power(k, [1, -1, 1])
"""
