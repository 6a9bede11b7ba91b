// 3x3 convolutions in bfloat16 by Winograd's F(4x4, 3x3), for CPUs with AVX-512 BF16: arXiv 1509.09308.
//
//     Y = A' [(G g G') * (B' d B)] A
//
// Each 4 x 4 pixels of the output are a tile that needs 36 products in place of 144, for each pair of channels. The
// products of all tiles are 36 matrix products, one for each place of the 6 x 6 transforms. Transforms are computed in
// float32 and rounded to bfloat16, products are summed in float32. The gradient of the input is the convolution of dY with
// the mirrored filters; that of the filters is G' [sum over tiles (A dY A') * (B' d B)] G.
//
// Arrays are channels-last: images (n, h, w, c) in bfloat16, filters (c_out, 3, 3, c_in) in float32. Numbers of
// channels are divisible by 8. dawn/models/kernels/winograd.py calls the last three functions.

#include <omp.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "lanes.h"
#include "matrix_products.h"
#include "winograd_tiles.h"
#include "winograd_transforms.h"

namespace {

constexpr int64_t CACHE = 640 * 1024;  // bytes of the second level for the transforms of a block of tiles

// Numbers from one of the places to the next: a cache line more, as equal strides of a power of two would share a set.
template <class Number>
int64_t plane(int64_t numbers) {
    return numbers + 64 / static_cast<int64_t>(sizeof(Number));
}

int64_t blocks(int64_t channels) { return (channels + COLUMNS - 1) / COLUMNS; }

int64_t columns_of(int64_t channels, int64_t first) {  // of the block of matrix products that starts there
    return std::min(COLUMNS, (channels - first + LANES - 1) / LANES * LANES);
}

// Tiles first .. first + count - 1 of x, transformed: (places, count, in).
void transformed_inputs(const Shape &s, const bfloat16 *x, int64_t first, int64_t count, const bfloat16 *zeros,
                        bfloat16 *to, int64_t plane) {
    Patch<SIDE, const bfloat16> next(s, x, s.in, first, zeros);
    for (int64_t t = 0; t < count; t++) {
        const Patch<SIDE, const bfloat16> patch = next;
        next = Patch<SIDE, const bfloat16>(s, x, s.in, first + t + 1, zeros);
        for (int64_t c = 0; c < s.in; c += LANES) {
            const __mmask16 some = lanes(s.in - c);
            Lanes d[PLACES], u[PLACES];
            next.prefetch<0>(c);
            patch.read(c, some, d), transform<Input>(d, u);
            UNROLLED (int p = 0; p < PLACES; p++) store(to + t * s.in + c + p * plane, u[p], some);
        }
    }
}

// Products (places, count, 64) to channels o .. o + 63 of the tiles' pixels.
void outputs(const Shape &s, const float *products, int64_t plane, int64_t first, int64_t count, int64_t o,
             bfloat16 *unused, bfloat16 *y) {
    Patch<TILE, bfloat16> next(s, y, s.out, first, unused);
    for (int64_t t = 0; t < count; t++) {
        const Patch<TILE, bfloat16> patch = next;
        next = Patch<TILE, bfloat16>(s, y, s.out, first + t + 1, unused);
        for (int64_t c = o; c < std::min(o + COLUMNS, s.out); c += LANES) {
            const float *from = products + t * COLUMNS + c - o;
            Lanes m[PLACES], pixels[TILE * TILE];
            next.prefetch<1>(c);
            UNROLLED (int p = 0; p < PLACES; p++) m[p] = _mm512_loadu_ps(from + p * plane);
            transform<Output>(m, pixels);
            patch.write(c, lanes(s.out - c), pixels);
        }
    }
}

// The sums (places, out, in in blocks of 64) of all threads to G' sum G: filters (out, 3, 3, in).
void filter_gradients(const Shape &s, const std::vector<float *> &sums, float *filters) {
    const int64_t width = blocks(s.in) * COLUMNS;
#pragma omp for
    for (int64_t o = 0; o < s.out; o++)
        for (int64_t i = 0; i < s.in; i += LANES) {
            Lanes u[PLACES], g[9];
            for (int p = 0; p < PLACES; p++) {
                u[p] = _mm512_setzero_ps();
                for (const float *sum : sums)
                    if (sum) u[p] += _mm512_loadu_ps(sum + (p * s.out + o) * width + i);
            }
            transform<FilterGradient>(u, g);
            for (int j = 0; j < 9; j++) _mm512_mask_storeu_ps(filters + (o * 9 + j) * s.in + i, lanes(s.in - i), g[j]);
        }
}

// The transforms of a row's filters to 16 columns: G g G'. A column's next filter is `step` numbers away.
INLINE void transformed_filters(const float *filters, int64_t in, int64_t step, __mmask16 some, bool mirror, Lanes *u) {
    const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const __m512i place = _mm512_mullo_epi32(lane, _mm512_set1_epi32(static_cast<int>(step)));
    Lanes g[9];
    for (int j = 0; j < 9; j++)
        g[j] = _mm512_mask_i32gather_ps(_mm512_setzero_ps(), some, place, filters + (mirror ? 8 - j : j) * in, 4);
    transform<Filter>(g, u);
}

}  // namespace

extern "C" {

// Filters (out, 3, 3, in) to G g G' as pairs of rows, which are the input channels, of columns, which are the others:
// (places, columns / 64, rows / 2, 64, 2). With `mirror`, for the gradient of the input, they change places.
void pack(const Shape *shape, const float *filters, int mirror, bfloat16 *packed) {
    const int64_t in = shape->in, rows = mirror ? shape->out : in, columns = mirror ? in : shape->out;
    const int64_t row = mirror ? 9 * in : 1, column = mirror ? 1 : 9 * in, place = blocks(columns) * rows * COLUMNS;
#pragma omp parallel for
    for (int64_t r = 0; r < rows; r += 2)
        for (int64_t c = 0; c < columns; c += LANES) {
            const float *from = filters + r * row + c * column;
            Lanes one[PLACES], two[PLACES];
            transformed_filters(from, in, column, lanes(columns - c), mirror, one);
            transformed_filters(from + row, in, column, lanes(columns - c), mirror, two);
            bfloat16 *to = packed + (c / COLUMNS * rows + r) * COLUMNS + c % COLUMNS * 2;
            for (int p = 0; p < PLACES; p++) _mm512_storeu_si512(to + p * place, in_turn(one[p], two[p]));
        }
}

// x (n, h, w, in) and packed filters to y (n, h, w, out).
void convolve(const Shape *shape, const bfloat16 *x, const bfloat16 *packed, bfloat16 *y) {
    const Shape s = *shape;
    const int64_t all = s.n * s.tiles(), place = blocks(s.out) * s.in * COLUMNS;
    const int64_t block = std::max<int64_t>(1, CACHE / (PLACES * (2 * s.in + 4 * COLUMNS)) / ROWS) * ROWS;
    const int64_t input = plane<bfloat16>(block * s.in), product = plane<float>(block * COLUMNS);
#pragma omp parallel
    {
        bfloat16 *inputs = kept<0, bfloat16>(PLACES * input);
        float *products = kept<0, float>(PLACES * product);
        std::vector<bfloat16> zeros(s.in), unused(s.out);
#pragma omp for schedule(static)
        for (int64_t first = 0; first < all; first += block) {
            const int64_t count = std::min(block, all - first);
            transformed_inputs(s, x, first, count, zeros.data(), inputs, input);
            for (int64_t o = 0; o < s.out; o += COLUMNS) {
                for (int64_t p = 0; p < PLACES; p++)
                    multiply(columns_of(s.out, o), count, inputs + p * input, s.in, 2, packed + p * place + o * s.in,
                             s.in / 2, products + p * product, COLUMNS, false);
                outputs(s, products, product, first, count, o, unused.data(), y);
            }
        }
    }
}

// The gradient of the filters (out, 3, 3, in) from x (n, h, w, in) and dy (n, h, w, out).
void gradient(const Shape *shape, const bfloat16 *x, const bfloat16 *dy, float *filters) {
    const Shape s = *shape;
    const int64_t all = s.n * s.tiles(), width = blocks(s.in) * COLUMNS, size = PLACES * s.out * width;
    const int64_t input = plane<bfloat16>(blocks(s.in) * PAIRS * 2 * COLUMNS);
    const int64_t output = plane<bfloat16>(blocks(s.out) * PAIRS * 2 * COLUMNS);
    std::vector<float *> sums(omp_get_max_threads());
#pragma omp parallel
    {
        bfloat16 *inputs = kept<1, bfloat16>(PLACES * input), *gradients = kept<2, bfloat16>(PLACES * output);
        float *own = kept<1, float>(size);
        std::fill(own, own + size, 0.0f);
        std::vector<bfloat16> zeros(std::max(s.in, s.out));
        sums[omp_get_thread_num()] = own;
#pragma omp for schedule(static)
        for (int64_t first = 0; first < all; first += 2 * PAIRS) {
            const int64_t count = std::min(2 * PAIRS, all - first);
            transformed_pairs<Input>(s, x, s.in, first, count, zeros.data(), inputs, input);
            transformed_pairs<Gradient>(s, dy, s.out, first, count, zeros.data(), gradients, output);
            for (int64_t p = 0; p < PLACES; p++)
                for (int64_t i = 0; i < s.in; i += COLUMNS)
                    for (int64_t o = 0; o < s.out; o += COLUMNS)
                        multiply(columns_of(s.in, i), std::min(COLUMNS, s.out - o),
                                 gradients + p * output + o * 2 * PAIRS, 2, 2 * COLUMNS,
                                 inputs + p * input + i * 2 * PAIRS, (count + 1) / 2,
                                 own + (p * s.out + o) * width + i, width, true);
        }
        filter_gradients(s, sums, filters);
    }
}

}  // extern "C"
