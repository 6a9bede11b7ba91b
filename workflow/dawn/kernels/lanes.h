// 16 numbers at a time, by the instructions of CPUs with AVX-512 BF16; and memory that a thread keeps.

#pragma once

#if !defined(__AVX512BF16__)
#error "this CPU has no AVX-512 BF16"
#elif defined(__AMX_BF16__)
#error "this CPU has AMX, with which oneDNN's convolutions are faster"
#endif

#include <immintrin.h>
#include <sys/mman.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>

#define INLINE inline __attribute__((always_inline))  // so that numbers stay in registers
#define UNROLLED _Pragma("GCC unroll 36") for

using bfloat16 = uint16_t;
using Lanes = __m512;  // 16 channels in float32

constexpr int LANES = 16;

INLINE __mmask16 lanes(int64_t left) { return static_cast<__mmask16>(left >= LANES ? 0xffff : (1 << left) - 1); }

// Some of 16 numbers are read and written several times as slowly as all of them.

INLINE Lanes load(const bfloat16 *p, __mmask16 some) {
    const bool all = some == 0xffff;
    const __m256i x = all ? _mm256_loadu_si256((const __m256i *)p) : _mm256_maskz_loadu_epi16(some, p);
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(x), 16));
}

INLINE __m256i rounded(Lanes x) { return reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(x)); }

INLINE void store(bfloat16 *p, Lanes x, __mmask16 some) {
    if (some == 0xffff)
        _mm256_storeu_si256((__m256i *)p, rounded(x));
    else
        _mm256_mask_storeu_epi16(p, some, rounded(x));
}

INLINE __m512i load(const uint8_t *p, __mmask16 some) {
    const bool all = some == 0xffff;
    return _mm512_cvtepu8_epi32(all ? _mm_loadu_si128((const __m128i *)p) : _mm_maskz_loadu_epi8(some, p));
}

INLINE void store(uint8_t *p, __m512i x, __mmask16 some) {
    if (some == 0xffff)
        _mm_storeu_si128((__m128i *)p, _mm512_cvtepi32_epi8(x));
    else
        _mm_mask_storeu_epi8(p, some, _mm512_cvtepi32_epi8(x));
}

// The numbers of two tiles, or of two filters, in turn, as the matrix products read pairs.
INLINE __m512i in_turn(Lanes x, Lanes y) {
    __m512i low = _mm512_cvtepu16_epi32(rounded(x)), high = _mm512_slli_epi32(_mm512_cvtepu16_epi32(rounded(y)), 16);
    return _mm512_or_si512(low, high);
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
