#include "scalar_math.h"

#include <stdint.h>
#include <string.h>

#pragma clang fp contract(off)

// Coefficients and reductions: FreeBSD msun e_log.c and e_exp.c (Sun Microsystems, 1993).

static const double ln2_high = 6.93147180369123816490e-01;
static const double ln2_low = 1.90821492927058770002e-10;

static uint64_t bits_of(double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static double of_bits(uint64_t bits) {
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

double ck_log(double x) {
    const uint64_t infinity = 0x7ff0000000000000;
    if (x != x || x < 0) return of_bits(0x7ff8000000000000);
    if (x == 0) return -of_bits(infinity);
    int64_t exponent = 0;
    if (bits_of(x) < 0x0010000000000000) {  // subnormal
        x *= 0x1p54;
        exponent = -54;
    }
    uint64_t bits = bits_of(x);
    if (bits == infinity) return x;
    // x = 2^exponent · (1 + f) with √½ ≤ 1 + f < √2
    const uint64_t fraction = bits & 0x000fffffffffffff;
    const uint64_t above_root = fraction > 0x6a09e667f3bcc ? 1 : 0;
    exponent += (int64_t)(bits >> 52) - 1023 + (int64_t)above_root;
    double f = of_bits(fraction | ((1023 - above_root) << 52)) - 1.0;
    double s = f / (2.0 + f), z = s * s, w = z * z;
    double odd = w * (3.999999999940941908e-01 + w * (2.222219843214978396e-01 + w * 1.531383769920937332e-01));
    double even = z * (6.666666666666735130e-01 +
                       w * (2.857142874366239149e-01 + w * (1.818357216161805012e-01 + w * 1.479819860511658591e-01)));
    double half_square = 0.5 * f * f, k = (double)exponent;
    return k * ln2_high - ((half_square - (s * (half_square + (odd + even)) + k * ln2_low)) - f);
}

double ck_exp(double x) {
    if (x != x) return x;
    if (x > 709.782712893384) return of_bits(0x7ff0000000000000);
    if (x < -745.2) return 0;
    int64_t n = (int64_t)(x * 1.44269504088896338700e+00 + (x < 0 ? -0.5 : 0.5));
    double k = (double)n, high = x - k * ln2_high, low = k * ln2_low, r = high - low, t = r * r;
    double c = r - t * (1.66666666666666019037e-01 +
                        t * (-2.77777777770155933842e-03 +
                             t * (6.61375632143793436117e-05 + t * (-1.65339022054652515390e-06 + t * 4.13813679705723846039e-08))));
    double y = 1.0 - ((low - (r * c) / (2.0 - c)) - high);
    int64_t half = n / 2;  // in two steps, so that neither scale overflows
    return y * of_bits((uint64_t)(1023 + half) << 52) * of_bits((uint64_t)(1023 + n - half) << 52);
}
