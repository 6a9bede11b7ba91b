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
// channels are divisible by 8. With max pooling of 2 x 2 pixels after the convolution, its output is never stored: only the
// maxima are, with the places where they were. dawn/kernels/winograd.py calls the last six functions.

#include <omp.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "lanes.h"
#include "matrix_products.h"
#include "winograd_tiles.h"
#include "winograd_transforms.h"

namespace {

constexpr int64_t PAIRS = 64;          // of tiles at a time, for the gradient of the filters
constexpr int64_t CACHE = 680 * 1024;  // bytes of the second level for the transforms of a block of tiles
constexpr int64_t FEWEST = 60;         // tiles of a block, as each block reads all filters, unless threads had no block

// Numbers from one of the places to the next: a cache line more, as equal strides of a power of two would share a set.
template <class Number>
int64_t plane(int64_t numbers) {
    return numbers + 64 / static_cast<int64_t>(sizeof(Number));
}

int64_t blocks(int64_t channels) { return (channels + COLUMNS - 1) / COLUMNS; }

int64_t columns_of(int64_t channels, int64_t first) {  // of the block of matrix products that starts there
    return std::min(COLUMNS, (channels - first + LANES - 1) / LANES * LANES);
}

// Tiles first .. first + count - 1 of x, transformed: (places, rows, channels).
template <class Source>
void transformed_inputs(const Source &x, int64_t first, int64_t count, const Rows &rows, bfloat16 *to, int64_t plane) {
    auto next = x.template patch<SIDE>(first);
    for (int64_t t = 0; t < count; t++) {
        const auto patch = next;
        next = x.template patch<SIDE>(first + t + 1);
        for (int64_t c = 0; c < x.channels; c += LANES) {
            const __mmask16 some = lanes(x.channels - c);
            Lanes d[PLACES], u[PLACES];
            next.template prefetch<0>(c);
            patch.read(c, some, d), transform<Input>(d, u);
            UNROLLED (int p = 0; p < PLACES; p++) store(to + p * plane + rows.row(t, p) * x.channels + c, u[p], some);
        }
    }
}

// Products (places, rows, 64) to channels o .. o + 63 of the tiles' pixels. A tile without a row at some place reads
// another number there, which changes only pixels outside of the image.
template <class Target>
void outputs(const float *products, int64_t plane, int64_t first, int64_t count, const Rows &rows, int64_t o,
             const Target &y) {
    auto next = y.template patch<TILE>(first);
    for (int64_t t = 0; t < count; t++) {
        const auto patch = next;
        next = y.template patch<TILE>(first + t + 1);
        for (int64_t c = o; c < std::min(o + COLUMNS, y.channels); c += LANES) {
            const float *from = products + c - o;
            Lanes m[PLACES], pixels[TILE * TILE];
            next.template prefetch<1>(c);
            UNROLLED (int p = 0; p < PLACES; p++) m[p] = _mm512_loadu_ps(from + p * plane + rows.row(t, p) * COLUMNS);
            transform<Output>(m, pixels);
            patch.write(c, lanes(y.channels - c), pixels);
        }
    }
}

// x and packed filters to y.
template <class Source, class Target>
void convolution(const Shape &s, const Source &x, const bfloat16 *packed, const Target &y) {
    const int64_t all = s.n * s.tiles(), place = blocks(s.out) * s.in * COLUMNS;
    const int64_t threads = omp_get_max_threads(), least = std::min(FEWEST, (all + threads - 1) / threads);
    const int64_t block = std::max(least, CACHE / (PLACES * (2 * s.in + 4 * COLUMNS)) / ROWS * ROWS);
    const int64_t input = plane<bfloat16>(block * s.in), product = plane<float>(block * COLUMNS);
#pragma omp parallel
    {
        bfloat16 *inputs = kept<0, bfloat16>(PLACES * input);
        float *products = kept<0, float>(PLACES * product);
#pragma omp for schedule(static)
        for (int64_t first = 0; first < all; first += block) {
            const int64_t count = std::min(block, all - first);
            const Rows rows(s, first, count);
            transformed_inputs(x, first, count, rows, inputs, input);
            for (int64_t o = 0; o < s.out; o += COLUMNS) {
                for (int p = 0; p < PLACES; p++)
                    multiply(columns_of(s.out, o), rows.count(p), inputs + p * input, s.in, 2, packed + p * place + o * s.in,
                             s.in / 2, products + p * product, COLUMNS, false);
                outputs(products, product, first, count, rows, o, y);
            }
        }
    }
}

// Pairs first .. first + count - 1 of tiles of images or of gradients, transformed: (places, channels / 64, PAIRS, 64, 2).
// The same tiles of two images are a pair, of the last of an odd number of images and of zeros.
template <class Transform, class Source>
void transformed_pairs(const Source &x, int64_t first, int64_t count, const Rows &rows, bfloat16 *to, int64_t plane) {
    constexpr int EDGE = Transform::FROM;
    const int64_t tiles = x.shape.tiles();
    const auto of_pair = [&](int64_t pair, int64_t which) {
        return x.template patch<EDGE>((pair / tiles * 2 + which) * tiles + pair % tiles);
    };
    auto next_one = of_pair(first, 0), next_two = of_pair(first, 1);
    for (int64_t t = 0; t < count; t++) {
        const auto one = next_one, two = next_two;
        next_one = of_pair(first + t + 1, 0), next_two = of_pair(first + t + 1, 1);
        for (int64_t c = 0; c < x.channels; c += LANES) {
            const __mmask16 some = lanes(x.channels - c);
            Lanes d[EDGE * EDGE], a[PLACES], b[PLACES];
            next_one.template prefetch<0>(c), next_two.template prefetch<0>(c);
            one.read(c, some, d), transform<Transform>(d, a);
            two.read(c, some, d), transform<Transform>(d, b);
            bfloat16 *place = to + (c / COLUMNS * PAIRS * COLUMNS + c % COLUMNS) * 2;
            UNROLLED (int p = 0; p < PLACES; p++)
                _mm512_storeu_si512(place + p * plane + rows.row(t, p) * 2 * COLUMNS, in_turn(a[p], b[p]));
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

// The gradient of the filters (out, 3, 3, in) from x and dy.
template <class Target>
void gradient_of_filters(const Shape &s, const Images &x, const Target &dy, float *filters) {
    const int64_t all = (s.n + 1) / 2 * s.tiles();  // pairs
    const int64_t width = blocks(s.in) * COLUMNS, size = PLACES * s.out * width;
    const int64_t input = plane<bfloat16>(blocks(s.in) * PAIRS * 2 * COLUMNS);
    const int64_t output = plane<bfloat16>(blocks(s.out) * PAIRS * 2 * COLUMNS);
    std::vector<float *> sums(omp_get_max_threads());
#pragma omp parallel
    {
        bfloat16 *inputs = kept<1, bfloat16>(PLACES * input), *gradients = kept<2, bfloat16>(PLACES * output);
        float *sum = kept<1, float>(size), *&begun = sums[omp_get_thread_num()];
#pragma omp for schedule(static)
        for (int64_t first = 0; first < all; first += PAIRS) {
            const int64_t count = std::min(PAIRS, all - first);
            const Rows rows(s, first, count);
            transformed_pairs<Input>(x, first, count, rows, inputs, input);
            transformed_pairs<Gradient>(dy, first, count, rows, gradients, output);
            for (int p = 0; p < PLACES; p++)
                for (int64_t i = 0; i < s.in; i += COLUMNS)
                    for (int64_t o = 0; o < s.out; o += COLUMNS)
                        multiply(columns_of(s.in, i), std::min(COLUMNS, s.out - o),
                                 gradients + p * output + o * 2 * PAIRS, 2, 2 * COLUMNS,
                                 inputs + p * input + i * 2 * PAIRS, rows.count(p),
                                 sum + (p * s.out + o) * width + i, width, begun);
            begun = sum;
        }
        filter_gradients(s, sums, filters);
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
void convolve(const Shape *s, bfloat16 *x, const bfloat16 *packed, bfloat16 *y) {
    convolution(*s, Images{*s, x, s->in}, packed, Images{*s, y, s->out});
}

// x (n, h, w, in) and packed filters to the maxima z (n, h / 2, w / 2, out) of the output, and their places.
void convolve_and_pool(const Shape *s, bfloat16 *x, const bfloat16 *packed, bfloat16 *z, uint8_t *places) {
    convolution(*s, Images{*s, x, s->in}, packed, Pooled{*s, z, places, s->out});
}

// The gradient of the input, dx (n, h, w, out), from dz (n, h / 2, w / 2, in) and the places.
void convolve_pooled(const Shape *s, bfloat16 *dz, uint8_t *places, const bfloat16 *packed, bfloat16 *dx) {
    convolution(*s, Pooled{*s, dz, places, s->in}, packed, Images{*s, dx, s->out});
}

// The gradient of the filters (out, 3, 3, in) from x (n, h, w, in) and dy (n, h, w, out).
void gradient(const Shape *s, bfloat16 *x, bfloat16 *dy, float *filters) {
    gradient_of_filters(*s, Images{*s, x, s->in}, Images{*s, dy, s->out}, filters);
}

// The same from dz (n, h / 2, w / 2, out) and the places.
void gradient_pooled(const Shape *s, bfloat16 *x, bfloat16 *dz, uint8_t *places, float *filters) {
    gradient_of_filters(*s, Images{*s, x, s->in}, Pooled{*s, dz, places, s->out}, filters);
}

}  // extern "C"
