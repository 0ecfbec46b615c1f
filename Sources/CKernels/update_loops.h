// The loops of one level. The including file defines DNN_UPDATE_TABLE, the table's name, and DNN_UPDATE_WIDTH, the floats in a vector of
// the level; DNN_UPDATE_FUSES where it has fused multiply-adds. The bits depend on none of them.

#include "update_levels.h"

#include <string.h>

// Contraction would fuse multiply-adds where the level has them, and give other bits there.
#pragma clang fp contract(off)

#define INLINE static inline __attribute__((always_inline))

typedef float wide __attribute__((vector_size(DNN_UPDATE_WIDTH * sizeof(float))));
typedef int32_t bits __attribute__((vector_size(DNN_UPDATE_WIDTH * sizeof(float))));
typedef const char *bytes;

INLINE wide load(const void *base, size_t index) {
    wide value;
    memcpy(&value, (bytes)base + index * sizeof(float), sizeof value);
    return value;
}

INLINE wide load_part(const void *base, size_t index, size_t count) {
    wide value = {0};
    memcpy(&value, (bytes)base + index * sizeof(float), count * sizeof(float));
    return value;
}

INLINE void store(float *base, size_t index, wide value) {
    memcpy(base + index, &value, sizeof value);
}

INLINE wide choose(bits mask, wide yes, wide no) {
    return (wide)((mask & (bits)yes) | (~mask & (bits)no));
}

INLINE wide larger(wide a, wide b) {
    return choose(a > b, a, b);
}

// sqrtf may stay a call because of errno.
INLINE wide root(wide x) {
    return __builtin_elementwise_sqrt(x);
}

#include "update_rules.h"

static void join(float *out, const void *a, const void *b, size_t count) {
    size_t i = 0;
    for (; i + DNN_UPDATE_WIDTH <= count; i += DNN_UPDATE_WIDTH) store(out, i, load(a, i) + load(b, i));
    wide rest = load_part(a, i, count - i) + load_part(b, i, count - i);
    memcpy(out + i, &rest, (count - i) * sizeof(float));
}

static void join_four(float *out, const void *a, const void *b, const void *c, const void *d, size_t count) {
    size_t i = 0;
    for (; i + DNN_UPDATE_WIDTH <= count; i += DNN_UPDATE_WIDTH) {
        store(out, i, (load(a, i) + load(b, i)) + (load(c, i) + load(d, i)));
    }
    size_t n = count - i;
    wide rest = (load_part(a, i, n) + load_part(b, i, n)) + (load_part(c, i, n) + load_part(d, i, n));
    memcpy(out + i, &rest, n * sizeof(float));
}

/// How the gradient is formed: the same for all elements of a call.
struct form {
    /// Whether the sum is a + b; constant in each copy of a loop.
    bool has_two;
    /// Whether the divisor is a power of two.
    bool is_exact;
    bool scales;
    bool clips;
    bool decays;
};

/// For a power of two the product with the reciprocal is the quotient, bit for bit.
INLINE bool is_power_of_two(float value) {
    uint32_t word;
    memcpy(&word, &value, sizeof word);
    return (word & 0x007FFFFFu) == 0;
}

INLINE wide mean_of(wide sum, struct form form, float divisor, bits *wild) {
    // 0 where finite, else NaN.
    *wild |= (bits)(sum - sum);
    return form.is_exact ? sum * (1 / divisor) : sum / divisor;
}

INLINE bool is_any(bits mask) {
    int32_t any = 0;
    for (int i = 0; i < DNN_UPDATE_WIDTH; i++) any |= mask[i];
    return any != 0;
}

INLINE bool mean_loop(float *out, struct dnn_sum sum, size_t count, float divisor, struct form form) {
    bits wild = {0};
    size_t i = 0;
    for (; i + DNN_UPDATE_WIDTH <= count; i += DNN_UPDATE_WIDTH) {
        wide value = load(sum.a, i);
        if (form.has_two) value += load(sum.b, i);
        store(out, i, mean_of(value, form, divisor, &wild));
    }
    wide value = load_part(sum.a, i, count - i);
    if (form.has_two) value += load_part(sum.b, i, count - i);
    value = mean_of(value, form, divisor, &wild);
    memcpy(out + i, &value, (count - i) * sizeof(float));
    return !is_any(wild);
}

static bool mean(float *out, struct dnn_sum sum, size_t count, float divisor) {
    bool is_exact = is_power_of_two(divisor);
    return sum.b ? mean_loop(out, sum, count, divisor, (struct form){.has_two = true, .is_exact = is_exact})
                 : mean_loop(out, sum, count, divisor, (struct form){.has_two = false, .is_exact = is_exact});
}

typedef void rule_step(const struct dnn_rule *k, wide g, struct elements *e);

#include "update_norms.h"

/// Scale, clip, then decay.
INLINE wide treated(const struct dnn_rule *k, wide g, wide w, struct form form) {
    wide zero = {0};
    if (form.scales) g *= k->scale;
    if (form.clips) {
        wide limit = zero + k->limit;
        g = choose(g > limit, limit, g);
        g = choose(g < -limit, -limit, g);
    }
    if (form.decays) {
        wide l1 = zero + k->l1;
        wide sign = (wide)((w > zero) & (bits)l1) - (wide)((w < zero) & (bits)l1);
        g += k->l2 * w + sign;
    }
    return g;
}

/// Fewer elements than a vector, by way of a padded one.
INLINE void update_part(
    const struct dnn_rule *k, const struct dnn_update_arrays *arrays, size_t offset, struct dnn_sum sum, size_t i, size_t count,
    float divisor, struct form form, rule_step *step, int slots, bits *wild, struct norms *norms, int lane_vector) {
    struct elements e;
    wide value = load_part(sum.a, i, count);
    if (form.has_two) value += load_part(sum.b, i, count);
    const wide old = e.w = load_part(arrays->weights, offset + i, count);
    for (int slot = 0; slot < slots; slot++) e.slots[slot] = load_part(arrays->slots[slot], offset + i, count);
    const wide g = mean_of(value, form, divisor, wild);
    step(k, treated(k, g, e.w, form), &e);
    memcpy(arrays->next_weights + offset + i, &e.w, count * sizeof(float));
    for (int slot = 0; slot < slots; slot++) memcpy(arrays->next_slots[slot] + offset + i, &e.slots[slot], count * sizeof(float));
    // What the rule made of the padding is not looked at.
    if (norms) add_norms(norms, lane_vector, g, old, load_part(arrays->next_weights, offset + i, count));
}

/// A whole vector of elements.
INLINE void update_whole(
    const struct dnn_rule *k, const struct dnn_update_arrays *arrays, size_t offset, struct dnn_sum sum, size_t i, float divisor,
    struct form form, bool streams, rule_step *step, int slots, bits *wild, struct norms *norms, int lane_vector) {
    struct elements e;
    wide value = load(sum.a, i);
    if (form.has_two) value += load(sum.b, i);
    const wide old = e.w = load(arrays->weights, offset + i);
    for (int slot = 0; slot < slots; slot++) e.slots[slot] = load(arrays->slots[slot], offset + i);
    const wide g = mean_of(value, form, divisor, wild);
    step(k, treated(k, g, e.w, form), &e);
    store(arrays->next_weights, offset + i, e.w);
    for (int slot = 0; slot < slots; slot++) {
        if (streams) {
            __builtin_nontemporal_store(e.slots[slot], (wide *)(arrays->next_slots[slot] + offset + i));
        } else {
            store(arrays->next_slots[slot], offset + i, e.slots[slot]);
        }
    }
    if (norms) add_norms(norms, lane_vector, g, old, e.w);
}

INLINE bool update_loop(
    const struct dnn_rule *rule, const struct dnn_update_arrays *arrays, size_t offset, struct dnn_sum sum, size_t count,
    float divisor, struct form form, bool streams, rule_step *step, int slots) {
    const struct dnn_rule k = *rule;
    const struct dnn_update_arrays all = *arrays;
    bits wild = {0};
    size_t i = 0;
    if (streams) {
        // Streamed stores go to aligned vectors.
        size_t head = -offset % DNN_UPDATE_WIDTH;
        i = head < count ? head : count;
        update_part(&k, &all, offset, sum, 0, i, divisor, form, step, slots, &wild, NULL, 0);
    }
    for (; i + DNN_UPDATE_WIDTH <= count; i += DNN_UPDATE_WIDTH) {
        update_whole(&k, &all, offset, sum, i, divisor, form, streams, step, slots, &wild, NULL, 0);
    }
    update_part(&k, &all, offset, sum, i, count - i, divisor, form, step, slots, &wild, NULL, 0);
    return !is_any(wild);
}

/// The same, which adds to the lanes of the norms, not in place. Slots are streamed where their vectors are aligned from the first element on.
INLINE bool measured_loop(
    const struct dnn_rule *rule, const struct dnn_update_arrays *arrays, size_t offset, struct dnn_sum sum, size_t count,
    float divisor, struct form form, bool streams, rule_step *step, int slots, double *lanes) {
    const struct dnn_rule k = *rule;
    const struct dnn_update_arrays all = *arrays;
    bits wild = {0};
    struct norms norms = begin_norms(lanes);
    size_t i = 0;
    for (; i + DNN_UPDATE_LANES <= count; i += DNN_UPDATE_LANES) {
#pragma clang loop unroll(full)
        for (int v = 0; v < LANE_VECTORS; v++) {
            update_whole(&k, &all, offset, sum, i + v * DNN_UPDATE_WIDTH, divisor, form, streams, step, slots, &wild, &norms, v);
        }
    }
    // A copy, so that the loop's own stay in registers.
    struct norms last = norms;
    for (int v = 0; v < LANE_VECTORS && i + v * DNN_UPDATE_WIDTH < count; v++) {
        const size_t start = i + v * DNN_UPDATE_WIDTH, rest = count - start;
        update_part(
            &k, &all, offset, sum, start, rest < DNN_UPDATE_WIDTH ? rest : DNN_UPDATE_WIDTH, divisor, form, step, slots, &wild, &last, v);
    }
    end_norms(lanes, &last, all.next_weights + offset, (bytes)all.weights + offset * sizeof(float), count);
    return !is_any(wild);
}

/// A copy of the loop for each combination of constants; branches on the rest of the form are taken per vector.
#define LOOP(step, slots, has_two, streams) \
    update_loop(rule, arrays, offset, sum, count, divisor, (struct form){has_two, is_exact, scales, clips, decays}, streams, step, slots)
#define PLAIN_LOOP(step, slots, has_two) \
    update_loop(rule, arrays, offset, sum, count, divisor, (struct form){has_two, true, false, false, false}, false, step, slots)
#define MEASURED_LOOP(step, slots, streams) \
    measured_loop( \
        rule, arrays, offset, sum, count, divisor, (struct form){sum.b != NULL, is_exact, scales, clips, decays}, streams, step, slots, \
        lanes)
#define PLAIN_MEASURED_LOOP(step, slots, has_two) \
    measured_loop( \
        rule, arrays, offset, sum, count, divisor, (struct form){has_two, true, false, false, false}, false, step, slots, lanes)

#define UPDATE(kind, step, slots) \
    case kind: \
        if (streams) return sum.b ? LOOP(step, slots, true, true) : LOOP(step, slots, false, true); \
        if (is_plain) return sum.b ? PLAIN_LOOP(step, slots, true) : PLAIN_LOOP(step, slots, false); \
        return sum.b ? LOOP(step, slots, true, false) : LOOP(step, slots, false, false)
#define UPDATE_MEASURED(kind, step, slots) \
    case kind: \
        if (streams) return MEASURED_LOOP(step, slots, true); \
        if (is_plain) return sum.b ? PLAIN_MEASURED_LOOP(step, slots, true) : PLAIN_MEASURED_LOOP(step, slots, false); \
        return MEASURED_LOOP(step, slots, false)

#define EACH_RULE(CASE) \
    CASE(DNN_RULE_SGD, sgd, 0); \
    CASE(DNN_RULE_MOMENTUM, momentum, 1); \
    CASE(DNN_RULE_NESTEROV, nesterov, 1); \
    CASE(DNN_RULE_ADAGRAD, adagrad, 1); \
    CASE(DNN_RULE_RMSPROP, rmsprop, 1); \
    CASE(DNN_RULE_RMSPROP_MOMENTUM, rmsprop_momentum, 2); \
    CASE(DNN_RULE_RMSPROP_CENTERED, rmsprop_centered, 2); \
    CASE(DNN_RULE_RMSPROP_CENTERED_MOMENTUM, rmsprop_centered_momentum, 3); \
    CASE(DNN_RULE_ADAM, adam, 2); \
    CASE(DNN_RULE_AMSGRAD, amsgrad, 3); \
    CASE(DNN_RULE_ADAMAX, adamax, 2); \
    CASE(DNN_RULE_NADAM, nadam, 2); \
    CASE(DNN_RULE_RADAM_PLAIN, radam_plain, 2); \
    CASE(DNN_RULE_RADAM_RECTIFIED, radam_rectified, 2); \
    CASE(DNN_RULE_ADADELTA, adadelta, 2);

static bool can_stream(const struct dnn_update_arrays *arrays) {
    bool streams = arrays->streams_slots;
    for (int slot = 0; slot < DNN_UPDATE_SLOTS; slot++) streams &= (uintptr_t)arrays->next_slots[slot] % sizeof(wide) == 0;
    return streams;
}

static bool update(
    const struct dnn_rule *rule, const struct dnn_update_arrays *arrays, size_t offset, struct dnn_sum sum, size_t count,
    float divisor, double *lanes) {
    bool is_exact = is_power_of_two(divisor);
    bool scales = rule->scale != 1;
    bool clips = rule->limit < __builtin_inff();
    bool decays = rule->l2 != 0 || rule->l1 != 0;
    bool is_plain = is_exact && !scales && !clips && !decays;
    bool streams = can_stream(arrays);
    if (lanes) {
        streams &= offset % DNN_UPDATE_WIDTH == 0;
        switch ((enum dnn_rule_kind)rule->kind) { EACH_RULE(UPDATE_MEASURED) }
        return false;
    }
    switch ((enum dnn_rule_kind)rule->kind) { EACH_RULE(UPDATE) }
    return false;
}

enum { ROWS_AT_ONCE = 8 };

/// Several rows at once: each sum keeps its index order, and none waits for another's additions.
INLINE void limit_some_rows(float *rows, size_t length, size_t count, double limit) {
    double sums[ROWS_AT_ONCE] = {0};
    for (size_t i = 0; i < length; i++) {
        for (size_t row = 0; row < count; row++) {
            double x = rows[row * length + i];
            sums[row] += x * x;
        }
    }
    for (size_t row = 0; row < count; row++) {
        double norm = __builtin_elementwise_sqrt(sums[row]);
        if (!(norm > limit)) continue;
        double factor = limit / norm;
        for (size_t i = 0; i < length; i++) rows[row * length + i] = (float)(rows[row * length + i] * factor);
    }
}

static void limit_rows(float *rows, size_t length, size_t count, double limit) {
    for (; count >= ROWS_AT_ONCE; count -= ROWS_AT_ONCE, rows += ROWS_AT_ONCE * length) {
        limit_some_rows(rows, length, ROWS_AT_ONCE, limit);
    }
    for (; count > 0; count--, rows += length) limit_some_rows(rows, length, 1, limit);
}

const struct dnn_update_kernels DNN_UPDATE_TABLE = {
    .join = join,
    .join_four = join_four,
    .mean = mean,
    .update = update,
    .squares = squares,
    .squares_of_difference = squares_of_difference,
    .limit_rows = limit_rows,
};
