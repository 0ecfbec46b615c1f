// Layers that look at a whole row, or at several elements for one: softmax, layer norm, PReLU, maxout. Sums are double, in eight lanes.

CK_INLINE double row_sum(const float *x, long count) {
    d8 sums = (d8)0.0;
    long i = 0;
    for (; i + 8 <= count; i += 8) sums = sums + __builtin_convertvector(load8(x + i), d8);
    for (; i < count; i++) sums[i & 7] = sums[i & 7] + (double)x[i];
    return join8(sums);
}

CK_INLINE double row_product(const float *x, const float *y, long count) {
    d8 sums = (d8)0.0;
    long i = 0;
    for (; i + 8 <= count; i += 8) sums = sums + __builtin_convertvector(load8(x + i), d8) * __builtin_convertvector(load8(y + i), d8);
    for (; i < count; i++) sums[i & 7] = sums[i & 7] + (double)x[i] * (double)y[i];
    return join8(sums);
}

static void softmax(const float *x, long rows, long width, float *y) {
    for (long r = 0; r < rows; r++, x += width, y += width) {
        float largest = x[0];
        for (long c = 1; c < width; c++) largest = x[c] > largest ? x[c] : largest;
        for (long c = 0; c < width; c++) y[c] = x[c] - largest;
        exponential(y, y, width);
        const float share = (float)(1.0 / row_sum(y, width));
        for (long c = 0; c < width; c++) y[c] = y[c] * share;
    }
}

static void softmax_backward(const float *y, const float *dy, long rows, long width, float *dx) {
    for (long r = 0; r < rows; r++, y += width, dy += width, dx += width) {
        const float mean = (float)row_product(y, dy, width);
        for (long c = 0; c < width; c++) dx[c] = y[c] * (dy[c] - mean);
    }
}

/// y = x − mean, and the variance of a row; the difference is rounded once.
static void center_rows(const float *x, long rows, long width, float *y, float *variances) {
    for (long r = 0; r < rows; r++, x += width, y += width) {
        const double mean = row_sum(x, width) / (double)width;
        d8 sums = (d8)0.0;
        long i = 0;
        for (; i + 8 <= width; i += 8) {
            const d8 difference = __builtin_convertvector(load8(x + i), d8) - (d8)mean;
            sums = sums + difference * difference;
            store8(y + i, __builtin_convertvector(difference, f8));
        }
        for (; i < width; i++) {
            const double difference = (double)x[i] - mean;
            sums[i & 7] = sums[i & 7] + difference * difference;
            y[i] = (float)difference;
        }
        variances[r] = (float)(join8(sums) / (double)width);
    }
}

static void prelu(const float *x, const float *slopes, long channels, long rows, long width, float *y) {
    const long size = width / channels;
    for (long r = 0; r < rows; r++) {
        for (long k = 0; k < channels; k++, x += size, y += size) {
            for (long i = 0; i < size; i++) y[i] = x[i] > 0.0f ? x[i] : x[i] * slopes[k];
        }
    }
}

static void prelu_backward(
    const float *x, const float *dy, const float *slopes, long channels, long rows, long width, float *dx, float *dslopes) {
    const long size = width / channels;
    for (long k = 0; k < channels; k++) {
        d8 sums = (d8)0.0;
        for (long r = 0; r < rows; r++) {
            const long first = r * width + k * size;
            for (long i = 0; i < size; i++) {
                const float z = x[first + i], d = dy[first + i];
                sums[i & 7] = sums[i & 7] + (z > 0.0f ? 0.0 : (double)d * (double)z);
                if (dx) dx[first + i] = z > 0.0f ? d : d * slopes[k];
            }
        }
        dslopes[k] = (float)join8(sums);
    }
}

/// The piece that wins: the largest, the first one on ties, a NaN before all others.
CK_INLINE long winner(const float *z, long pieces) {
    long best = 0;
    for (long p = 1; p < pieces; p++) {
        if (z[p] > z[best] || (z[p] != z[p] && z[best] == z[best])) best = p;
    }
    return best;
}

static void maxout(const float *z, long pieces, long count, float *y) {
    for (long u = 0; u < count; u++, z += pieces) y[u] = z[winner(z, pieces)];
}

static void maxout_backward(const float *z, const float *dy, long pieces, long count, float *dz) {
    for (long u = 0; u < count; u++, z += pieces, dz += pieces) {
        const long best = winner(z, pieces);
        for (long p = 0; p < pieces; p++) dz[p] = p == best ? dy[u] : 0.0f;
    }
}
