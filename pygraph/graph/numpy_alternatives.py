"""What to write instead of a function of NumPy or SciPy that pygraph does not record: one table, read by name."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

__all__ = ["ATTRIBUTES", "instead", "of_fewer_arguments"]

_SHAPE = "its result's shape would depend on values: keep the shape and use np.where(condition, x, 0.0)"
_EIGENVALUES = "they may be complex: those of a symmetric matrix are np.linalg.eigvalsh(x)"
_FOURIER = "it is a product with a fixed matrix: F = np.fft.fft(np.eye(n)) outside, F.real @ x and F.imag @ x inside"
_TYPES = "expressions have x.dtype and x.shape: np.result_type(x.dtype, y.dtype)"
_FILE = "return the values from the compiled function, and write or print those"
_INTEGER = "compute it outside of the function and give the result as an argument: integers have no derivative"
_ROOTS = (
    "they may be complex: find them outside; a step of Newton's, x - np.polyval(p, x) / slope, carries the derivative"
)
_WRITE = "expressions are not written in place: x = x.at[i].set(v), or x = np.where(mask, v, x)"
_UNSUPPORTED = "compute it outside the traced function, or write it with pg.* functions (dir(pg) lists them)"

#: One entry a line: names, then "=" and an expression to write, or ":" and advice in words. The expressions are exact
#: for the arrays that their names suggest.
_NUMPY = f"""
isnat datetime_as_string busday_count busday_offset is_busday: graphs hold no dates: convert to numbers before
bitwise_count packbits unpackbits: {_INTEGER}
apply_along_axis apply_over_axes vectorize = pg.vmap(f)(x), where f takes one slice
sort_complex: graphs hold no complex numbers: the sorted real ones are np.sort(x)
unique unique_all unique_counts unique_inverse unique_values intersect1d union1d setdiff1d setxor1d: {_SHAPE}
argwhere nonzero flatnonzero extract compress trim_zeros: {_SHAPE}
array2string array_repr array_str: print(x) shows the expression; {_FILE}
histogram2d histogramdd: count with pg.zeros(n).at[i].add(1.0), the bins i outside
copyto place put putmask: {_WRITE}
put_along_axis = x = pg.put_along_axis(x, i, v, axis)
fill_diagonal = x.at[np.arange(n), np.arange(n)].set(v)
einsum_path: bring the axes into order with np.transpose and np.reshape, then x @ y, or np.sum(x * y)
full = pg.full(shape, x)
roots: {_ROOTS}
save savetxt savez savez_compressed: {_FILE}
min_scalar_type may_share_memory shares_memory: {_TYPES}
linalg.eig linalg.eigvals: {_EIGENVALUES}
fft.fft fft.fft2 fft.fftn fft.hfft fft.ifft fft.ifft2 fft.ifftn fft.ihfft fft.irfft fft.irfft2 fft.irfftn: {_FOURIER}
fft.rfft fft.rfft2 fft.rfftn: {_FOURIER}
fft.fftshift fft.ifftshift = np.concatenate([x[-k:], x[:-k]])
add.at = x = x.at[i].add(v)
multiply.at divide.at maximum.at minimum.at power.at: {_WRITE}
logical_xor.reduce = np.sum(x, axis=0) % 2 == 1
"""
_SCIPY = """
logsumexp = pg.logsumexp(x)
softmax = pg.softmax(x, axis=None)
log_softmax = pg.log_softmax(x, axis=None)
factorial = pg.factorial(x)
comb = pg.comb(x, y)
multigammaln = pg.multigammaln(x, d)
"""


#: What to write in place of attributes and methods that arrays of other libraries have, or that work on memory.
ATTRIBUTES = {
    **dict.fromkeys(("numpy", "detach", "cpu", "cuda", "clone", "contiguous", "block_until_ready"), "leave it out"),
    "backward": "derivatives are those of functions: write pg.grad(f)(x)",
    "grad": "derivatives are those of functions: write pg.grad(f)(x)",
    "requires_grad": "leave it out: pg.grad(f) differentiates with respect to the argument of f that argnums names",
    "view": "write x.reshape(shape)",
    "sort": "x.sort() works in place: write x = np.sort(x)",
    "partition": "x.partition(k) works in place: write x = np.partition(x, k)",
    "resize": "x.resize(shape) works in place: write x = np.resize(x, shape)",
    "put": "x.put(i, v) works in place: write x = x.copy() and then x.put(i, v), or x = x.at[i].set(v)",
    "fill": "x.fill(v) works in place: write x = np.full_like(x, v), or x = x.copy() and then x.fill(v)",
    "unsqueeze": "write np.expand_dims(x, axis), or x[None]",
    "permute": "write x.transpose(axes)",
    "to": "write x.astype(dtype)",
    "float": "write x.astype('float32'), or x.astype('float64')",
    "double": "write x.astype('float64')",
    "long": "write x.astype('int64')",
    "cat": "write np.concatenate([x, y])",
    "mm": "write x @ y",
    "pow": "write x ** y",
    "norm": "write np.sqrt(np.sum(x**2))",
}


class Alternative(NamedTuple):
    """What to write in place of a function: an expression (perhaps with a few words after it), or advice in words."""

    text: str
    is_expression: bool


@lru_cache(maxsize=1)
def table() -> dict[str, Alternative]:
    """By full name (`numpy.median`, `scipy.special.expit`), what to write; read at the first error that asks."""
    found = {}
    for prefix, text in (("numpy.", _NUMPY), ("scipy.special.", _SCIPY)):
        for line in text.strip().splitlines():
            at, mark = min((line.index(mark), mark) for mark in (" = ", ": ") if mark in line)
            alternative = Alternative(line[at + len(mark) :], mark == " = ")
            for name in line[:at].split():
                found[prefix + name] = alternative
    return found


def instead(name: str) -> str:
    """What to write in place of the function of that full name."""
    known = table().get(name)
    if known is None:
        return _UNSUPPORTED
    return f"write {known.text}" if known.is_expression else known.text


#: Of functions that pygraph has: what to write in place of a call with fewer arguments than it takes.
_FEWER = {"numpy.where": f"with one argument {_SHAPE}"}


def of_fewer_arguments(name: str) -> str | None:
    """What to write in place of a call of the function of that full name that lacks arguments, where that is known."""
    return _FEWER.get(name)
