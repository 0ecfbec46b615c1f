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

/// Constants of at most 16 channels of a group, in registers while the loop runs over places.
typedef struct {
    f8 v[2];
} norm_constants;

CK_INLINE norm_constants constants(const float *p, int vectors, long count) {
    norm_constants c;
    for (int v = 0; v < vectors; v++) c.v[v] = load_lanes(p + 8 * v, count);
    return c;
}

CK_INLINE void apply_lanes(
    const float *x, long places, long lanes, int vectors, long count, const float *center, const float *factor, const float *offset, int relu,
    float *y) {
    const norm_constants m = constants(center, vectors, count), f = constants(factor, vectors, count),
                         o = constants(offset, vectors, count);
    for (long i = 0; i < places; i++) {
        for (int v = 0; v < vectors; v++) {
            f8 z = (load_lanes(x + i * lanes + 8 * v, count) - m.v[v]) * f.v[v] + o.v[v];
            if (relu) z = select8(z > (f8)0.0f, z, (f8)0.0f);
            store_lanes(y + i * lanes + 8 * v, z, count);
        }
    }
}

CK_INLINE void gradient_lanes(
    const float *x, const float *dy, long places, long lanes, int vectors, long count, const float *center, const float *factor,
    const float *slope, const float *offset, float *dx) {
    const norm_constants m = constants(center, vectors, count), f = constants(factor, vectors, count),
                         b = constants(slope, vectors, count), o = constants(offset, vectors, count);
    for (long i = 0; i < places; i++) {
        for (int v = 0; v < vectors; v++) {
            const long at = i * lanes + 8 * v;
            const f8 bent = (load_lanes(x + at, count) - m.v[v]) * b.v[v] + o.v[v];
            store_lanes(dx + at, load_lanes(dy + at, count) * f.v[v] + bent, count);
        }
    }
}

/// How the lanes of a group are cut: rows of one place have all rows as places of one group of lanes.
CK_INLINE ck_channels unrolled(const ck_channels *shape) {
    ck_channels s = *shape;
    if (s.groups == 1) {
        s.area *= s.rows;
        s.rows = 1;
    }
    return s;
}

/// y = (x − center) · factor + offset, or max(that, 0).
static void channel_apply(
    const float *x, const ck_channels *shape, const float *center, const float *factor, const float *offset, int relu, float *y) {
    const ck_channels s = unrolled(shape);
    for (long r = 0; r < s.rows; r++) {
        for (long g = 0; g < s.groups; g++, x += s.area * s.lanes, y += s.area * s.lanes) {
            for (long l = 0; l < s.lanes;) {
                const long c = g * s.lanes + l, count = min_long(8, s.lanes - l);
                if (s.lanes - l >= 16) {
                    apply_lanes(x + l, s.area, s.lanes, 2, 8, center + c, factor + c, offset + c, relu, y + l);
                    l += 16;
                } else if (count == 8) {
                    apply_lanes(x + l, s.area, s.lanes, 1, 8, center + c, factor + c, offset + c, relu, y + l);
                    l += 8;
                } else {
                    apply_lanes(x + l, s.area, s.lanes, 1, count, center + c, factor + c, offset + c, relu, y + l);
                    l += count;
                }
            }
        }
    }
}

/// dx = dy · factor + ((x − center) · slope + offset).
static void channel_gradient(
    const float *x, const float *dy, const ck_channels *shape, const float *center, const float *factor, const float *slope,
    const float *offset, float *dx) {
    const ck_channels s = unrolled(shape);
    const long step = s.area * s.lanes;
    for (long r = 0; r < s.rows; r++) {
        for (long g = 0; g < s.groups; g++, x += step, dy += step, dx += step) {
            for (long l = 0; l < s.lanes;) {
                const long c = g * s.lanes + l, count = min_long(8, s.lanes - l);
                if (s.lanes - l >= 16) {
                    gradient_lanes(x + l, dy + l, s.area, s.lanes, 2, 8, center + c, factor + c, slope + c, offset + c, dx + l);
                    l += 16;
                } else if (count == 8) {
                    gradient_lanes(x + l, dy + l, s.area, s.lanes, 1, 8, center + c, factor + c, slope + c, offset + c, dx + l);
                    l += 8;
                } else {
                    gradient_lanes(x + l, dy + l, s.area, s.lanes, 1, count, center + c, factor + c, slope + c, offset + c, dx + l);
                    l += count;
                }
            }
        }
    }
}
