// Products of matrices in bfloat16, summed in float32.

#pragma once

#include <cstdint>
#include <cstring>

#include "lanes.h"

constexpr int ROWS = 12, VECTORS = 2;  // of a block that is summed in registers
constexpr int64_t COLUMNS = 64;        // of the blocks that B is stored in

INLINE __m512bh pair(const bfloat16 *p) {  // the same two numbers in all lanes
    int32_t two;
    std::memcpy(&two, p, 4);
    return reinterpret_cast<__m512bh>(_mm512_set1_epi32(two));
}

// C (R, 16 V) = A B or, with `add`, C + A B, over `pairs` pairs of k. Two k of a row of A are together, `row` apart
// from those of the next row and `step` from the next two; of B each column's two k, 2 COLUMNS from the next two.
template <int R, int V>
void product(const bfloat16 *a, int64_t row, int64_t step, const bfloat16 *b, int64_t pairs, float *c, int64_t c_row,
             bool add) {
    Lanes sums[R][V];
    for (int i = 0; i < R; i++)
        for (int j = 0; j < V; j++)
            sums[i][j] = add ? _mm512_loadu_ps(c + i * c_row + j * LANES) : _mm512_setzero_ps();
    for (int64_t k = 0; k < pairs; k++) {
        __m512bh columns[V];
        for (int j = 0; j < V; j++)
            columns[j] = reinterpret_cast<__m512bh>(_mm512_loadu_si512(b + k * 2 * COLUMNS + 2 * j * LANES));
        for (int i = 0; i < R; i++) {
            const __m512bh one = pair(a + i * row + k * step);
            for (int j = 0; j < V; j++) sums[i][j] = _mm512_dpbf16_ps(sums[i][j], one, columns[j]);
        }
    }
    for (int i = 0; i < R; i++)
        for (int j = 0; j < V; j++) _mm512_storeu_ps(c + i * c_row + j * LANES, sums[i][j]);
}

// `count` rows, divisible by R, or fewer than 2 R.
template <int R, int V>
void rows(int64_t count, const bfloat16 *a, int64_t row, int64_t step, const bfloat16 *b, int64_t pairs, float *c,
          int64_t c_row, bool add) {
    for (; count >= R; count -= R, a += R * row, c += R * c_row) product<R, V>(a, row, step, b, pairs, c, c_row, add);
    if constexpr (R > 1) rows<R / 2, V>(count, a, row, step, b, pairs, c, c_row, add);
}

// `count` rows and `columns`, at most COLUMNS and divisible by LANES. What is left after blocks of ROWS rows is computed
// for more columns at a time, so that enough sums are under way.
void multiply(int64_t columns, int64_t count, const bfloat16 *a, int64_t row, int64_t step, const bfloat16 *b,
              int64_t pairs, float *c, int64_t c_row, bool add) {
    const int64_t most = count / ROWS * ROWS, left = count - most;
    const bfloat16 *rest = a + most * row;
    float *below = c + most * c_row;
    for (int64_t j = 0; j < columns; j += VECTORS * LANES)
        if (columns - j >= VECTORS * LANES)
            rows<ROWS, VECTORS>(most, a, row, step, b + 2 * j, pairs, c + j, c_row, add);
        else
            rows<ROWS, 1>(most, a, row, step, b + 2 * j, pairs, c + j, c_row, add);
    if (columns == COLUMNS)
        rows<ROWS / 3, 2 * VECTORS>(left, rest, row, step, b, pairs, below, c_row, add);
    else
        for (int64_t j = 0; j < columns; j += LANES)
            rows<ROWS, 1>(left, rest, row, step, b + 2 * j, pairs, below + j, c_row, add);
}
