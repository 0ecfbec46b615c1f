// Sums of squares: of values, of differences, and, beside a rule, of all that the norms of a step want: Σg², Σw², Σ(new − old)². Element i
// goes to lane i mod 16. Included by update_loops.h.

// A lane is a fixed place in a vector of the lanes, wider than most levels' own.
typedef float lane_floats __attribute__((vector_size(DNN_UPDATE_LANES * sizeof(float))));
typedef double lane_doubles __attribute__((vector_size(DNN_UPDATE_LANES * sizeof(double))));

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

// Beside a rule, gradients, which may be of any size, are summed in double; weights and their change in the floats of a call, a cache block
// of the update, and from call to call in double. That costs half as much. What is below 1e-19 in size then counts as 0, and where a square
// is no float any more the call is summed again in double.
enum { LANE_VECTORS = DNN_UPDATE_LANES / DNN_UPDATE_WIDTH };

typedef double wide_doubles __attribute__((vector_size(DNN_UPDATE_WIDTH * sizeof(double))));

/// The sums of a call; those of gradients go on from call to call.
struct norms {
    wide_doubles gradient[LANE_VECTORS];
    wide weights[LANE_VECTORS];
    wide change[LANE_VECTORS];
};

INLINE void add_norms(struct norms *norms, int lane_vector, wide g, wide old, wide new) {
    const wide_doubles gradient = __builtin_convertvector(g, wide_doubles);
    const wide change = new - old;
    // The product is exact, as in add_square.
#ifdef DNN_UPDATE_FUSES
    norms->gradient[lane_vector] = __builtin_elementwise_fma(gradient, gradient, norms->gradient[lane_vector]);
#else
    norms->gradient[lane_vector] += gradient * gradient;
#endif
    norms->weights[lane_vector] += new * new;
    norms->change[lane_vector] += change * change;
}

INLINE struct norms begin_norms(const double *lanes) {
    struct norms norms = {0};
    memcpy(norms.gradient, lanes, sizeof norms.gradient);
    return norms;
}

/// Adds floats to the lanes of a figure; whether these are finite then.
INLINE bool add_to(double *lanes, const wide *sums) {
    lane_floats call;
    lane_doubles all;
    memcpy(&call, sums, sizeof call);
    memcpy(&all, lanes, sizeof all);
    all += __builtin_convertvector(call, lane_doubles);
    memcpy(lanes, &all, sizeof all);
    bool finite = true;
    for (int i = 0; i < DNN_UPDATE_LANES; i++) finite &= lanes[i] - lanes[i] == 0;
    return finite;
}

/// Adds a call's sums to the lanes; from count weights and what they were where floats do not reach.
static void end_norms(double *lanes, const struct norms *norms, const float *new, const void *old, size_t count) {
    double before[2 * DNN_UPDATE_LANES];
    double *weights = lanes + DNN_UPDATE_LANES, *change = weights + DNN_UPDATE_LANES;
    memcpy(before, weights, sizeof before);
    memcpy(lanes, norms->gradient, sizeof norms->gradient);
    if (add_to(weights, norms->weights) && add_to(change, norms->change)) return;
    memcpy(weights, before, sizeof before);
    squares(weights, new, count);
    squares_of_difference(change, new, old, count);
}
