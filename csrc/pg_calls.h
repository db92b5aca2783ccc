/* The kernels that are written in plain C, so that emitted text can hold them. */
#ifndef PG_CALLS_H
#define PG_CALLS_H

#include "pg_calls_banded.h"
#include "pg_calls_convolution.h"
#include "pg_calls_cumulative.h"
#include "pg_calls_expm.h"
#include "pg_calls_indexing.h"
#include "pg_calls_jacobi.h"
#include "pg_calls_lu.h"
#include "pg_calls_qr.h"
#include "pg_calls_svd.h"
#include "pg_calls_triangular.h"
#include "pg_calls_powers.h"
#include "pg_calls_random.h"
#include "pg_calls_segments.h"
#include "pg_calls_sorting.h"

#endif
