#pragma once
#include <stddef.h>

// Whole vectors of parameters, for rules that search along a line. Everything is computed in double and rounded to float once at most,
// so a loop's bits depend on neither the instruction set nor its vector width.

/// Σ a·b: element i goes to lane i mod 16 in ascending order; lanes l and l + 8 are joined, then l + 4, l + 2, l + 1.
double ck_dot(const float *a, const float *b, size_t count);

/// Σ |a|, in the order of `ck_dot`.
double ck_sum_of_magnitudes(const float *a, size_t count);

/// The largest |a|; not a number if any element is infinite or none.
float ck_largest_magnitude(const float *a, size_t count);

/// out = a + factor · b, which may be either input.
void ck_combine(float *out, const float *a, double factor, const float *b, size_t count);

/// out = factor · a, which may be the input.
void ck_scale(float *out, double factor, const float *a, size_t count);

/// out = sum ÷ divisor + l2 · w + l1 · sgn(w), which may be `sum`; sgn(0) = 0.
void ck_objective_gradient(float *out, const float *sum, double divisor, const float *w, double l2, double l1, size_t count);
