// Sums of squares: of values, of differences, and, beside a rule, of all that the norms of a step want: Σg², Σw², Σ(new − old)². Element i
// goes to double lane i mod 16. Included by update_loops.h.

// A lane is a fixed place in a vector of the lanes, wider than most levels' own.
typedef float lane_floats __attribute__((vector_size(DNN_UPDATE_LANES * sizeof(float))));
typedef double lane_doubles __attribute__((vector_size(DNN_UPDATE_LANES * sizeof(double))));

enum { NORM_FIGURES = 3 };

/// Adds the square of what floats were. Their products are exact in double, so with or without a fused addition the bits are the same.
INLINE void add_square(lane_doubles *sums, const lane_doubles *x) {
#ifdef DNN_UPDATE_FUSES
    *sums = __builtin_elementwise_fma(*x, *x, *sums);
#else
    *sums += *x * *x;
#endif
}

static void squares(double *lanes, const void *values, size_t count) {
    lane_doubles sums;
    memcpy(&sums, lanes, sizeof sums);
    for (size_t i = 0; i < count; i += DNN_UPDATE_LANES) {
        size_t part = count - i < DNN_UPDATE_LANES ? count - i : DNN_UPDATE_LANES;
        lane_floats narrow = {0};
        if (part == DNN_UPDATE_LANES) {
            memcpy(&narrow, (bytes)values + i * sizeof(float), sizeof narrow);
        } else {
            memcpy(&narrow, (bytes)values + i * sizeof(float), part * sizeof(float));
        }
        lane_doubles x = __builtin_convertvector(narrow, lane_doubles);
        add_square(&sums, &x);
    }
    memcpy(lanes, &sums, sizeof sums);
}

static void squares_of_difference(double *lanes, const void *a, const void *b, size_t count) {
    lane_doubles sums;
    memcpy(&sums, lanes, sizeof sums);
    for (size_t i = 0; i < count; i += DNN_UPDATE_LANES) {
        size_t part = count - i < DNN_UPDATE_LANES ? count - i : DNN_UPDATE_LANES;
        lane_floats left = {0}, right = {0};
        if (part == DNN_UPDATE_LANES) {
            memcpy(&left, (bytes)a + i * sizeof(float), sizeof left);
            memcpy(&right, (bytes)b + i * sizeof(float), sizeof right);
        } else {
            memcpy(&left, (bytes)a + i * sizeof(float), part * sizeof(float));
            memcpy(&right, (bytes)b + i * sizeof(float), part * sizeof(float));
        }
        lane_doubles x = __builtin_convertvector(left, lane_doubles) - __builtin_convertvector(right, lane_doubles);
        sums += x * x;
    }
    memcpy(lanes, &sums, sizeof sums);
}

#ifdef DNN_UPDATE_ADDS_IN_REGISTERS
// As many registers as all lanes take, and a vector of elements for each of them: nothing is loaded a second time.
struct norms {
    lane_doubles sums[NORM_FIGURES];
};

INLINE void add_norms(struct norms *norms, wide g, wide old, wide new) {
    const lane_doubles gradient = __builtin_convertvector(g, lane_doubles), weights = __builtin_convertvector(new, lane_doubles);
    const lane_doubles change = weights - __builtin_convertvector(old, lane_doubles);
    add_square(&norms->sums[0], &gradient);
    add_square(&norms->sums[1], &weights);
    norms->sums[2] += change * change;
}

INLINE struct norms load_norms(const double *lanes) {
    struct norms norms;
    for (int i = 0; i < NORM_FIGURES; i++) memcpy(&norms.sums[i], lanes + i * DNN_UPDATE_LANES, sizeof norms.sums[i]);
    return norms;
}

INLINE void store_norms(double *lanes, const struct norms *norms) {
    for (int i = 0; i < NORM_FIGURES; i++) memcpy(lanes + i * DNN_UPDATE_LANES, &norms->sums[i], sizeof norms->sums[i]);
}
#else
// Elements that are updated before their squares are added: few enough to be in the first cache still, enough that the sums are not loaded
// and stored all the time.
enum { NORM_RUN = 256 };

/// What a run leaves behind beside its weights.
struct norms {
    float gradient[NORM_RUN];
    size_t at;
};

INLINE void add_norms(struct norms *norms, wide g, wide old, wide new) {
    (void)old;
    (void)new;
    // There is room for a whole vector even where only a part of it is left.
    memcpy(norms->gradient + norms->at, &g, sizeof g);
}
#endif
