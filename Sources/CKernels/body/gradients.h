// Parameter gradients: leaf by leaf a product, joined in the order of the tree while the tile is in registers and the first-level cache.

static void add(float *a, const float *b, long count) {
    long i = 0;
    for (; i + 8 <= count; i += 8) store8(a + i, load8(a + i) + load8(b + i));
    for (; i < count; i++) a[i] = a[i] + b[i];
}

static double sum_of_squares(const float *x, long count) {
    d8 sums = (d8)0.0;
    long i = 0;
    for (; i + 8 <= count; i += 8) {
        d8 wide = __builtin_convertvector(load8(x + i), d8);
        sums = sums + wide * wide;
    }
    for (; i < count; i++) sums[i & 7] = sums[i & 7] + (double)x[i] * (double)x[i];
    return join8(sums);
}

#if CK_GRADIENT_PANELS > 1
/// Both operands of a weight gradient lie in near caches, so that loads are what limits it: fewer rows and more panels than in a product
/// take fewer of them.
static __attribute__((noinline)) void tile_of_gradient_panels(
    long height, const float *a, long lda, const float *packed, long panel_stride, long depth, float *c, long ldc, int mode) {
    tile_of_height(CK_GRADIENT_ROWS, height, CK_GRADIENT_PANELS, a, lda, packed, panel_stride, depth, c, ldc, mode);
}
#endif

/// Of the next tile; what is left at the end is not a single panel if it can be helped.
CK_INLINE int gradient_panels(long left) {
    if (left >= CK_GRADIENT_PANELS + CK_TILE_PANELS || left == CK_GRADIENT_PANELS) return CK_GRADIENT_PANELS;
    return left >= CK_TILE_PANELS ? CK_TILE_PANELS : 1;
}

/// A tile of a leaf's gradient, added to `sum` or stored there.
CK_INLINE void leaf_gradient(const ck_sum_operation *o, long unit, long height, long column, int panels, float *sum, long ld) {
    const float *transposed = o->transposed + unit * o->rows, *packed = o->packed + column * o->rows;
    const int mode = o->kind == CK_SUM_ADD ? TILE_ADD : TILE_STORE;
#if CK_GRADIENT_PANELS > 1
    if (panels == CK_GRADIENT_PANELS) {
        tile_of_gradient_panels(height, transposed, o->rows, packed, CK_PANEL * o->rows, o->rows, sum, ld, mode);
        return;
    }
    if (panels == CK_TILE_PANELS) {
        tile_of_all_panels(height, transposed, o->rows, packed, CK_PANEL * o->rows, o->rows, sum, ld, mode);
        return;
    }
#else
    (void)panels;
#endif
    tile_of_one_panel(height, transposed, o->rows, packed, o->rows, sum, ld, mode);
}

static void weight_gradient(
    const ck_sum_operation *operations, long count, long first, long units, long depth, float *gradient) {
    // [0] stands in for a tile that reaches beyond the last column.
    float open[CK_MAX_LEVELS][CK_GRADIENT_ROWS * CK_GRADIENT_PANELS * CK_PANEL];
    for (long j = 0; j < depth;) {
        const int panels = gradient_panels((depth - j + CK_PANEL - 1) / CK_PANEL);
        const long columns = panels * CK_PANEL, width = min_long(columns, depth - j);
        for (long u = 0; u < units; u += CK_GRADIENT_ROWS) {
            const long height = min_long(CK_GRADIENT_ROWS, units - u);
            float *target = gradient + u * depth + j;
            for (const ck_sum_operation *o = operations; o < operations + count; o++) {
                const int direct = o->level == 0 && width == columns;
                float *sum = direct ? target : open[o->level];
                const long ld = direct ? depth : columns;
                if (o->kind == CK_SUM_MERGE) {
                    for (long i = 0; i < height; i++) add(sum + i * ld, open[o->level + 1] + i * columns, columns);
                } else if (o->kind == CK_SUM_ROUND) {
                    for (long i = 0; i < height; i++) round_in_place(sum + i * ld, columns);
                } else {
                    leaf_gradient(o, first + u, height, j, panels, sum, ld);
                }
            }
            if (width < columns) {
                for (long i = 0; i < height; i++) memcpy(target + i * depth, open[0] + i * columns, (size_t)width * sizeof(float));
            }
        }
        j += columns;
    }
}

static void bias_gradient(const ck_sum_operation *operations, long count, long units, float *gradient) {
    enum { BLOCK = 64 };
    float open[CK_MAX_LEVELS][BLOCK], column[BLOCK];
    for (long u = 0; u < units; u += BLOCK) {
        const long width = min_long(BLOCK, units - u);
        for (const ck_sum_operation *o = operations; o < operations + count; o++) {
            float *sum = open[o->level];
            if (o->kind == CK_SUM_MERGE) {
                add(sum, open[o->level + 1], width);
                continue;
            }
            if (o->kind == CK_SUM_ROUND) {
                round_in_place(sum, width);
                continue;
            }
            memset(column, 0, sizeof column);
            for (long r = 0; r < o->rows; r++) add(column, o->plain + r * o->ld + u, width);
            if (o->kind == CK_SUM_ADD) {
                add(sum, column, width);
            } else {
                memcpy(sum, column, sizeof column);
            }
        }
        memcpy(gradient + u, open[0], (size_t)width * sizeof(float));
    }
}
