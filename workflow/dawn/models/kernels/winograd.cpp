// 3x3 convolutions in bfloat16 by Winograd's F(4x4, 3x3), for CPUs with AVX-512 BF16: arXiv 1509.09308.
//
//     Y = A' [(G g G') * (B' d B)] A
//
// Each 4 x 4 pixels of the output are a tile that needs 36 products in place of 144, for each pair of channels. The
// products of all tiles are 36 matrix products, one for each place of the 6 x 6 transforms. Transforms are computed in
// float32 and rounded to bfloat16, products are summed in float32. The polynomials are taken at 0, +-11/16, +-3/2 and
// infinity: the usual 0, +-1, +-2 double the errors (arXiv 1803.10986). The gradient of the input is the convolution of
// dY with the mirrored filters; that of the filters is G' [sum over tiles (A dY A') * (B' d B)] G.
//
// Arrays are channels-last: images (n, h, w, c) in bfloat16, filters (c_out, 3, 3, c_in) in float32. Numbers of
// channels are divisible by 8. dawn/models/kernels/winograd.py calls the last three functions.

#if !defined(__AVX512BF16__)
#error "this CPU has no AVX-512 BF16"
#elif defined(__AMX_BF16__)
#error "this CPU has AMX, with which oneDNN's convolutions are faster"
#endif

#include <immintrin.h>
#include <omp.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#define INLINE inline __attribute__((always_inline))  // so that transforms stay in registers
#define UNROLLED _Pragma("GCC unroll 36") for

namespace {

using bfloat16 = uint16_t;
using Lanes = __m512;  // 16 channels in float32

constexpr int TILE = 4, SIDE = TILE + 2, PLACES = SIDE * SIDE, LANES = 16, ROWS = 12, VECTORS = 2;
constexpr int64_t COLUMNS = 64;    // of a block of the matrix products
constexpr int64_t PAIRS = 64;                 // of tiles at a time for the gradient of the filters
constexpr int64_t CACHE = 640 * 1024;         // bytes of the second level for the transforms of a block of tiles

constexpr float P = 0.6875f, Q = 1.5f, PP = P * P, QQ = Q * Q;  // the polynomials are taken at +-P and +-Q
constexpr float C0 = 1 / (PP * QQ), CP = 1 / (2 * PP * (PP - QQ)), CQ = 1 / (2 * QQ * (QQ - PP));

struct Shape {
    int64_t n, h, w, in, out;
    int64_t across() const { return (w + TILE - 1) / TILE; }
    int64_t tiles() const { return (h + TILE - 1) / TILE * across(); }  // of an image
};

// Numbers from one of the places to the next: a cache line more, as equal strides of a power of two would share a set.
template <class Number>
int64_t plane(int64_t numbers) {
    return numbers + 64 / static_cast<int64_t>(sizeof(Number));
}

int64_t blocks(int64_t channels) { return (channels + COLUMNS - 1) / COLUMNS; }

int64_t columns_of(int64_t channels, int64_t first) {  // of the block of matrix products that starts there
    return std::min(COLUMNS, (channels - first + LANES - 1) / LANES * LANES);
}

// Memory that a thread keeps for the next call, with the numbers of the last one, in large pages.
template <int WHICH, class Number>
Number *kept(int64_t numbers) {
    constexpr int64_t PAGE = 2 << 20;
    static thread_local Number *memory = nullptr;
    static thread_local int64_t held = 0;
    if (held < numbers) {
        const int64_t bytes = (numbers * sizeof(Number) + PAGE - 1) / PAGE * PAGE;
        std::free(memory);
        memory = static_cast<Number *>(std::aligned_alloc(PAGE, bytes)), held = numbers;
        madvise(memory, bytes, MADV_HUGEPAGE);
        std::memset(memory, 0, bytes);
    }
    return memory;
}

INLINE __mmask16 lanes(int64_t left) { return static_cast<__mmask16>(left >= LANES ? 0xffff : (1 << left) - 1); }

INLINE Lanes load(const bfloat16 *p, __mmask16 some) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(some, p)), 16));
}

INLINE __m256i rounded(Lanes x) { return reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(x)); }

INLINE void store(bfloat16 *p, Lanes x, __mmask16 some) { _mm256_mask_storeu_epi16(p, some, rounded(x)); }

// The numbers of two tiles, or of two filters, in turn, as the matrix products read pairs.
INLINE __m512i in_turn(Lanes x, Lanes y) {
    __m512i low = _mm512_cvtepu16_epi32(rounded(x)), high = _mm512_slli_epi32(_mm512_cvtepu16_epi32(rounded(y)), 16);
    return _mm512_or_si512(low, high);
}

// The transforms of one column or row, `step` apart: B' d, A' m, A y, G g and G' u.
struct Input {
    static constexpr int FROM = SIDE, TO = SIDE;
    static INLINE void apply(const Lanes *d, int step, Lanes *t, int to) {
        const Lanes a = d[0], b = d[step], c = d[2 * step], e = d[3 * step], f = d[4 * step], g = d[5 * step];
        const Lanes up = f - QQ * c, vp = P * (e - QQ * b), uq = f - PP * c, vq = Q * (e - PP * b);
        t[0] = PP * QQ * a - (PP + QQ) * c + f, t[5 * to] = PP * QQ * b - (PP + QQ) * e + g;
        t[to] = up + vp, t[2 * to] = up - vp, t[3 * to] = uq + vq, t[4 * to] = uq - vq;
    }
};

struct Output {
    static constexpr int FROM = SIDE, TO = TILE;
    static INLINE void apply(const Lanes *m, int step, Lanes *y, int to) {
        const Lanes sp = m[step] + m[2 * step], dp = m[step] - m[2 * step];
        const Lanes sq = m[3 * step] + m[4 * step], dq = m[3 * step] - m[4 * step];
        y[0] = m[0] + sp + sq, y[to] = P * dp + Q * dq, y[2 * to] = PP * sp + QQ * sq;
        y[3 * to] = P * PP * dp + Q * QQ * dq + m[5 * step];
    }
};

struct Gradient {
    static constexpr int FROM = TILE, TO = SIDE;
    static INLINE void apply(const Lanes *y, int step, Lanes *m, int to) {
        const Lanes a = y[0], b = y[step], c = y[2 * step], d = y[3 * step];
        const Lanes sp = a + PP * c, dp = P * b + P * PP * d, sq = a + QQ * c, dq = Q * b + Q * QQ * d;
        m[0] = a, m[to] = sp + dp, m[2 * to] = sp - dp, m[3 * to] = sq + dq, m[4 * to] = sq - dq, m[5 * to] = d;
    }
};

struct Filter {
    static constexpr int FROM = 3, TO = SIDE;
    static INLINE void apply(const Lanes *g, int step, Lanes *u, int to) {
        const Lanes a = g[0], b = g[step], c = g[2 * step];
        const Lanes sp = CP * a + CP * PP * c, dp = CP * P * b, sq = CQ * a + CQ * QQ * c, dq = CQ * Q * b;
        u[0] = C0 * a, u[to] = sp + dp, u[2 * to] = sp - dp, u[3 * to] = sq + dq, u[4 * to] = sq - dq, u[5 * to] = c;
    }
};

struct FilterGradient {
    static constexpr int FROM = SIDE, TO = 3;
    static INLINE void apply(const Lanes *u, int step, Lanes *g, int to) {
        const Lanes sp = CP * (u[step] + u[2 * step]), dp = CP * P * (u[step] - u[2 * step]);
        const Lanes sq = CQ * (u[3 * step] + u[4 * step]), dq = CQ * Q * (u[3 * step] - u[4 * step]);
        g[0] = C0 * u[0] + sp + sq, g[to] = dp + dq, g[2 * to] = PP * sp + QQ * sq + u[5 * step];
    }
};

// A square of FROM x FROM numbers to one of TO x TO.
template <class Transform>
INLINE void transform(const Lanes *from, Lanes *to) {
    Lanes half[Transform::TO * Transform::FROM];
    UNROLLED (int i = 0; i < Transform::FROM; i++)
        Transform::apply(from + i, Transform::FROM, half + i, Transform::FROM);
    UNROLLED (int i = 0; i < Transform::TO; i++)
        Transform::apply(half + i * Transform::FROM, 1, to + i * Transform::TO, 1);
}

// The addresses of EDGE x EDGE pixels around a tile: of `outside` for those outside of the image.
template <int EDGE, class Number>
struct Patch {
    Number *pixels[EDGE * EDGE];

    Patch(const Shape &s, Number *images, int64_t channels, int64_t tile, Number *outside) {
        constexpr int64_t BORDER = (EDGE - TILE) / 2;
        const int64_t place = tile % s.tiles();
        const int64_t top = place / s.across() * TILE - BORDER, left = place % s.across() * TILE - BORDER;
        Number *image = images + tile / s.tiles() * s.h * s.w * channels;
        for (int64_t i = 0; i < EDGE; i++) {
            const int64_t row = top + i;
            const bool inside = row >= 0 && row < s.h && tile < s.n * s.tiles();
            for (int64_t j = 0; j < EDGE; j++) {
                const int64_t column = left + j;
                pixels[EDGE * i + j] =
                    inside && column >= 0 && column < s.w ? image + (row * s.w + column) * channels : outside;
            }
        }
    }

    INLINE void read(int64_t c, __mmask16 some, Lanes *d) const {
        UNROLLED (int i = 0; i < EDGE * EDGE; i++) d[i] = load(pixels[i] + c, some);
    }
};

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

template <int V>
void rows(int64_t count, const bfloat16 *a, int64_t row, int64_t step, const bfloat16 *b, int64_t pairs, float *c,
          int64_t c_row, bool add) {
    for (; count >= ROWS; count -= ROWS, a += ROWS * row, c += ROWS * c_row)
        product<ROWS, V>(a, row, step, b, pairs, c, c_row, add);
    if (count & 8) product<8, V>(a, row, step, b, pairs, c, c_row, add), a += 8 * row, c += 8 * c_row;
    if (count & 4) product<4, V>(a, row, step, b, pairs, c, c_row, add), a += 4 * row, c += 4 * c_row;
    if (count & 2) product<2, V>(a, row, step, b, pairs, c, c_row, add), a += 2 * row, c += 2 * c_row;
    if (count & 1) product<1, V>(a, row, step, b, pairs, c, c_row, add);
}

// `count` rows and `columns`, at most COLUMNS and divisible by LANES.
void multiply(int64_t columns, int64_t count, const bfloat16 *a, int64_t row, int64_t step, const bfloat16 *b,
              int64_t pairs, float *c, int64_t c_row, bool add) {
    for (; columns >= VECTORS * LANES; columns -= VECTORS * LANES, b += 2 * VECTORS * LANES, c += VECTORS * LANES)
        rows<VECTORS>(count, a, row, step, b, pairs, c, c_row, add);
    if (columns) rows<1>(count, a, row, step, b, pairs, c, c_row, add);
}

// Tiles first .. first + count - 1 of images or of gradients, transformed, in pairs of tiles:
// (places, channels / 64, PAIRS, 64, 2). Zeros are paired with the last of an odd number.
template <class Transform>
void transformed_pairs(const Shape &s, const bfloat16 *images, int64_t channels, int64_t first, int64_t count,
                       const bfloat16 *zeros, bfloat16 *to, int64_t plane) {
    constexpr int EDGE = Transform::FROM;
    for (int64_t t = 0; t < count; t += 2) {
        const int64_t next = t + 1 < count ? first + t + 1 : s.n * s.tiles();
        const Patch<EDGE, const bfloat16> one(s, images, channels, first + t, zeros);
        const Patch<EDGE, const bfloat16> two(s, images, channels, next, zeros);
        for (int64_t c = 0; c < channels; c += LANES) {
            const __mmask16 some = lanes(channels - c);
            Lanes d[EDGE * EDGE], a[PLACES], b[PLACES];
            one.read(c, some, d), transform<Transform>(d, a);
            two.read(c, some, d), transform<Transform>(d, b);
            bfloat16 *place = to + (c / COLUMNS * PAIRS + t / 2) * 2 * COLUMNS + c % COLUMNS * 2;
            UNROLLED (int p = 0; p < PLACES; p++) _mm512_storeu_si512(place + p * plane, in_turn(a[p], b[p]));
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
            for (int64_t t = 0; t < count; t++) {
                const Patch<SIDE, const bfloat16> patch(s, x, s.in, first + t, zeros.data());
                for (int64_t c = 0; c < s.in; c += LANES) {
                    const __mmask16 some = lanes(s.in - c);
                    Lanes d[PLACES], u[PLACES];
                    patch.read(c, some, d), transform<Input>(d, u);
                    UNROLLED (int p = 0; p < PLACES; p++) store(inputs + t * s.in + c + p * input, u[p], some);
                }
            }
            for (int64_t o = 0; o < s.out; o += COLUMNS) {
                for (int64_t p = 0; p < PLACES; p++)
                    multiply(columns_of(s.out, o), count, inputs + p * input, s.in, 2, packed + p * place + o * s.in,
                             s.in / 2, products + p * product, COLUMNS, false);
                for (int64_t t = 0; t < count; t++) {
                    const Patch<TILE, bfloat16> patch(s, y, s.out, first + t, unused.data());
                    for (int64_t c = o; c < std::min(o + COLUMNS, s.out); c += LANES) {
                        const __mmask16 some = lanes(s.out - c);
                        const float *from = products + t * COLUMNS + c - o;
                        Lanes m[PLACES], pixels[TILE * TILE];
                        UNROLLED (int p = 0; p < PLACES; p++) m[p] = _mm512_loadu_ps(from + p * product);
                        transform<Output>(m, pixels);
                        UNROLLED (int j = 0; j < TILE * TILE; j++) store(patch.pixels[j] + c, pixels[j], some);
                    }
                }
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
