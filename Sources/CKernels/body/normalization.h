// Per-channel moments, and rows about their means. Sums are double chains over ascending rows and places, so their bits depend on the
// values alone, not on how channels lie in memory.

CK_INLINE f8 load_lanes(const float *p, long count) {
    if (count == 8) return load8(p);
    f8 v = (f8)0.0f;
    for (long i = 0; i < count; i++) v[i] = p[i];
    return v;
}

CK_INLINE d8 load_doubles(const double *p, long count) {
    d8 v = (d8)0.0;
    for (long i = 0; i < count; i++) v[i] = p[i];
    return v;
}

CK_INLINE void store_doubles(double *p, d8 v, long count) {
    for (long i = 0; i < count; i++) p[i] = v[i];
}

/// a = Σ (x − center), b = Σ (x − center)². Lanes in `vectors` runs of `count`.
CK_INLINE void sum_lanes(
    const float *x, const ck_channels *shape, long row, int vectors, long count, const double *center, double *a, double *b) {
    d8 middle[2], first[2], second[2];
    for (int v = 0; v < vectors; v++) {
        middle[v] = load_doubles(center + 8 * v, count);
        first[v] = second[v] = (d8)0.0;
    }
    for (long r = 0; r < shape->rows; r++) {
        for (long i = 0; i < shape->area; i++) {
            const long at = r * row + i * shape->lanes;
            for (int v = 0; v < vectors; v++) {
                const d8 d = __builtin_convertvector(load_lanes(x + at + 8 * v, count), d8) - middle[v];
                first[v] = first[v] + d;
                second[v] = second[v] + d * d;
            }
        }
    }
    for (int v = 0; v < vectors; v++) {
        store_doubles(a + 8 * v, first[v], count);
        store_doubles(b + 8 * v, second[v], count);
    }
}

static void channel_sums(const float *x, const ck_channels *shape, const double *center, double *a, double *b) {
    const long row = shape->groups * shape->area * shape->lanes;
    for (long g = 0; g < shape->groups; g++) {
        const float *gx = x + g * shape->area * shape->lanes;
        for (long l = 0; l < shape->lanes;) {
            const long c = g * shape->lanes + l, rest = shape->lanes - l;
            if (rest >= 16) {
                sum_lanes(gx + l, shape, row, 2, 8, center + c, a + c, b + c);
            } else {
                sum_lanes(gx + l, shape, row, 1, min_long(8, rest), center + c, a + c, b + c);
            }
            l += rest >= 16 ? 16 : min_long(8, rest);
        }
    }
}

/// y = x − mean, rounded once; rows of y are `stride` apart.
static void center_channels(const float *x, long rows, long width, const double *means, long stride, float *y) {
    for (long r = 0; r < rows; r++, x += width, y += stride) {
        long c = 0;
        for (; c + 8 <= width; c += 8) {
            const d8 difference = __builtin_convertvector(load8(x + c), d8) - load_doubles(means + c, 8);
            store8(y + c, __builtin_convertvector(difference, f8));
        }
        for (; c < width; c++) y[c] = (float)((double)x[c] - means[c]);
    }
}
