// 3x3 convolutions in bfloat16 by Winograd's F(2x2, 3x3), for CPUs with AVX-512 BF16: arXiv 1509.09308.
//
//     Y = A' [(G g G') * (B' d B)] A
//
// Each 2 x 2 pixels of the output are a tile that needs 16 products in place of 36, for each pair of channels. The
// products of all tiles are 16 matrix products, one for each place of the 4 x 4 transforms. Transforms are computed in
// float32 and rounded to bfloat16, products are summed in float32. The gradient of the input is the convolution of dY
// with the mirrored filters; that of the filters is G' [sum over tiles (A dY A') * (B' d B)] G.
//
// Arrays are channels-last: images (n, h, w, c) in bfloat16, filters (c_out, 3, 3, c_in) in float32. Numbers of
// channels are divisible by 8. dawn/models/kernels/winograd.py calls the last three functions.

#if !defined(__AVX512BF16__)
#error "this CPU has no AVX-512 BF16"
#elif defined(__AMX_BF16__)
#error "this CPU has AMX, with which oneDNN's convolutions are faster"
#endif

#include <immintrin.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#define INLINE inline __attribute__((always_inline))  // so that transforms stay in registers
#define UNROLLED _Pragma("GCC unroll 16") for

namespace {

using bfloat16 = uint16_t;
using Lanes = __m512;  // 16 channels in float32

constexpr int PLACES = 16, LANES = 16, ROWS = 6, VECTORS = 4;
constexpr int64_t COLUMNS = LANES * VECTORS;  // of a block of the matrix products
constexpr int64_t PAIRS = 128;                // of tiles at a time for the gradient of the filters
constexpr int64_t BLOCK = 64;                 // tiles at a time, so that their transforms stay in the cache

struct Shape {
    int64_t n, h, w, in, out;
    int64_t across() const { return (w + 1) / 2; }
    int64_t tiles() const { return (h + 1) / 2 * across(); }  // of an image
};

// Numbers from one of the 16 places to the next: a cache line more, as equal strides of a power of two would share a set.
template <class Number>
int64_t plane(int64_t numbers) {
    return numbers + 64 / static_cast<int64_t>(sizeof(Number));
}

int64_t padded(int64_t channels) { return (channels + LANES - 1) / LANES * LANES; }

int64_t blocks(int64_t channels) { return (channels + COLUMNS - 1) / COLUMNS; }

INLINE __mmask16 lanes(int64_t left) { return static_cast<__mmask16>(left >= LANES ? 0xffff : (1 << left) - 1); }

INLINE Lanes load(const bfloat16 *p, __mmask16 some) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(some, p)), 16));
}

INLINE __m256i rounded(Lanes x) { return reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(x)); }

INLINE void store(bfloat16 *p, Lanes x, __mmask16 some) { _mm256_mask_storeu_epi16(p, some, rounded(x)); }

// Stores the channels of two tiles in turn, as the matrix products read pairs.
INLINE void store_pair(bfloat16 *p, Lanes x, Lanes y, __mmask16 some) {
    __m512i low = _mm512_cvtepu16_epi32(rounded(x)), high = _mm512_slli_epi32(_mm512_cvtepu16_epi32(rounded(y)), 16);
    _mm512_mask_storeu_epi32(p, some, _mm512_or_si512(low, high));
}

// d (4, 4) to B' d B, in place.
INLINE void input_transform(Lanes d[PLACES]) {
    UNROLLED (int pass = 0; pass < 2; pass++) {
        const int step = pass ? 1 : 4, next = pass ? 4 : 1;
        UNROLLED (int i = 0; i < 4; i++) {
            Lanes *p = d + i * next, a = p[0], b = p[step], c = p[2 * step], e = p[3 * step];
            p[0] = a - c, p[step] = b + c, p[2 * step] = c - b, p[3 * step] = b - e;
        }
    }
}

// m (4, 4) to A' m A (2, 2).
INLINE void output_transform(const Lanes m[PLACES], Lanes y[4]) {
    Lanes half[8];
    UNROLLED (int i = 0; i < 4; i++) {
        half[i] = m[i] + m[4 + i] + m[8 + i];
        half[4 + i] = m[4 + i] - m[8 + i] - m[12 + i];
    }
    UNROLLED (int i = 0; i < 2; i++) {
        const Lanes *p = half + 4 * i;
        y[2 * i] = p[0] + p[1] + p[2], y[2 * i + 1] = p[1] - p[2] - p[3];
    }
}

// y (2, 2) to A y A' (4, 4).
INLINE void gradient_transform(const Lanes y[4], Lanes m[PLACES]) {
    Lanes half[8] = {y[0], y[1], y[0] + y[2], y[1] + y[3], y[0] - y[2], y[1] - y[3], -y[2], -y[3]};
    UNROLLED (int i = 0; i < 4; i++) {
        Lanes a = half[2 * i], b = half[2 * i + 1];
        m[4 * i] = a, m[4 * i + 1] = a + b, m[4 * i + 2] = a - b, m[4 * i + 3] = -b;
    }
}

// The addresses of SIDE x SIDE pixels around a tile: of `outside` for those outside of the image.
template <int SIDE, class Number>
struct Patch {
    Number *pixels[SIDE * SIDE];

    Patch(const Shape &s, Number *images, int64_t channels, int64_t tile, Number *outside) {
        const int64_t place = tile % s.tiles(), border = SIDE / 4;
        const int64_t row = place / s.across() * 2 - border, column = place % s.across() * 2 - border;
        Number *image = images + tile / s.tiles() * s.h * s.w * channels;
        for (int64_t i = 0; i < SIDE * SIDE; i++) {
            const int64_t r = row + i / SIDE, c = column + i % SIDE;
            const bool inside = r >= 0 && r < s.h && c >= 0 && c < s.w && tile < s.n * s.tiles();
            pixels[i] = inside ? image + (r * s.w + c) * channels : outside;
        }
    }

    INLINE void read(int64_t c, __mmask16 some, Lanes *d) const {
        UNROLLED (int i = 0; i < SIDE * SIDE; i++) d[i] = load(pixels[i] + c, some);
    }
};

INLINE __m512bh pair(const bfloat16 *p) {  // the same two numbers in all lanes
    int32_t two;
    std::memcpy(&two, p, 4);
    return reinterpret_cast<__m512bh>(_mm512_set1_epi32(two));
}

// C (R, 16 V) = A B or, with `add`, C + A B, over `pairs` pairs of k. Two k of a row of A are together, `row` apart from
// the next row's and `step` from the next two; of B each column's two k, `b_step` from the next two.
template <int R, int V>
void product(const bfloat16 *a, int64_t row, int64_t step, const bfloat16 *b, int64_t b_step, int64_t pairs, float *c,
             int64_t c_row, bool add) {
    Lanes sums[R][V];
    for (int i = 0; i < R; i++)
        for (int j = 0; j < V; j++)
            sums[i][j] = add ? _mm512_loadu_ps(c + i * c_row + j * LANES) : _mm512_setzero_ps();
    for (int64_t k = 0; k < pairs; k++) {
        __m512bh columns[V];
        for (int j = 0; j < V; j++)
            columns[j] = reinterpret_cast<__m512bh>(_mm512_loadu_si512(b + k * b_step + 2 * j * LANES));
        for (int i = 0; i < R; i++) {
            const __m512bh one = pair(a + i * row + k * step);
            for (int j = 0; j < V; j++) sums[i][j] = _mm512_dpbf16_ps(sums[i][j], one, columns[j]);
        }
    }
    for (int i = 0; i < R; i++)
        for (int j = 0; j < V; j++) _mm512_storeu_ps(c + i * c_row + j * LANES, sums[i][j]);
}

template <int V>
void rows(int64_t count, const bfloat16 *a, int64_t row, int64_t step, const bfloat16 *b, int64_t b_step, int64_t pairs,
          float *c, int64_t c_row, bool add) {
    for (; count >= ROWS; count -= ROWS, a += ROWS * row, c += ROWS * c_row)
        product<ROWS, V>(a, row, step, b, b_step, pairs, c, c_row, add);
    if (count & 4) product<4, V>(a, row, step, b, b_step, pairs, c, c_row, add), a += 4 * row, c += 4 * c_row;
    if (count & 2) product<2, V>(a, row, step, b, b_step, pairs, c, c_row, add), a += 2 * row, c += 2 * c_row;
    if (count & 1) product<1, V>(a, row, step, b, b_step, pairs, c, c_row, add);
}

// `count` rows and `columns`, at most COLUMNS and divisible by LANES.
void multiply(int64_t columns, int64_t count, const bfloat16 *a, int64_t row, int64_t step, const bfloat16 *b,
              int64_t b_step, int64_t pairs, float *c, int64_t c_row, bool add) {
    auto *call = columns == 64 ? rows<4> : columns == 48 ? rows<3> : columns == 32 ? rows<2> : rows<1>;
    call(count, a, row, step, b, b_step, pairs, c, c_row, add);
}

INLINE void transformed(const Patch<4, const bfloat16> &patch, int64_t c, __mmask16 some, Lanes d[PLACES]) {
    patch.read(c, some, d);
    input_transform(d);
}

INLINE void transformed(const Patch<2, const bfloat16> &patch, int64_t c, __mmask16 some, Lanes m[PLACES]) {
    Lanes four[4];
    patch.read(c, some, four);
    gradient_transform(four, m);
}

// Tiles first .. first + count - 1 of images or, with SIDE 2, of gradients, transformed, in pairs of tiles:
// (16, channels / 64, PAIRS, 64, 2). Zeros are paired with the last of an odd number.
template <int SIDE>
void transformed_pairs(const Shape &s, const bfloat16 *images, int64_t channels, int64_t first, int64_t count,
                       const bfloat16 *zeros, bfloat16 *to, int64_t plane) {
    for (int64_t t = 0; t < count; t += 2) {
        const Patch<SIDE, const bfloat16> one(s, images, channels, first + t, zeros);
        const Patch<SIDE, const bfloat16> two(s, images, channels, t + 1 < count ? first + t + 1 : s.n * s.tiles(), zeros);
        for (int64_t c = 0; c < channels; c += LANES) {
            const __mmask16 some = lanes(channels - c);
            Lanes a[PLACES], b[PLACES];
            transformed(one, c, some, a), transformed(two, c, some, b);
            UNROLLED (int p = 0; p < PLACES; p++)
                store_pair(to + p * plane + (c / COLUMNS * PAIRS + t / 2) * 2 * COLUMNS + c % COLUMNS * 2, a[p], b[p], some);
        }
    }
}

// Sums (16, out, in padded) to G' sum G: filters (out, 3, 3, in).
void filter_gradients(const Shape &s, const std::vector<float> &total, float *filters) {
    const int64_t width = padded(s.in);
#pragma omp parallel for
    for (int64_t o = 0; o < s.out; o++)
        for (int64_t i = 0; i < s.in; i += LANES) {
            Lanes u[PLACES], half[3][4];
            for (int p = 0; p < PLACES; p++) u[p] = _mm512_loadu_ps(&total[(p * s.out + o) * width + i]);
            for (int j = 0; j < 4; j++) {
                const Lanes sum = (u[4 + j] + u[8 + j]) * 0.5f, difference = (u[4 + j] - u[8 + j]) * 0.5f;
                half[0][j] = u[j] + sum, half[1][j] = difference, half[2][j] = sum + u[12 + j];
            }
            for (int j = 0; j < 3; j++) {
                const Lanes *a = half[j], sum = (a[1] + a[2]) * 0.5f, difference = (a[1] - a[2]) * 0.5f;
                const Lanes three[] = {a[0] + sum, difference, sum + a[3]};
                for (int k = 0; k < 3; k++)
                    _mm512_mask_storeu_ps(filters + (o * 9 + 3 * j + k) * s.in + i, lanes(s.in - i), three[k]);
            }
        }
}

}  // namespace

extern "C" {

// Filters (out, 3, 3, in), or with `mirror` those of the gradient of the input, to G g G' as pairs of input channels:
// (16, in / 2, out padded, 2); with `mirror` in and out change places.
void pack(const Shape *shape, const float *filters, int mirror, bfloat16 *packed) {
    const int64_t rows = mirror ? shape->out : shape->in, columns = mirror ? shape->in : shape->out;
    const int64_t width = padded(columns), place = rows * width;
#pragma omp parallel for
    for (int64_t r = 0; r < rows; r++)
        for (int64_t c = 0; c < width; c++) {
            const int64_t i = mirror ? c : r, o = mirror ? r : c;
            float half[4][3], g[3][3] = {};
            for (int j = 0; j < 9 && c < columns; j++)
                g[j / 3][j % 3] = filters[(o * 9 + (mirror ? 8 - j : j)) * shape->in + i];
            for (int j = 0; j < 3; j++) {
                half[0][j] = g[0][j], half[3][j] = g[2][j];
                half[1][j] = (g[0][j] + g[1][j] + g[2][j]) / 2, half[2][j] = (g[0][j] - g[1][j] + g[2][j]) / 2;
            }
            for (int j = 0; j < 4; j++) {
                const float *a = half[j], all[] = {a[0], (a[0] + a[1] + a[2]) / 2, (a[0] - a[1] + a[2]) / 2, a[2]};
                for (int k = 0; k < 4; k++)
                    packed[(4 * j + k) * place + r / 2 * 2 * width + 2 * c + r % 2] =
                        _mm256_extract_epi16(rounded(_mm512_set1_ps(all[k])), 0);
            }
        }
}

// x (n, h, w, in) and packed filters to y (n, h, w, out).
void convolve(const Shape *shape, const bfloat16 *x, const bfloat16 *packed, bfloat16 *y) {
    const Shape s = *shape;
    const int64_t width = padded(s.out), all = s.n * s.tiles();
    const int64_t input = plane<bfloat16>(BLOCK * s.in), product = plane<float>(BLOCK * COLUMNS);
#pragma omp parallel firstprivate(s, width, all, input, product)
    {
        std::vector<bfloat16> inputs(PLACES * input), zeros(s.in), unused(s.out);
        std::vector<float> products(PLACES * product);
#pragma omp for schedule(static)
        for (int64_t first = 0; first < all; first += BLOCK) {
            const int64_t count = std::min(BLOCK, all - first);
            for (int64_t t = 0; t < count; t++) {
                const Patch<4, const bfloat16> patch(s, x, s.in, first + t, zeros.data());
                bfloat16 *to = &inputs[t * s.in];
                for (int64_t c = 0; c < s.in; c += LANES) {
                    const __mmask16 some = lanes(s.in - c);
                    Lanes d[PLACES];
                    transformed(patch, c, some, d);
                    UNROLLED (int p = 0; p < PLACES; p++) store(to + p * input + c, d[p], some);
                }
            }
            for (int64_t o = 0; o < width; o += COLUMNS) {
                for (int64_t p = 0; p < PLACES; p++)
                    multiply(std::min(COLUMNS, width - o), count, &inputs[p * input], s.in, 2,
                             packed + p * s.in * width + 2 * o, 2 * width, s.in / 2, &products[p * product],
                             COLUMNS, false);
                for (int64_t t = 0; t < count; t++) {
                    const Patch<2, bfloat16> patch(s, y, s.out, first + t, unused.data());
                    const float *from = &products[t * COLUMNS];
                    for (int64_t c = o; c < std::min(o + COLUMNS, s.out); c += LANES) {
                        const __mmask16 some = lanes(s.out - c);
                        Lanes m[PLACES], four[4];
                        UNROLLED (int p = 0; p < PLACES; p++) m[p] = _mm512_loadu_ps(from + p * product + c - o);
                        output_transform(m, four);
                        UNROLLED (int j = 0; j < 4; j++) store(patch.pixels[j] + c, four[j], some);
                    }
                }
            }
        }
    }
}

// The gradient of the filters (out, 3, 3, in) from x (n, h, w, in) and dy (n, h, w, out).
void gradient(const Shape *shape, const bfloat16 *x, const bfloat16 *dy, float *filters) {
    const Shape s = *shape;
    const int64_t width = padded(s.in), all = s.n * s.tiles();
    const int64_t input = plane<bfloat16>(blocks(s.in) * PAIRS * 2 * COLUMNS);
    const int64_t output = plane<bfloat16>(blocks(s.out) * PAIRS * 2 * COLUMNS);
    std::vector<float> total(PLACES * s.out * width);
#pragma omp parallel
    {
        std::vector<bfloat16> inputs(PLACES * input), gradients(PLACES * output), zeros(std::max(s.in, s.out));
        std::vector<float> sums(PLACES * s.out * width);
#pragma omp for schedule(static)
        for (int64_t first = 0; first < all; first += 2 * PAIRS) {
            const int64_t count = std::min(2 * PAIRS, all - first);
            transformed_pairs<4>(s, x, s.in, first, count, zeros.data(), inputs.data(), input);
            transformed_pairs<2>(s, dy, s.out, first, count, zeros.data(), gradients.data(), output);
            for (int64_t p = 0; p < PLACES; p++)
                for (int64_t i = 0; i < width; i += COLUMNS)
                    for (int64_t o = 0; o < s.out; o += COLUMNS)
                        multiply(std::min(COLUMNS, width - i), std::min(COLUMNS, s.out - o),
                                 &gradients[p * output + o * 2 * PAIRS], 2, 2 * COLUMNS,
                                 &inputs[p * input + i * 2 * PAIRS], 2 * COLUMNS, (count + 1) / 2,
                                 &sums[(p * s.out + o) * width + i], width, true);
        }
#pragma omp critical
        for (size_t i = 0; i < total.size(); i++) total[i] += sums[i];
    }
    filter_gradients(s, total, filters);
}

}  // extern "C"
