// Max pooling, batch norm and activation of a training step, forward and backward, each in two passes over memory.
//
// Arrays are channels-last, (n, h, w, c), of NUMBER (float, bfloat16); ACTIVATION is Leaky, of SLOPE below zero, Silu or
// Gelu. With pooling the maximum of 2 x 2 pixels is normalised, and `place` says which of the four it was; without it z is
// y. Sums are kept for each image and added in its order, so that results do not depend on the number of threads.
// dawn/kernels/compiled.py compiles this file, dawn/kernels/blocks.py calls its last four functions.

#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

namespace {

using bfloat16 = uint16_t;  // its bits, the upper half of a float's

inline float widen(float x) { return x; }

inline float widen(bfloat16 x) {
    uint32_t bits = static_cast<uint32_t>(x) << 16;
    float value;
    std::memcpy(&value, &bits, 4);
    return value;
}

inline void narrow(float value, float &x) { x = value; }

inline void narrow(float value, bfloat16 &x) {  // to the nearest, ties to even; NaN stays NaN
    uint32_t bits;
    std::memcpy(&bits, &value, 4);
    uint32_t rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
    x = static_cast<uint16_t>(value != value ? 0x7fc0 : rounded);
}

// Cody and Waite's reduction to |f| <= ln(2) / 2, and Taylor's polynomial there: relative error below 3e-7.
inline float exponential(float x) {
    x = x < -87.f ? -87.f : x > 88.f ? 88.f : x;
    float whole = (x * 1.44269504f + 12582912.f) - 12582912.f;
    float f = (x - whole * 0.693359375f) + whole * 2.12194440e-4f;
    float p = 1 + f * (1 + f * (1 / 2.f + f * (1 / 6.f + f * (1 / 24.f + f * (1 / 120.f + f * (1 / 720.f))))));
    int32_t bits = (static_cast<int32_t>(whole) + 127) << 23;
    float power;
    std::memcpy(&power, &bits, 4);
    return p * power;
}

using T = NUMBER;

struct Both {
    float value, slope;
};

struct Leaky {  // of 0.f, ReLU
    static Both at(float x) { return {x < 0 ? SLOPE * x : x, x > 0 ? 1.f : SLOPE}; }
};

struct Silu {
    static Both at(float x) {
        float s = 1 / (1 + exponential(-x));
        return {x * s, s * (1 + x * (1 - s))};
    }
};

struct Gelu {  // exact, with the normal distribution by Abramowitz and Stegun 26.2.17: absolute error below 1e-7
    static Both at(float x) {
        float e = exponential(-0.5f * x * x), a = x < 0 ? -x : x, t = 1 / (1 + 0.2316419f * a);
        float tail = t * (0.127414796f + t * (-0.142248368f + t * (0.710706870f + t * (-0.726576014f + t * 0.530702716f))));
        float above = tail * e;  // the probability above |x|
        float cdf = x < 0 ? above : 1 - above;
        return {x * cdf, cdf + x * e * 0.398942280f};
    }
};

struct Shape {
    int64_t n, h, w, c, pool;
    int64_t rows() const { return pool ? h / 2 : h; }
    int64_t columns() const { return pool ? w / 2 : w; }
    int64_t image() const { return rows() * columns() * c; }
};

inline float larger(float x, float y) { return y > x ? y : x; }

void pooled(const Shape &s, const T *y, T *z, uint16_t *place) {
    for (int64_t r = 0; r < s.rows(); r++)
        for (int64_t k = 0; k < s.columns(); k++) {
            const T *p = y + (2 * r * s.w + 2 * k) * s.c, *q = p + s.w * s.c;
#pragma omp simd
            for (int64_t c = 0; c < s.c; c++)
                narrow(larger(larger(widen(p[c]), widen(p[c + s.c])), larger(widen(q[c]), widen(q[c + s.c]))), z[c]);
#pragma omp simd
            for (int64_t c = 0; c < s.c; c++) {  // the first of equal ones
                uint16_t one = p[c] != z[c], two = p[c + s.c] != z[c], three = q[c] != z[c];
                place[c] = one * (1 + two * (1 + three));
            }
            z += s.c, place += s.c;
        }
}

void spread(const Shape &s, const T *dz, const uint16_t *place, T *dy) {  // the inverse: zeros where no maximum was
    const T zero = 0;
    for (int64_t i = 0; i < s.h * s.w * s.c; i += s.w * s.c) {  // an odd last row or column was not pooled
        if (s.h % 2 && i == (s.h - 1) * s.w * s.c)
            for (int64_t j = 0; j < s.w * s.c; j++) dy[i + j] = zero;
        if (s.w % 2)
            for (int64_t c = 0; c < s.c; c++) dy[i + (s.w - 1) * s.c + c] = zero;
    }
    for (int64_t r = 0; r < s.rows(); r++)
        for (int64_t k = 0; k < s.columns(); k++) {
            T *p = dy + (2 * r * s.w + 2 * k) * s.c, *q = p + s.w * s.c;
#pragma omp simd
            for (int64_t c = 0; c < s.c; c++) {
                T x = dz[c];
                uint16_t at = place[c];
                p[c] = at == 0 ? x : zero, p[c + s.c] = at == 1 ? x : zero;
                q[c] = at == 2 ? x : zero, q[c + s.c] = at == 3 ? x : zero;
            }
            dz += s.c, place += s.c;
        }
}

// sums: (n, 2, c). Adds up the images' two sums in float64 and divides by the number of pixels.
std::vector<double> means(const Shape &s, const std::vector<float> &sums) {
    std::vector<double> total(2 * s.c);
    for (int64_t i = 0; i < s.n; i++)
        for (int64_t j = 0; j < 2 * s.c; j++) total[j] += sums[2 * s.c * i + j];
    for (double &value : total) value /= static_cast<double>(s.n * s.rows() * s.columns());
    return total;
}

}  // namespace

extern "C" {

void forward(const Shape *shape, const T *y, const float *weight, const float *bias, float eps, T *z, uint16_t *place,
             float *mean, float *var, T *out) {
    const Shape &s = *shape;
    std::vector<float> sums(s.n * 2 * s.c), scale(s.c), shift(s.c);
#pragma omp parallel for
    for (int64_t i = 0; i < s.n; i++) {
        T *image = z + i * s.image();
        if (s.pool) pooled(s, y + i * s.h * s.w * s.c, image, place + i * s.image());
        float *sum = &sums[i * 2 * s.c], *squares = sum + s.c;
        for (int64_t j = 0; j < s.image(); j += s.c)
#pragma omp simd
            for (int64_t c = 0; c < s.c; c++) {
                float x = widen(image[j + c]);
                sum[c] += x, squares[c] += x * x;
            }
    }
    std::vector<double> total = means(s, sums);
    for (int64_t c = 0; c < s.c; c++) {
        double variance = total[s.c + c] - total[c] * total[c];
        mean[c] = static_cast<float>(total[c]), var[c] = static_cast<float>(variance < 0 ? 0 : variance);
        scale[c] = weight[c] / std::sqrt(var[c] + eps), shift[c] = bias[c] - mean[c] * scale[c];
    }
#pragma omp parallel for
    for (int64_t i = 0; i < s.n * s.image(); i += s.c)
#pragma omp simd
        for (int64_t c = 0; c < s.c; c++)
            narrow(ACTIVATION::at(widen(z[i + c]) * scale[c] + shift[c]).value, out[i + c]);
}

void backward(const Shape *shape, const T *dout, const T *z, const uint16_t *place, const float *weight, const float *bias,
              float eps, const float *mean, const float *var, T *dz, T *dy, float *dweight, float *dbias) {
    const Shape &s = *shape;
    std::vector<float> sums(s.n * 2 * s.c), rstd(s.c), scale(s.c), shift(s.c), slope(s.c), offset(s.c);
    for (int64_t c = 0; c < s.c; c++) {
        rstd[c] = 1 / std::sqrt(var[c] + eps);
        scale[c] = weight[c] * rstd[c], shift[c] = bias[c] - mean[c] * scale[c];
    }
#pragma omp parallel for
    for (int64_t i = 0; i < s.n; i++) {
        float *sum = &sums[i * 2 * s.c], *products = sum + s.c;
        for (int64_t j = i * s.image(); j < (i + 1) * s.image(); j += s.c)
#pragma omp simd
            for (int64_t c = 0; c < s.c; c++) {
                float x = widen(z[j + c]), g = widen(dout[j + c]) * ACTIVATION::at(x * scale[c] + shift[c]).slope;
                narrow(g, dz[j + c]);
                sum[c] += g, products[c] += g * ((x - mean[c]) * rstd[c]);
            }
    }
    std::vector<double> total = means(s, sums);
    const double pixels = static_cast<double>(s.n * s.rows() * s.columns());
    for (int64_t c = 0; c < s.c; c++) {  // dz = scale (g - mean(g) - x' mean(g x')), x' the normalised x
        dbias[c] = static_cast<float>(total[c] * pixels), dweight[c] = static_cast<float>(total[s.c + c] * pixels);
        slope[c] = static_cast<float>(-scale[c] * total[s.c + c] * rstd[c]);
        offset[c] = static_cast<float>(-scale[c] * total[c]) - slope[c] * mean[c];
    }
#pragma omp parallel for
    for (int64_t i = 0; i < s.n; i++) {
        for (int64_t j = i * s.image(); j < (i + 1) * s.image(); j += s.c)
#pragma omp simd
            for (int64_t c = 0; c < s.c; c++)
                narrow(scale[c] * widen(dz[j + c]) + slope[c] * widen(z[j + c]) + offset[c], dz[j + c]);
        if (s.pool) spread(s, dz + i * s.image(), place + i * s.image(), dy + i * s.h * s.w * s.c);
    }
}

// The activation alone.
void activate(int64_t count, const T *x, T *out) {
#pragma omp parallel for simd
    for (int64_t i = 0; i < count; i++) narrow(ACTIVATION::at(widen(x[i])).value, out[i]);
}

void activate_backward(int64_t count, const T *x, const T *dout, T *dx) {
#pragma omp parallel for simd
    for (int64_t i = 0; i < count; i++) narrow(widen(dout[i]) * ACTIVATION::at(widen(x[i])).slope, dx[i]);
}

}  // extern "C"
