// The transforms of Winograd's F(4x4, 3x3). The polynomials are taken at 0, +-11/16, +-3/2 and infinity: the usual
// 0, +-1, +-2 double the errors (arXiv 1803.10986).

#pragma once

#include "lanes.h"

constexpr int TILE = 4, SIDE = TILE + 2, PLACES = SIDE * SIDE;  // pixels of a tile, numbers of its transform

constexpr float P = 0.6875f, Q = 1.5f, PP = P * P, QQ = Q * Q;
constexpr float C0 = 1 / (PP * QQ), CP = 1 / (2 * PP * (PP - QQ)), CQ = 1 / (2 * QQ * (QQ - PP));

// Each of the following has `apply`: the transform of one column or row, whose numbers are `step` apart.

// B' d
struct Input {
    static constexpr int FROM = SIDE, TO = SIDE;
    static INLINE void apply(const Lanes *d, int step, Lanes *t, int to) {
        const Lanes a = d[0], b = d[step], c = d[2 * step], e = d[3 * step], f = d[4 * step], g = d[5 * step];
        const Lanes up = f - QQ * c, vp = P * (e - QQ * b), uq = f - PP * c, vq = Q * (e - PP * b);
        t[0] = PP * QQ * a - (PP + QQ) * c + f, t[5 * to] = PP * QQ * b - (PP + QQ) * e + g;
        t[to] = up + vp, t[2 * to] = up - vp, t[3 * to] = uq + vq, t[4 * to] = uq - vq;
    }
};

// A' m
struct Output {
    static constexpr int FROM = SIDE, TO = TILE;
    static INLINE void apply(const Lanes *m, int step, Lanes *y, int to) {
        const Lanes sp = m[step] + m[2 * step], dp = m[step] - m[2 * step];
        const Lanes sq = m[3 * step] + m[4 * step], dq = m[3 * step] - m[4 * step];
        y[0] = m[0] + sp + sq, y[to] = P * dp + Q * dq, y[2 * to] = PP * sp + QQ * sq;
        y[3 * to] = P * PP * dp + Q * QQ * dq + m[5 * step];
    }
};

// A y
struct Gradient {
    static constexpr int FROM = TILE, TO = SIDE;
    static INLINE void apply(const Lanes *y, int step, Lanes *m, int to) {
        const Lanes a = y[0], b = y[step], c = y[2 * step], d = y[3 * step];
        const Lanes sp = a + PP * c, dp = P * b + P * PP * d, sq = a + QQ * c, dq = Q * b + Q * QQ * d;
        m[0] = a, m[to] = sp + dp, m[2 * to] = sp - dp, m[3 * to] = sq + dq, m[4 * to] = sq - dq, m[5 * to] = d;
    }
};

// G g
struct Filter {
    static constexpr int FROM = 3, TO = SIDE;
    static INLINE void apply(const Lanes *g, int step, Lanes *u, int to) {
        const Lanes a = g[0], b = g[step], c = g[2 * step];
        const Lanes sp = CP * a + CP * PP * c, dp = CP * P * b, sq = CQ * a + CQ * QQ * c, dq = CQ * Q * b;
        u[0] = C0 * a, u[to] = sp + dp, u[2 * to] = sp - dp, u[3 * to] = sq + dq, u[4 * to] = sq - dq, u[5 * to] = c;
    }
};

// G' u
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
