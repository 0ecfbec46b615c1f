#include "vectors.h"

// Contraction would fuse multiply-adds where the level has them, and give other bits there.
#pragma clang fp contract(off)

enum { LANES = 16 };

static double joined(double *lanes) {
    for (int half = LANES / 2; half > 0; half /= 2) {
        for (int lane = 0; lane < half; lane++) lanes[lane] += lanes[lane + half];
    }
    return lanes[0];
}

// The product of two floats is exact in double.
double ck_dot(const float *a, const float *b, size_t count) {
    double lanes[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        for (int lane = 0; lane < LANES; lane++) lanes[lane] += (double)a[i + lane] * (double)b[i + lane];
    }
    for (int lane = 0; i < count; i++, lane++) lanes[lane] += (double)a[i] * (double)b[i];
    return joined(lanes);
}

double ck_sum_of_magnitudes(const float *a, size_t count) {
    double lanes[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        for (int lane = 0; lane < LANES; lane++) lanes[lane] += __builtin_fabs((double)a[i + lane]);
    }
    for (int lane = 0; i < count; i++, lane++) lanes[lane] += __builtin_fabs((double)a[i]);
    return joined(lanes);
}

float ck_largest_magnitude(const float *a, size_t count) {
    float largest[LANES] = {0};
    float wild[LANES] = {0};  // 0, or not a number where an element is infinite or none
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        for (int lane = 0; lane < LANES; lane++) {
            float value = __builtin_fabsf(a[i + lane]);
            largest[lane] = value > largest[lane] ? value : largest[lane];
            wild[lane] += value * 0;
        }
    }
    for (int lane = 0; i < count; i++, lane++) {
        float value = __builtin_fabsf(a[i]);
        largest[lane] = value > largest[lane] ? value : largest[lane];
        wild[lane] += value * 0;
    }
    for (int lane = 1; lane < LANES; lane++) {
        largest[0] = largest[lane] > largest[0] ? largest[lane] : largest[0];
        wild[0] += wild[lane];
    }
    return largest[0] + wild[0];
}

void ck_combine(float *out, const float *a, double factor, const float *b, size_t count) {
    for (size_t i = 0; i < count; i++) out[i] = (float)((double)a[i] + factor * (double)b[i]);
}

void ck_scale(float *out, double factor, const float *a, size_t count) {
    for (size_t i = 0; i < count; i++) out[i] = (float)(factor * (double)a[i]);
}

void ck_objective_gradient(float *out, const float *sum, double divisor, const float *w, double l2, double l1, size_t count) {
    for (size_t i = 0; i < count; i++) {
        double weight = (double)w[i];
        double sign = (double)(weight > 0) - (double)(weight < 0);
        out[i] = (float)((double)sum[i] / divisor + l2 * weight + l1 * sign);
    }
}
