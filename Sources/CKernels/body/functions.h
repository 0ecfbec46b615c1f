// exp, tanh, sigmoid and Philox over eight lanes: no libm, no branch, so that every lane and every instruction set agree.

/// e^r − 1 of the rest r that x leaves of a whole number of ln 2, which goes into `whole`: e^x = (that + 1) · 2^whole.
/// Range reduction by ln 2 in two parts, polynomial of Cephes' expf (Moshier).
CK_INLINE f8 reduced_expm1_8(f8 x, i8 *whole) {
    const float rounding = 12582912.0f;  // 1.5 · 2²³: adding it leaves the nearest whole number in the low bits
    f8 shifted = x * (f8)1.44269504088896341f + (f8)rounding;
    f8 n = shifted - (f8)rounding;
    *whole = __builtin_bit_cast(i8, shifted) - __builtin_bit_cast(i8, (f8)rounding);
    f8 r = x - n * (f8)0.693359375f;
    r = r - n * (f8)-2.12194440e-4f;
    f8 p = (f8)1.9875691500e-4f;
    p = p * r + (f8)1.3981999507e-3f;
    p = p * r + (f8)8.3334519073e-3f;
    p = p * r + (f8)4.1665795894e-2f;
    p = p * r + (f8)1.6666665459e-1f;
    p = p * r + (f8)5.0000001201e-1f;
    return p * (r * r) + r;
}

/// e^x within 2 ulp, scaled in two steps.
CK_INLINE f8 exp8(f8 x) {
    x = select8(x > (f8)89.0f, (f8)89.0f, x);  // gives infinity; comparisons with NaN are false, so NaN stays
    x = select8(x < (f8)-104.0f, (f8)-104.0f, x);
    i8 whole;
    f8 p = reduced_expm1_8(x, &whole) + (f8)1.0f;
    i8 half = whole >> 1;
    f8 first = __builtin_bit_cast(f8, (half + 127) << 23), second = __builtin_bit_cast(f8, (whole - half + 127) << 23);
    return p * first * second;
}

/// e^x − 1 for x ≤ 0, within 3 ulp also near 0: the power of two is taken off before it can cancel.
CK_INLINE f8 expm1_of_negative8(f8 x) {
    x = select8(x > (f8)0.0f, (f8)0.0f, x);
    x = select8(x < (f8)-30.0f, (f8)-30.0f, x);  // −1 to the last bit from −18 on
    i8 whole;
    f8 p = reduced_expm1_8(x, &whole);
    f8 power = __builtin_bit_cast(f8, (whole + 127) << 23);
    f8 result = p * power + (power - (f8)1.0f);
    return select8(x == x, result, x);
}

CK_INLINE f8 magnitude8(f8 x) {
    return __builtin_bit_cast(f8, __builtin_bit_cast(i8, x) & (i8)0x7fffffff);
}

/// log(1 + e^x) = max(x, 0) + log(1 + u) with u = e^−|x|, within 3 ulp. log(1 + u) = 2 artanh s, s = u / (2 + u) ≤ ⅓; the polynomial in
/// s² is a fit of our own, exact to 5 · 10⁻⁹.
CK_INLINE f8 softplus8(f8 x) {
    f8 u = exp8(-magnitude8(x)), s = u / ((f8)2.0f + u), z = s * s;
    f8 p = (f8)2.8025147e-1f;
    p = p * z + (f8)2.7999011e-1f;
    p = p * z + (f8)4.0021706e-1f;
    p = p * z + (f8)6.6666412e-1f;
    return select8(x < (f8)0.0f, (f8)0.0f, x) + (p * z * s + (s + s));
}

/// Φ(x), the normal distribution, and the exponential e^(−x²/2) that belongs to its density.
///
/// Φ(−|x|) = e^(−x²/2) · m(|x|), so that the tail keeps its digits (within 8 ulp); m(x) · (1 + x√(π/2)) is a polynomial in
/// (x − 4) / (x + 4), a fit of our own on 0…14.5, exact to 3 · 10⁻⁹. x² is taken in two parts: the first has 12 bits, its square no error.
CK_INLINE f8 normal8(f8 x, f8 *exponential) {
    f8 a = magnitude8(x);
    a = select8(a > (f8)14.5f, (f8)14.5f, a);  // Φ(−14.5) is 0 as a float
    f8 s = (a - (f8)4.0f) / (a + (f8)4.0f);
    f8 p = (f8)-9.091372e-5f;
    p = p * s + (f8)-6.0311948e-5f;
    p = p * s + (f8)9.127042e-4f;
    p = p * s + (f8)-5.460146e-4f;
    p = p * s + (f8)-6.4003393e-3f;
    p = p * s + (f8)2.4636818e-2f;
    p = p * s + (f8)-4.817173e-2f;
    p = p * s + (f8)5.4009162e-2f;
    p = p * s + (f8)-1.39611345e-2f;
    p = p * s + (f8)-7.803567e-2f;
    p = p * s + (f8)5.677154e-1f;
    f8 head = __builtin_bit_cast(f8, __builtin_bit_cast(i8, a) & (i8)(int32_t)0xfffff000);
    f8 power = exp8((f8)-0.5f * head * head) * exp8((f8)-0.5f * ((a - head) * (a + head)));
    f8 tail = power * (p / ((f8)1.0f + a * (f8)1.2533141f));
    *exponential = power;
    return select8(x > (f8)0.0f, (f8)1.0f - tail, tail);
}

CK_INLINE f8 sigmoid8(f8 x) {
    return (f8)1.0f / ((f8)1.0f + exp8(-x));
}

/// Near 0 the polynomial of Cephes' tanhf, elsewhere 1 − 2 / (e^2|x| + 1).
CK_INLINE f8 tanh8(f8 x) {
    const i8 sign = __builtin_bit_cast(i8, x) & (i8)(int32_t)0x80000000;
    f8 magnitude = __builtin_bit_cast(f8, __builtin_bit_cast(i8, x) ^ sign), z = x * x;
    f8 p = (f8)-5.70498872745e-3f;
    p = p * z + (f8)2.06390887954e-2f;
    p = p * z + (f8)-5.37397155531e-2f;
    p = p * z + (f8)1.33314422036e-1f;
    p = p * z + (f8)-3.33332819422e-1f;
    f8 near = p * z * x + x;
    f8 far = (f8)1.0f - (f8)2.0f / (exp8(magnitude + magnitude) + (f8)1.0f);
    far = __builtin_bit_cast(f8, __builtin_bit_cast(i8, far) | sign);
    return select8(magnitude < (f8)0.625f, near, far);
}

CK_INLINE void multiply_wide(u8 x, uint32_t factor, u8 *high, u8 *low) {
    q4 pairs = __builtin_bit_cast(q4, x);
    q4 even = (pairs & 0xffffffffu) * (q4)(uint64_t)factor, odd = (pairs >> 32) * (q4)(uint64_t)factor;
    *low = __builtin_bit_cast(u8, (even & 0xffffffffu) | (odd << 32));
    *high = __builtin_bit_cast(u8, (even >> 32) | (odd & 0xffffffff00000000u));
}

/// Philox4x32-10 (Salmon et al., SC 2011) at eight successive first words of the counter.
CK_INLINE void philox8(u8 c0, uint32_t second, uint32_t third, uint32_t fourth, const uint32_t key[2], u8 words[4]) {
    u8 c1 = (u8)second, c2 = (u8)third, c3 = (u8)fourth;
    uint32_t k0 = key[0], k1 = key[1];
    CK_UNROLL for (int round = 0; round < 10; round++) {
        u8 high0, low0, high1, low1;
        multiply_wide(c0, 0xD2511F53u, &high0, &low0);
        multiply_wide(c2, 0xCD9E8D57u, &high1, &low1);
        c0 = high1 ^ c1 ^ (u8)k0;
        c1 = low1;
        c2 = high0 ^ c3 ^ (u8)k1;
        c3 = low0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    // Word w of block b belongs to element 4 b + w.
    u8 low01 = __builtin_shufflevector(c0, c1, 0, 8, 1, 9, 2, 10, 3, 11), low23 = __builtin_shufflevector(c2, c3, 0, 8, 1, 9, 2, 10, 3, 11);
    u8 high01 = __builtin_shufflevector(c0, c1, 4, 12, 5, 13, 6, 14, 7, 15);
    u8 high23 = __builtin_shufflevector(c2, c3, 4, 12, 5, 13, 6, 14, 7, 15);
    words[0] = __builtin_shufflevector(low01, low23, 0, 1, 8, 9, 2, 3, 10, 11);
    words[1] = __builtin_shufflevector(low01, low23, 4, 5, 12, 13, 6, 7, 14, 15);
    words[2] = __builtin_shufflevector(high01, high23, 0, 1, 8, 9, 2, 3, 10, 11);
    words[3] = __builtin_shufflevector(high01, high23, 4, 5, 12, 13, 6, 7, 14, 15);
}

static const u8 ck_lane = {0, 1, 2, 3, 4, 5, 6, 7};

static void exponential(const float *x, float *y, long count) {
    for (long i = 0; i < count; i += 8) {
        const long n = min_long(8, count - i);
        float part[8] = {0};
        memcpy(part, x + i, (size_t)n * sizeof(float));
        store8(part, exp8(load8(part)));
        memcpy(y + i, part, (size_t)n * sizeof(float));
    }
}

static void normal_distribution(const float *x, float *y, long count) {
    for (long i = 0; i < count; i += 8) {
        const long n = min_long(8, count - i);
        float part[8] = {0};
        f8 power;
        memcpy(part, x + i, (size_t)n * sizeof(float));
        store8(part, normal8(load8(part), &power));
        memcpy(y + i, part, (size_t)n * sizeof(float));
    }
}

/// Words of `blocks` successive blocks from `counter` on.
static void philox(const uint32_t counter[4], const uint32_t key[2], uint32_t *words, long blocks) {
    for (long block = 0; block < blocks; block += 8) {
        u8 drawn[4];
        philox8(ck_lane + (u8)(counter[0] + (uint32_t)block), counter[1], counter[2], counter[3], key, drawn);
        memcpy(words + 4 * block, drawn, (size_t)min_long(8, blocks - block) * 4 * sizeof(uint32_t));
    }
}
