#ifndef DNN_UPDATE_H
#define DNN_UPDATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

// The loops of the fused update: joins of the reduction tree, update rules, sums of squares.
//
// Inputs may start at any byte; outputs are aligned for float. An output may be the very input it replaces, but never overlap one
// otherwise. Every loop uses only operations that IEEE 754 rounds correctly, never contracted, so all levels give the same bits.

/// Levels of x86-64 that the loops are compiled for.
enum dnn_update_level { DNN_UPDATE_BASELINE = 0, DNN_UPDATE_AVX2 = 1, DNN_UPDATE_AVX512 = 2 };

/// The loop that a rule runs.
enum dnn_rule_kind {
    DNN_RULE_SGD = 0,
    DNN_RULE_MOMENTUM = 1,
    DNN_RULE_NESTEROV = 2,
    DNN_RULE_ADAGRAD = 3,
    DNN_RULE_RMSPROP = 4,
    DNN_RULE_RMSPROP_MOMENTUM = 5,
    DNN_RULE_RMSPROP_CENTERED = 6,
    DNN_RULE_RMSPROP_CENTERED_MOMENTUM = 7,
    DNN_RULE_ADAM = 8,
    DNN_RULE_AMSGRAD = 9,
    DNN_RULE_ADAMAX = 10,
    DNN_RULE_NADAM = 11,
    DNN_RULE_RADAM_PLAIN = 12,
    DNN_RULE_RADAM_RECTIFIED = 13,
    DNN_RULE_ADADELTA = 14
};

/// The constants of one step. Each rule reads those it names.
struct dnn_rule {
    uint32_t kind;
    // What happens to the mean gradient first, for every rule: multiplied by scale, brought into ±limit (infinite: not clipped), then
    // += l2·w + l1·sgn(w).
    float scale;
    float limit;
    float l2;
    float l1;
    float rate;
    float gradient_rate;
    float weight_keep;
    float velocity_keep;
    float velocity_gain;
    float momentum;
    float first_gain;
    float second_keep;
    float second_gain;
    float root_scale;
    float epsilon;
};

enum { DNN_UPDATE_SLOTS = 3, DNN_UPDATE_LANES = 16 };

/// Whole blocks of version t and of version t+1. Slots that a rule does not have are not touched.
struct dnn_update_arrays {
    const void *weights;
    const void *_Nullable slots[DNN_UPDATE_SLOTS];
    float *next_weights;
    float *_Nullable next_slots[DNN_UPDATE_SLOTS];
    /// Whether the next slots bypass the caches: for states that no cache holds until the next step.
    bool streams_slots;
};

/// The sum of a step's operands, as far as it is not yet formed: a, or a + b.
struct dnn_sum {
    const void *a;
    const void *_Nullable b;
};

/// The loops, compiled for one level.
struct dnn_update_kernels {
    /// out = a + b
    void (*join)(float *out, const void *a, const void *b, size_t count);
    /// out = (a + b) + (c + d)
    void (*join_four)(float *out, const void *a, const void *b, const void *c, const void *d, size_t count);
    /// out = sum ÷ divisor, rounded once; whether all of sum is finite.
    bool (*mean)(float *out, struct dnn_sum sum, size_t count, float divisor);
    /// One step of a rule with gradient sum ÷ divisor, for count elements from offset; whether all of sum is finite.
    ///
    /// Where there are lanes, three times 16, the squares of the gradient, of the new weights and of their change are added, element i of
    /// the call to lane i mod 16; those of weights and changes as floats first. The next weights are not the weights then.
    bool (*update)(
        const struct dnn_rule *rule, const struct dnn_update_arrays *arrays, size_t offset, struct dnn_sum sum, size_t count,
        float divisor, double *_Nullable lanes);
    /// lanes[i mod 16] += values[i]², in double
    void (*squares)(double *lanes, const void *values, size_t count);
    /// lanes[i mod 16] += (a[i] − b[i])², in double
    void (*squares_of_difference)(double *lanes, const void *a, const void *b, size_t count);
    /// Scales each of count rows whose Euclidean norm exceeds limit down to it; a norm is the root of a double sum in index order.
    void (*limit_rows)(float *rows, size_t length, size_t count, double limit);
};

/// The loops for a level; NULL if this processor lacks it.
const struct dnn_update_kernels *_Nullable dnn_update_kernels(enum dnn_update_level level);

/// Sets the calling thread's floating-point mode to that of the update (round to nearest, no traps, subnormals are zero, both read and
/// written) and returns the old one. The bits then do not depend on what the thread did before.
uint32_t dnn_update_enter_mode(void);

/// Restores the mode; all that was written is then visible to whoever is told of it afterwards.
void dnn_update_leave_mode(uint32_t mode);

/// √x by the processor's instruction; Swift's own may call libm, and then needs it linked.
static inline double dnn_square_root(double x) {
    return __builtin_elementwise_sqrt(x);
}

#pragma clang assume_nonnull end

#endif
