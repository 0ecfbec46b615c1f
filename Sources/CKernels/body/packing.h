// Copies that bring operands into the order in which the products read them.

/// Rows and columns of eight registers change places.
CK_INLINE void transpose8(f8 r[8]) {
    f8 s[8];
    CK_UNROLL for (int i = 0; i < 4; i++) {
        s[2 * i] = __builtin_shufflevector(r[2 * i], r[2 * i + 1], 0, 8, 2, 10, 4, 12, 6, 14);
        s[2 * i + 1] = __builtin_shufflevector(r[2 * i], r[2 * i + 1], 1, 9, 3, 11, 5, 13, 7, 15);
    }
    CK_UNROLL for (int i = 0; i < 2; i++) CK_UNROLL for (int j = 0; j < 2; j++) {
        f8 a = s[4 * i + j], b = s[4 * i + 2 + j];
        r[4 * i + j] = __builtin_shufflevector(a, b, 0, 1, 8, 9, 4, 5, 12, 13);
        r[4 * i + 2 + j] = __builtin_shufflevector(a, b, 2, 3, 10, 11, 6, 7, 14, 15);
    }
    CK_UNROLL for (int j = 0; j < 4; j++) {
        f8 a = r[j], b = r[4 + j];
        r[j] = __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11);
        r[4 + j] = __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15);
    }
}

static void transpose(const float *x, long ld, long rows, long columns, float *y, long ldy) {
    const long whole_rows = rows & ~7L, whole_columns = columns & ~7L;
    for (long r = 0; r < whole_rows; r += 8) {
        for (long c = 0; c < whole_columns; c += 8) {
            f8 block[8];
            CK_UNROLL for (int i = 0; i < 8; i++) block[i] = load8(x + (r + i) * ld + c);
            transpose8(block);
            CK_UNROLL for (int i = 0; i < 8; i++) store8(y + (c + i) * ldy + r, block[i]);
        }
        for (long c = whole_columns; c < columns; c++) {
            for (long i = r; i < r + 8; i++) y[c * ldy + i] = x[i * ld + c];
        }
    }
    for (long r = whole_rows; r < rows; r++) {
        for (long c = 0; c < columns; c++) y[c * ldy + r] = x[r * ld + c];
    }
}

static void pack_rows(const float *x, long ld, long rows, long depth, float *packed) {
    for (long first = 0; first < rows; first += CK_PANEL, packed += CK_PANEL * depth) {
        const long present = min_long(CK_PANEL, rows - first);
        transpose(x + first * ld, ld, present, depth, packed, CK_PANEL);
        if (present < CK_PANEL) {
            for (long k = 0; k < depth; k++) memset(packed + k * CK_PANEL + present, 0, (size_t)(CK_PANEL - present) * sizeof(float));
        }
    }
}

static void pack_columns(const float *x, long ld, long rows, long columns, float *packed) {
    for (long first = 0; first < columns; first += CK_PANEL, packed += CK_PANEL * rows) {
        const long present = min_long(CK_PANEL, columns - first);
        for (long r = 0; r < rows; r++) {
            const float *from = x + r * ld + first;
            float *to = packed + r * CK_PANEL;
            if (present == CK_PANEL) {
                store8(to, load8(from));
                store8(to + 8, load8(from + 8));
            } else {
                for (long c = 0; c < CK_PANEL; c++) to[c] = c < present ? from[c] : 0.0f;
            }
        }
    }
}

/// The upper half of a float, rounded in whole numbers, so that subnormals keep their bits whatever the thread's mode.
static inline uint32_t nearest_bf16(uint32_t bits) {
    const uint32_t nearest = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
    const uint32_t quiet = (bits >> 16) | 0x40u;
    return (bits & 0x7fffffffu) > 0x7f800000u ? quiet : nearest;
}

static void round_to_bf16(const float *x, uint16_t *y, long count) {
    for (long i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, x + i, sizeof bits);
        y[i] = (uint16_t)nearest_bf16(bits);
    }
}

static void round_in_place(float *x, long count) {
    for (long i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, x + i, sizeof bits);
        bits = nearest_bf16(bits) << 16;
        memcpy(x + i, &bits, sizeof bits);
    }
}

static void widen_bf16(const void *x, float *y, long count) {
    for (long i = 0; i < count; i++) {
        uint16_t half;
        memcpy(&half, (const char *)x + i * sizeof half, sizeof half);
        const uint32_t bits = (uint32_t)half << 16;
        memcpy(y + i, &bits, sizeof bits);
    }
}
