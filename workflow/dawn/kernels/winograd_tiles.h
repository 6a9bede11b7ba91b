// Tiles of images and of gradients: where their pixels are, and how they are read and written.

#pragma once

#include <omp.h>

#include <array>
#include <cstdint>
#include <vector>

#include "lanes.h"
#include "winograd_transforms.h"

struct Shape {
    int64_t n, h, w, in, out;
    int64_t across() const { return (w + TILE - 1) / TILE; }
    int64_t tiles() const { return (h + TILE - 1) / TILE * across(); }  // of an image
};

// In which row of a place's matrix each tile of a block is. The last row and column of the transforms, their values at
// infinity, concern only the last row and column of a tile: where these are outside of the image, it has no row there.
class Rows {
    std::vector<std::array<int64_t, 4>> rows;  // of each tile, by kind of place
    std::array<int64_t, 4> counts{};

    static constexpr int kind(int place) { return (place / SIDE == SIDE - 1) + 2 * (place % SIDE == SIDE - 1); }

  public:
    Rows(const Shape &s, int64_t first, int64_t count) {
        for (int64_t t = first; t < first + count; t++) {
            const int64_t tile = t % s.tiles();
            const bool high = (tile / s.across() + 1) * TILE <= s.h, wide = (tile % s.across() + 1) * TILE <= s.w;
            rows.push_back(counts);
            counts[0]++, counts[1] += high, counts[2] += wide, counts[3] += high && wide;
        }
    }

    int64_t count(int place) const { return counts[kind(place)]; }

    INLINE int64_t row(int64_t tile, int place) const { return rows[tile][kind(place)]; }
};

// The addresses of COUNT x COUNT pixels of an image of h x w pixels, or of its numbers in another array: of `outside` for
// those outside of it.
template <int COUNT, class Number>
struct Square {
    Number *at[COUNT * COUNT];

    Square(Number *image, int64_t h, int64_t w, int64_t channels, int64_t top, int64_t left, Number *outside) {
        for (int64_t i = 0; i < COUNT; i++) {
            const int64_t row = top + i;
            for (int64_t j = 0; j < COUNT; j++) {
                const int64_t column = left + j;
                const bool inside = image && row >= 0 && row < h && column >= 0 && column < w;
                at[COUNT * i + j] = inside ? image + (row * w + column) * channels : outside;
            }
        }
    }

    // Starts to bring the cache lines that begin with channel c, to be read (WRITE 0) or written (1): the CPU does not
    // foresee the next tile, and would wait for the memory longer than the transforms take.
    template <int WRITE>
    INLINE void prefetch(int64_t c) const {
        constexpr int64_t LINE = 64 / sizeof(Number);
        if (c % LINE == 0) UNROLLED (int i = 0; i < COUNT * COUNT; i++) __builtin_prefetch(at[i] + c, WRITE);
    }
};

// What pixels outside of images are read from, zeros, or written to: for each thread some numbers of its own.
template <class Number>
struct Outside {
    int64_t each;
    mutable std::vector<Number> numbers;

    explicit Outside(int64_t channels) : each(channels + 128), numbers(omp_get_max_threads() * each) {}

    Number *of_thread() const { return numbers.data() + omp_get_thread_num() * each; }
};

// Images (n, h, w, channels).
struct Images {
    const Shape &shape;
    bfloat16 *pixels;
    int64_t channels;
    Outside<bfloat16> outside{channels};

    template <int EDGE>
    struct Patch {  // EDGE x EDGE pixels around a tile
        Square<EDGE, bfloat16> pixels;

        template <int WRITE>
        INLINE void prefetch(int64_t c) const {
            pixels.template prefetch<WRITE>(c);
        }

        INLINE void read(int64_t c, __mmask16 some, Lanes *d) const {
            UNROLLED (int i = 0; i < EDGE * EDGE; i++) d[i] = load(pixels.at[i] + c, some);
        }

        INLINE void write(int64_t c, __mmask16 some, const Lanes *d) const {
            UNROLLED (int i = 0; i < EDGE * EDGE; i++) store(pixels.at[i] + c, d[i], some);
        }
    };

    template <int EDGE>
    Patch<EDGE> patch(int64_t tile) const {
        const Shape &s = shape;
        constexpr int64_t BORDER = (EDGE - TILE) / 2;
        const int64_t place = tile % s.tiles(), row = place / s.across() * TILE, column = place % s.across() * TILE;
        bfloat16 *image = tile < s.n * s.tiles() ? pixels + tile / s.tiles() * s.h * s.w * channels : nullptr;
        return {{image, s.h, s.w, channels, row - BORDER, column - BORDER, outside.of_thread()}};
    }
};

// Images of which only the maxima of 2 x 2 pixels are kept: (n, h / 2, w / 2, channels), with `places` that say which of
// the four each was. Read as a gradient, the other pixels are 0.
struct Pooled {
    const Shape &shape;
    bfloat16 *maxima;
    uint8_t *places;
    int64_t channels;
    Outside<bfloat16> outside{channels};
    Outside<uint8_t> outside_places{channels};

    template <int EDGE>
    struct Patch {
        static constexpr int BORDER = (EDGE - TILE) / 2, COUNT = EDGE / 2 + BORDER;  // of the maxima
        Square<COUNT, bfloat16> maxima;
        Square<COUNT, uint8_t> places;

        template <int WRITE>
        INLINE void prefetch(int64_t c) const {
            maxima.template prefetch<WRITE>(c), places.template prefetch<WRITE>(c);
        }

        INLINE void read(int64_t c, __mmask16 some, Lanes *d) const {
            UNROLLED (int i = 0; i < EDGE * EDGE; i++) {
                const int row = i / EDGE + BORDER, column = i % EDGE + BORDER, of = row / 2 * COUNT + column / 2;
                const __m512i place = load(places.at[of] + c, some), here = _mm512_set1_epi32(row % 2 * 2 + column % 2);
                d[i] = _mm512_maskz_mov_ps(_mm512_cmpeq_epi32_mask(place, here), load(maxima.at[of] + c, some));
            }
        }

        INLINE void write(int64_t c, __mmask16 some, const Lanes *d) const {  // the first of equal ones
            UNROLLED (int i = 0; i < COUNT * COUNT; i++) {
                const Lanes *four = d + i / COUNT * 2 * EDGE + i % COUNT * 2;
                Lanes largest = four[0];
                __m512i place = _mm512_setzero_si512();
                UNROLLED (int j = 1; j < 4; j++) {
                    const Lanes other = four[j / 2 * EDGE + j % 2];
                    const __mmask16 larger = _mm512_cmp_ps_mask(other, largest, _CMP_GT_OQ);
                    largest = _mm512_mask_mov_ps(largest, larger, other);
                    place = _mm512_mask_mov_epi32(place, larger, _mm512_set1_epi32(j));
                }
                store(maxima.at[i] + c, largest, some), store(places.at[i] + c, place, some);
            }
        }
    };

    template <int EDGE>
    Patch<EDGE> patch(int64_t tile) const {
        using P = Patch<EDGE>;
        const Shape &s = shape;
        const int64_t h = s.h / 2, w = s.w / 2, place = tile % s.tiles();
        const int64_t row = place / s.across() * TILE / 2 - P::BORDER, column = place % s.across() * TILE / 2 - P::BORDER;
        const bool inside = tile < s.n * s.tiles();
        const int64_t image = tile / s.tiles() * h * w * channels;
        return {{inside ? maxima + image : nullptr, h, w, channels, row, column, outside.of_thread()},
                {inside ? places + image : nullptr, h, w, channels, row, column, outside_places.of_thread()}};
    }
};
