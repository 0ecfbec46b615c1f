// Products. An element is fma(a[k], b[k], …) over ascending k, begun from 0: no blocking, width or row count changes its bits,
// because a block of the chain that ends in memory goes on exactly from there.

#define CK_LANES (CK_PANEL / CK_WIDTH)  // registers per panel and row of a tile

// What a tile declares holds the largest of both kinds.
_Static_assert(CK_GRADIENT_ROWS <= CK_TILE_ROWS && CK_GRADIENT_PANELS >= CK_TILE_PANELS, "a tile of more rows or fewer panels");

enum { TILE_STORE, TILE_CHAIN, TILE_ADD };  // c = Σ; c = chain going on from c; c = c + Σ, the tree's addition

/// `height` × `panels` · CK_PANEL elements of c, held in registers over the whole depth. Inlined with constant height and panels.
CK_INLINE void tile(
    const int height, const int panels, const float *a, long lda, const float *packed, long panel_stride, long depth, float *c, long ldc,
    int mode) {
    fw sum[CK_TILE_ROWS][CK_GRADIENT_PANELS * CK_LANES];
    const int lanes = panels * CK_LANES;
    CK_UNROLL for (int i = 0; i < height; i++) CK_UNROLL for (int v = 0; v < lanes; v++) sum[i][v] = (fw)0.0f;
    if (mode == TILE_CHAIN) {
        CK_UNROLL for (int i = 0; i < height; i++) CK_UNROLL for (int v = 0; v < lanes; v++) {
            sum[i][v] = loadw(c + i * ldc + v * CK_WIDTH);
        }
    }
    for (long k = 0; k < depth; k++) {
        fw b[CK_GRADIENT_PANELS * CK_LANES];
        CK_UNROLL for (int v = 0; v < lanes; v++) {
            b[v] = loadw(packed + (v / CK_LANES) * panel_stride + k * CK_PANEL + (v % CK_LANES) * CK_WIDTH);
        }
        CK_UNROLL for (int i = 0; i < height; i++) {
            const fw factor = (fw)a[i * lda + k];
            CK_UNROLL for (int v = 0; v < lanes; v++) sum[i][v] = __builtin_elementwise_fma(factor, b[v], sum[i][v]);
        }
    }
    if (mode == TILE_ADD) {
        CK_UNROLL for (int i = 0; i < height; i++) CK_UNROLL for (int v = 0; v < lanes; v++) {
            sum[i][v] = loadw(c + i * ldc + v * CK_WIDTH) + sum[i][v];
        }
    }
    CK_UNROLL for (int i = 0; i < height; i++) CK_UNROLL for (int v = 0; v < lanes; v++) {
        storew(c + i * ldc + v * CK_WIDTH, sum[i][v]);
    }
}

#define CK_TILE_CASE(n) \
    case n: if (n <= most) tile(n, panels, a, lda, packed, panel_stride, depth, c, ldc, mode); return;

/// A tile of `height` ≤ `most` rows. Inlined with constant `most` and panels.
CK_INLINE void tile_of_height(
    const int most, long height, const int panels, const float *a, long lda, const float *packed, long panel_stride, long depth, float *c,
    long ldc, int mode) {
    switch (height) {
        CK_TILE_CASE(1)
        CK_TILE_CASE(2)
        CK_TILE_CASE(3)
        CK_TILE_CASE(4)
        CK_TILE_CASE(5)
        CK_TILE_CASE(6)
        CK_TILE_CASE(7)
        CK_TILE_CASE(8)
        CK_TILE_CASE(9)
        CK_TILE_CASE(10)
        CK_TILE_CASE(11)
        CK_TILE_CASE(12)
    }
}

static __attribute__((noinline)) void tile_of_one_panel(
    long height, const float *a, long lda, const float *packed, long depth, float *c, long ldc, int mode) {
    const long panel_stride = 0;
    tile_of_height(CK_TILE_ROWS, height, 1, a, lda, packed, panel_stride, depth, c, ldc, mode);
}

#if CK_TILE_PANELS > 1
static __attribute__((noinline)) void tile_of_all_panels(
    long height, const float *a, long lda, const float *packed, long panel_stride, long depth, float *c, long ldc, int mode) {
    tile_of_height(CK_TILE_ROWS, height, CK_TILE_PANELS, a, lda, packed, panel_stride, depth, c, ldc, mode);
}
#endif

/// A tile of `width` ≤ CK_PANEL columns, of which only the present ones are touched in c.
static void narrow_tile(
    long height, const float *a, long lda, const float *packed, long depth, long width, float *c, long ldc, int mode) {
    float whole[CK_TILE_ROWS * CK_PANEL] = {0};
    if (mode != TILE_STORE) {
        for (long i = 0; i < height; i++) memcpy(whole + i * CK_PANEL, c + i * ldc, (size_t)width * sizeof(float));
    }
    tile_of_one_panel(height, a, lda, packed, depth, whole, CK_PANEL, mode);
    for (long i = 0; i < height; i++) memcpy(c + i * ldc, whole + i * CK_PANEL, (size_t)width * sizeof(float));
}

static void product(
    const float *a, long lda, long height, const float *packed, long panel_stride, long depth, long width, float *c, long ldc,
    int chained) {
    const int mode = chained ? TILE_CHAIN : TILE_STORE;
    for (long i = 0; i < height; i += CK_TILE_ROWS) {
        const long rows = min_long(CK_TILE_ROWS, height - i);
        long j = 0;
#if CK_TILE_PANELS > 1
        for (; j + CK_TILE_PANELS * CK_PANEL <= width; j += CK_TILE_PANELS * CK_PANEL) {
            tile_of_all_panels(
                rows, a + i * lda, lda, packed + j / CK_PANEL * panel_stride, panel_stride, depth, c + i * ldc + j, ldc, mode);
        }
#endif
        for (; j + CK_PANEL <= width; j += CK_PANEL) {
            tile_of_one_panel(rows, a + i * lda, lda, packed + j / CK_PANEL * panel_stride, depth, c + i * ldc + j, ldc, mode);
        }
        if (j < width) {
            const float *last = packed + j / CK_PANEL * panel_stride;
            narrow_tile(rows, a + i * lda, lda, last, depth, width - j, c + i * ldc + j, ldc, mode);
        }
    }
}

static void forward(const float *w, long depth, long units, const float *packed, long rows, float *y, long ldy, float *scratch) {
    const long block = 512;  // of the depth: a tile's rows of w stay in the first-level cache while all panels of x pass by
    const long padded = (rows + CK_PANEL - 1) / CK_PANEL * CK_PANEL;
    for (long k = 0; k < depth; k += block) {
        const long length = min_long(block, depth - k);
        product(w + k, depth, units, packed + k * CK_PANEL, depth * CK_PANEL, length, padded, scratch, padded, k > 0);
    }
    transpose(scratch, padded, units, rows, y, ldy);
}
