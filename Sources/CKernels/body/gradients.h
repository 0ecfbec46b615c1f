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

static void weight_gradient(
    const ck_sum_operation *operations, long count, long first, long units, long depth, float *gradient) {
    float open[CK_MAX_LEVELS][CK_TILE_ROWS * CK_PANEL];  // [0] stands in for a tile that reaches beyond the last column
    for (long j = 0; j < depth; j += CK_PANEL) {
        const long width = min_long(CK_PANEL, depth - j);
        for (long u = 0; u < units; u += CK_TILE_ROWS) {
            const long height = min_long(CK_TILE_ROWS, units - u);
            float *target = gradient + u * depth + j;
            for (const ck_sum_operation *o = operations; o < operations + count; o++) {
                const int direct = o->level == 0 && width == CK_PANEL;
                float *sum = direct ? target : open[o->level];
                const long ld = direct ? depth : CK_PANEL;
                if (o->kind == CK_SUM_MERGE) {
                    for (long i = 0; i < height; i++) add(sum + i * ld, open[o->level + 1] + i * CK_PANEL, CK_PANEL);
                } else if (o->kind == CK_SUM_ROUND) {
                    for (long i = 0; i < height; i++) round_in_place(sum + i * ld, CK_PANEL);
                } else {
                    tile_of_one_panel(
                        height, o->transposed + (first + u) * o->rows, o->rows, o->packed + j * o->rows, o->rows, sum, ld,
                        o->kind == CK_SUM_ADD ? TILE_ADD : TILE_STORE);
                }
            }
            if (width < CK_PANEL) {
                for (long i = 0; i < height; i++) memcpy(target + i * depth, open[0] + i * CK_PANEL, (size_t)width * sizeof(float));
            }
        }
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
