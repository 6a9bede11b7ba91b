// Tiles of images and of gradients: where their pixels are, and their transforms in pairs.

#pragma once

#include <algorithm>
#include <cstdint>

#include "lanes.h"
#include "matrix_products.h"
#include "winograd_transforms.h"

constexpr int64_t PAIRS = 64;  // of tiles at a time for the gradient of the filters

struct Shape {
    int64_t n, h, w, in, out;
    int64_t across() const { return (w + TILE - 1) / TILE; }
    int64_t tiles() const { return (h + TILE - 1) / TILE * across(); }  // of an image
};

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

    INLINE void write(int64_t c, __mmask16 some, const Lanes *d) const {
        UNROLLED (int i = 0; i < EDGE * EDGE; i++) store(pixels[i] + c, d[i], some);
    }

    // Starts to bring the pixels' cache lines that begin with channel c, to be read (WRITE 0) or written (1): the CPU
    // does not foresee the next tile, and would wait for the memory longer than the transforms take.
    template <int WRITE>
    INLINE void prefetch(int64_t c) const {
        constexpr int64_t LINE = 64 / sizeof(bfloat16);
        if (c % LINE == 0) UNROLLED (int i = 0; i < EDGE * EDGE; i++) __builtin_prefetch(pixels[i] + c, WRITE);
    }
};

// Tiles first .. first + count - 1 of images or of gradients, transformed, in pairs of tiles:
// (places, channels / 64, PAIRS, 64, 2). Zeros are paired with the last of an odd number.
template <class Transform>
void transformed_pairs(const Shape &s, const bfloat16 *images, int64_t channels, int64_t first, int64_t count,
                       const bfloat16 *zeros, bfloat16 *to, int64_t plane) {
    constexpr int EDGE = Transform::FROM;
    const auto at = [&](int64_t t) {
        return Patch<EDGE, const bfloat16>(s, images, channels, t < count ? first + t : s.n * s.tiles(), zeros);
    };
    auto next_one = at(0), next_two = at(1);
    for (int64_t t = 0; t < count; t += 2) {
        const auto one = next_one, two = next_two;
        next_one = at(t + 2), next_two = at(t + 3);
        for (int64_t c = 0; c < channels; c += LANES) {
            const __mmask16 some = lanes(channels - c);
            Lanes d[EDGE * EDGE], a[PLACES], b[PLACES];
            next_one.template prefetch<0>(c), next_two.template prefetch<0>(c);
            one.read(c, some, d), transform<Transform>(d, a);
            two.read(c, some, d), transform<Transform>(d, b);
            bfloat16 *place = to + (c / COLUMNS * PAIRS + t / 2) * 2 * COLUMNS + c % COLUMNS * 2;
            UNROLLED (int p = 0; p < PLACES; p++) _mm512_storeu_si512(place + p * plane, in_turn(a[p], b[p]));
        }
    }
}
