#pragma once
#include <stdint.h>

// The numeric kernels of one instruction set. All sets give the same bits: element-wise work is IEEE arithmetic without contraction,
// and an element of a product is one chain of fused multiply-adds over the ascending reduction index.
// Matrices are row-major; `ld` is the distance of rows in floats.

/// Columns of a packed panel.
#define CK_PANEL 16
/// Units computed by one forward call at most: a multiple of every tile height and of a Philox block.
#define CK_FORWARD_UNITS 48
/// Partial sums of a tree addition that can be open at once.
#define CK_MAX_LEVELS 24

enum {
    CK_IDENTITY,
    CK_RELU,
    CK_LEAKY_RELU,
    CK_SIGMOID,
    CK_TANH,
    CK_ELU,
    CK_SELU,
    CK_SOFTPLUS,
    CK_HARD_SIGMOID,
    // Their derivative is computed from the input.
    CK_GELU,
    CK_GELU_TANH,
    CK_SILU,
};

/// What follows the product, in one pass: activation, then dropout or scaling.
typedef struct {
    int32_t activation;
    float slope;         // of CK_LEAKY_RELU, and α of CK_ELU: not negative
    float scale;         // multiplies what is kept
    uint32_t threshold;  // an element is dropped if its random word is less; 0 drops nothing
    uint32_t key[2];     // Philox key: the run's seed
    uint32_t step, tag;  // last two words of the counter; the first two are element / 4 and sample
} ck_epilogue;

/// One operation of a tree addition, in postorder. `level` counts the open partial sums.
typedef struct {
    const float *transposed;  // a leaf's output gradient, [units][rows]
    const float *packed;      // the leaf's inputs by ck_pack_columns
    const float *plain;       // the output gradient, [rows][ld]
    long rows, ld;
    int32_t level;
    int32_t kind;
} ck_sum_operation;

enum { CK_SUM_STORE, CK_SUM_ADD, CK_SUM_MERGE, CK_SUM_ROUND };  // level = leaf; level += leaf; level += level + 1; level to bf16

typedef struct {
    double loss;
    double squared_error;
    long correct;
    long top_five;
} ck_figures;

/// A tensor [rows][groups][area][lanes] of channels group · lanes + lane: plain rows are one group of all features, images are blocks of
/// 8 or 16 channels.
typedef struct {
    long rows, groups, area, lanes;
} ck_channels;

typedef struct {
    /// packed[p][k][r] = x[16 p + r][k], rows beyond `rows` zero.
    void (*pack_rows)(const float *x, long ld, long rows, long depth, float *packed);
    /// packed[p][r][c] = x[r][16 p + c], columns beyond `columns` zero.
    void (*pack_columns)(const float *x, long ld, long rows, long columns, float *packed);
    /// y[c][r] = x[r][c].
    void (*transpose)(const float *x, long ld, long rows, long columns, float *y, long ldy);
    /// c[i][j] = Σ a[i][k] · packed[k][j]; with `chained`, the chain goes on from what is in c.
    void (*product)(
        const float *a, long lda, long height, const float *packed, long panel_stride, long depth, long width, float *c, long ldc,
        int chained);
    /// y[r][u] = Σ w[u][k] · x[r][k] for at most CK_FORWARD_UNITS units; x by pack_rows, scratch for units × rows rounded up to panels.
    void (*forward)(
        const float *w, long depth, long units, const float *packed, long rows, float *y, long ldy, float *scratch);
    /// The tree sum of Σ dz[r][u] · x[r][k] over leaves, for `units` units from `first` on; `gradient` points at the first's row.
    void (*weight_gradient)(const ck_sum_operation *operations, long count, long first, long units, long depth, float *gradient);
    /// The tree sum of Σ dz[r][u] over leaves for all units.
    void (*bias_gradient)(const ck_sum_operation *operations, long count, long units, float *gradient);

    /// y = dropout(activation(x + bias)) for columns first ..< first + count, first being a multiple of 4. bias, samples and keep may be
    /// null; samples must be there to drop; keep gets 1 or 0 per element. y may be x.
    void (*epilogue_forward)(
        const ck_epilogue *epilogue, const float *x, const float *bias, const uint32_t *samples, float *y, uint8_t *keep, long ld,
        long rows, long first, long count);
    /// dy ← dy · ∂y/∂x from the stored y, or from x where y does not tell (and from keep, where the sign of y does not tell).
    void (*epilogue_backward)(
        const ck_epilogue *epilogue, const float *y, const uint8_t *keep, float *dy, long ld, long rows, long first, long count);

    /// Layers over rows of `width` elements. dx may be null, but for the softmax and maxout; parameter gradients are written over.
    void (*softmax)(const float *x, long rows, long width, float *y);
    void (*softmax_backward)(const float *y, const float *dy, long rows, long width, float *dx);
    /// y = x − mean of the row, and every row's variance.
    void (*center_rows)(const float *x, long rows, long width, float *y, float *variances);
    /// A row is `channels` runs of equal length, each with a slope of its own.
    void (*prelu)(const float *x, const float *slopes, long channels, long rows, long width, float *y);
    void (*prelu_backward)(
        const float *x, const float *dy, const float *slopes, long channels, long rows, long width, float *dx, float *dslopes);
    /// y[u] = the largest of z[u · pieces ..< (u + 1) · pieces], the first one on ties; a NaN wins.
    void (*maxout)(const float *z, long pieces, long count, float *y);
    void (*maxout_backward)(const float *z, const float *dy, long pieces, long count, float *dz);

    /// Loss sum over rows and, in `gradient`, ∂(loss sum)/∂z; without `wanted` gradient is only scratch.
    /// A label outside 0..<classes gives NaN.
    /// `smoothing` of the target goes to all classes alike; `classified`, if not null, gets the class of the largest logit.
    void (*softmax_cross_entropy)(
        const float *z, const int32_t *labels, long rows, long classes, float smoothing, float *gradient, int wanted,
        int32_t *classified, ck_figures *figures);
    void (*binary_cross_entropy)(
        const float *z, const float *targets, long rows, float *gradient, int wanted, int32_t *classified, ck_figures *figures);
    void (*mean_squared_error)(
        const float *y, const float *targets, long rows, long width, float *gradient, int wanted, ck_figures *figures);
    void (*mean_absolute_error)(
        const float *y, const float *targets, long rows, long width, float *gradient, int wanted, ck_figures *figures);
    void (*huber)(
        const float *y, const float *targets, long rows, long width, float delta, float *gradient, int wanted, ck_figures *figures);

    /// Per channel a = Σ (x − center), b = Σ (x − center)².
    void (*channel_sums)(const float *x, const ck_channels *shape, const double *center, double *a, double *b);
    /// y = x − the channel's mean for plain rows, those of y being `stride` apart.
    void (*center_channels)(const float *x, long rows, long width, const double *means, long stride, float *y);

    /// a += b.
    void (*add)(float *a, const float *b, long count);
    /// To the nearest bfloat16, ties to even, NaN stays NaN.
    void (*round_to_bf16)(const float *x, uint16_t *y, long count);
    void (*round_in_place)(float *x, long count);
    /// The values of bfloat16 numbers, which may lie anywhere.
    void (*widen_bf16)(const void *x, float *y, long count);
    /// Eight interleaved double sums, joined pairwise.
    double (*sum_of_squares)(const float *x, long count);

    // Element-wise functions by themselves, for tests of accuracy.
    void (*exponential)(const float *x, float *y, long count);
    void (*normal_distribution)(const float *x, float *y, long count);
    void (*philox)(const uint32_t counter[4], const uint32_t key[2], uint32_t *words, long blocks);
} ck_kernels;

/// The table of a level: 0 x86-64, 1 x86-64-v3 (AVX2, FMA), 2 x86-64-v4 (AVX-512).
const ck_kernels *ck_kernels_at(int level);

/// The highest level that this processor and system can run.
int ck_supported_level(void);

/// Whether there are products of bfloat16 in hardware.
int ck_has_bf16(void);
