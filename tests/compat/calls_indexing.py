"""Calls that read and write at keys."""

CALLS = """
S[np.diag_indices_from(S)]
np.diag_indices_from(A)
A[np.tril_indices_from(A)]
A[np.triu_indices_from(A, 1)]
np.triu_indices_from(T)
A[np.tril_indices_from(A, k=-1)]
x[0]
x[-5]
x[1:4]
x[::-1]
x[4:0:-2]
x[-2:]
x[10:]
x[3:1]
x[...]
x[()]
x[None]
x[:, None]
x[None, ::2, None]
x[..., None]
c[()]
c[...]
c[None]
c[..., None]
A[1]
A[1, 2]
A[-1, -4]
A[1:, ::2]
A[::-1, ::-1]
A[:, 0]
A[..., 0]
A[0, ...]
A[None, 1, None, :2]
T[1, ..., 2]
T[:, 1]
T[..., ::-2]
T[1:, None, ::2, 3]
E[:0]
E[..., 1]
e[:]
x[k]
x[[0, 2, -1]]
x[np.array([[0, 1], [2, -3]])]
x[[]]
x[np.array(2)]
A[k]
A[:, k]
A[k, k]
A[k[:, None], k]
A[k, 1]
A[1, k]
A[k, 1:3]
A[1:, k]
A[[0, 1], [-1, 2]]
A[[[0], [1]], [1, 2, 3]]
T[k - 1]
T[0, k]
T[0, :, k]
T[:, k, 1]
T[:, k, k]
T[1, k, k]
T[[1, 0], :, [2, 3]]
T[[1, 0], ..., [2, 3]]
T[None, [1, 0], [1, 2]]
T[[1, 0], None, [1, 2]]
T[[[1], [0]], 1:, [2, 3]]
T[[1, 0]][:, [0, 2]]
x[np.array([True, False, True, True, False])]
x[~np.array([True, False, True, True, False])]
x[np.zeros(5, bool)]
A[(np.arange(12).reshape(3, 4) % 5 < 2)]
A[np.array([True, False, True])]
A[:, np.array([True, True, False, True])]
A[np.array([True, False, True]), 1]
A[[True, False, True]]
A[[True, False, True], [1, 2]]
T[:, (np.arange(12).reshape(3, 4) % 5 < 2)]
T[0, (np.arange(12).reshape(3, 4) % 5 < 2)]
T[..., np.array([True, True, False, True])]
T[[True, False], :, 1]
x[True]
x[False]
x[None, np.array([True, False, True, True, False])]
x[5]
A[3]
A[0, 4]
A[0, 0, 0]
x[[0, 5]]
x[[0, 1], [0, 1]]
A[[0, 1], [0, 1, 2]]
A[..., 0, ...]
x[np.ones(4, bool)]
np.take(x, 3)
np.take(x, -1)
np.take(x, k)
np.take(x, [[0, 1], [4, -2]])
np.take(A, k)
np.take(A, 11)
np.take(A, k, axis=0)
np.take(A, k, axis=-1)
np.take(T, [[0, 2], [1, 1]], 1)
np.take(c, 0)
np.take(x, 5)
np.take(x, [3, 7, -9], mode="wrap")
np.take(x, [3, 7, -9], mode="clip")
np.take(A, [3, 7, -9], axis=1, mode="wrap")
np.take(A, [3, 7, -9], axis=1, mode="clip")
np.take(A, [13, -1], mode="clip")
np.take(x, 9, mode="wrap")
np.take(x, [], mode="clip")
x.take(k)
A.take(k, axis=0)
A.take([9], 0, mode="clip")
np.take_along_axis(x, k, 0)
np.take_along_axis(A, k[None], 1)
np.take_along_axis(A, k[:, None], 1)
np.take_along_axis(A, k[:, None], axis=1)
np.take_along_axis(A, np.array([[0, 2, 1, -1], [2, 2, 0, 0]]), 0)
np.take_along_axis(A, k, None)
np.take_along_axis(T, np.array([[[0], [3], [1]]]), -1)
np.take_along_axis(T, np.array([[[0], [3], [1]]]), 2)
np.take_along_axis(A, k, 1)
A[np.ix_([0, 2], [1, 3, 3])]
A[np.ix_(k, [0])]
T[np.ix_([1], [2, 0], [True, False, False, True])]
np.ix_(k, k)
pg.index(x, [3, 7, -9], "wrap")
=np.take(x, [3, 7, -9], mode="wrap")
pg.index(A, (slice(None), k + 2), "clip")
=A[:, [3, 2, 3]]
pg.index(A, (k - 3, -9), "fill", 0)
=np.zeros(3, A.dtype)
pg.index(A, (k - 5, 1), "fill", 1)
=np.where([True, False, True], A[[0, 0, 0], 1], A.dtype.type(1))
pg.index_update(x, 1, y[0], "set")
=np.r_[x[:1], y[:1], x[2:]]
pg.index_update(x, slice(1, -1), y[:3], "set")
=np.r_[x[:1], y[:3], x[4:]]
pg.index_update(x, slice(None, None, -2), y[:3], "set")
=np.array([y[2], x[1], y[1], x[3], y[0]])
pg.index_update(x, ..., y, "set")
=y.copy()
pg.index_update(c, (), d, "set")
=d.copy()
pg.index_update(A, (slice(None), 1), y[:3], "set")
=np.stack([A[:, 0], y[:3], A[:, 2], A[:, 3]], 1)
pg.index_update(A, 1, y[:4], "set")
=np.stack([A[0], y[:4], A[2]])
pg.index_update(A, (slice(None), None, 1), y[:3, None], "set")
=np.stack([A[:, 0], y[:3], A[:, 2], A[:, 3]], 1)
pg.index_update(A, (1, slice(None, None, -1)), y[:4], "set")
=np.stack([A[0], y[3::-1], A[2]])
pg.index_update(T, (..., 2), A[:2, :3], "set")
=np.stack([T[..., 0], T[..., 1], A[:2, :3], T[..., 3]], -1)
pg.index_update(x, [4, 0], y[:2], "set")
=np.r_[y[1], x[1:4], y[0]]
pg.index_update(x, np.array([True, False, True, True, False]), c, "set")
=np.where(np.array([True, False, True, True, False]), c, x)
pg.index_update(x, np.array([True, False, True, True, False]), y[np.array([True, False, True, True, False])], "set")
=np.where(np.array([True, False, True, True, False]), y, x)
pg.index_update(A, (np.arange(12).reshape(3, 4) % 5 < 2), c, "set")
=np.where((np.arange(12).reshape(3, 4) % 5 < 2), c, A)
pg.index_update(A, (slice(1), [2, 0]), y[:2], "set")
=np.stack([np.array([y[1], A[0, 1], y[0], A[0, 3]]), A[1], A[2]])
pg.index_update(x, slice(1, 3), y[:2], "add")  # refused in bool
=np.r_[x[:1], x[1:3] + y[:2], x[3:]]
pg.index_update(x, k, y[:3], "add")  # refused in bool
=x + np.array([y[1], 0, y[0] + y[2], 0, 0], x.dtype)
pg.index_update(x, slice(1, 3), y[:2], "multiply")
=np.r_[x[:1], x[1:3] * y[:2], x[3:]]
pg.index_update(x, k, y[:3], "multiply")
=np.array([x[0] * y[1], x[1], x[2] * y[0] * y[2], x[3], x[4]])
pg.index_update(x, k, y[:3], "max")
=np.array([np.maximum(x[0], y[1]), x[1], max(x[2], y[0], y[2]), x[3], x[4]])
pg.index_update(x, k, y[:3], "min")
=np.array([np.minimum(x[0], y[1]), x[1], min(x[2], y[0], y[2]), x[3], x[4]])
pg.index_update(x, slice(2), y[:2], "max")
=np.r_[np.maximum(x[:2], y[:2]), x[2:]]
pg.put_along_axis(A, k[:, None], y[:3, None], 1)
=np.where(np.arange(4) == k[:, None], y[:3, None], A)
pg.put_along_axis(A, k + 4, y[:3], None)
=np.concatenate([A[:1], np.array([[y[1], A[1, 1], y[2], A[1, 3]]]), A[2:]])
"""
