// Per-channel moments, normalisation and its gradient. Sums are double chains over ascending rows and places, so their bits depend on the
// values alone, not on how channels lie in memory.

CK_INLINE f8 load_lanes(const float *p, long count) {
    if (count == 8) return load8(p);
    f8 v = (f8)0.0f;
    for (long i = 0; i < count; i++) v[i] = p[i];
    return v;
}

CK_INLINE void store_lanes(float *p, f8 v, long count) {
    if (count == 8) {
        store8(p, v);
        return;
    }
    for (long i = 0; i < count; i++) p[i] = v[i];
}

CK_INLINE d8 load_doubles(const double *p, long count) {
    d8 v = (d8)0.0;
    for (long i = 0; i < count; i++) v[i] = p[i];
    return v;
}

CK_INLINE void store_doubles(double *p, d8 v, long count) {
    for (long i = 0; i < count; i++) p[i] = v[i];
}

/// With dy: a = Σ dy, b = Σ dy · (x − center); without: a = Σ (x − center), b = Σ (x − center)². Lanes in `vectors` runs of `count`.
CK_INLINE void sum_lanes(
    const float *x, const float *dy, const ck_channels *shape, long row, int vectors, long count, const double *center, double *a, double *b) {
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
                const d8 w = dy ? __builtin_convertvector(load_lanes(dy + at + 8 * v, count), d8) : d;
                first[v] = first[v] + w;
                second[v] = second[v] + w * d;
            }
        }
    }
    for (int v = 0; v < vectors; v++) {
        store_doubles(a + 8 * v, first[v], count);
        store_doubles(b + 8 * v, second[v], count);
    }
}

static void channel_sums(
    const float *x, const float *dy, const ck_channels *shape, const double *center, double *a, double *b) {
    const long row = shape->groups * shape->area * shape->lanes;
    for (long g = 0; g < shape->groups; g++) {
        const float *gx = x + g * shape->area * shape->lanes, *gdy = dy ? dy + g * shape->area * shape->lanes : 0;
        for (long l = 0; l < shape->lanes;) {
            const long c = g * shape->lanes + l, rest = shape->lanes - l;
            const float *ldy = gdy ? gdy + l : 0;
            if (rest >= 16 && dy) {
                sum_lanes(gx + l, ldy, shape, row, 2, 8, center + c, a + c, b + c);
            } else if (rest >= 16) {
                sum_lanes(gx + l, 0, shape, row, 2, 8, center + c, a + c, b + c);
            } else {
                sum_lanes(gx + l, ldy, shape, row, 1, min_long(8, rest), center + c, a + c, b + c);
            }
            l += rest >= 16 ? 16 : min_long(8, rest);
        }
    }
}

/// y = (x − center) · factor + offset, or max(that, 0).
static void channel_apply(
    const float *x, const ck_channels *shape, const float *center, const float *factor, const float *offset, int relu, float *y) {
    for (long r = 0; r < shape->rows; r++) {
        for (long g = 0; g < shape->groups; g++) {
            for (long i = 0; i < shape->area; i++, x += shape->lanes, y += shape->lanes) {
                for (long l = 0; l < shape->lanes; l += 8) {
                    const long c = g * shape->lanes + l, count = min_long(8, shape->lanes - l);
                    f8 z = (load_lanes(x + l, count) - load_lanes(center + c, count)) * load_lanes(factor + c, count)
                        + load_lanes(offset + c, count);
                    if (relu) z = select8(z > (f8)0.0f, z, (f8)0.0f);
                    store_lanes(y + l, z, count);
                }
            }
        }
    }
}

/// dx = dy · factor + ((x − center) · slope + offset).
static void channel_gradient(
    const float *x, const float *dy, const ck_channels *shape, const float *center, const float *factor, const float *slope,
    const float *offset, float *dx) {
    for (long r = 0; r < shape->rows; r++) {
        for (long g = 0; g < shape->groups; g++) {
            for (long i = 0; i < shape->area; i++, x += shape->lanes, dy += shape->lanes, dx += shape->lanes) {
                for (long l = 0; l < shape->lanes; l += 8) {
                    const long c = g * shape->lanes + l, count = min_long(8, shape->lanes - l);
                    const f8 straight = load_lanes(dy + l, count) * load_lanes(factor + c, count);
                    const f8 bent = (load_lanes(x + l, count) - load_lanes(center + c, count)) * load_lanes(slope + c, count)
                        + load_lanes(offset + c, count);
                    store_lanes(dx + l, straight + bent, count);
                }
            }
        }
    }
}
