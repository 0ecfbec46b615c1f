// Bias, activation and dropout in one pass over 32 elements at a time (eight Philox blocks), and their derivative.

enum { CHUNK = 32 };

static const float ck_selu_scale = 1.05070098735548049342f, ck_selu_alpha = 1.67326324235437728482f;

/// Within −100…100, where the functions below have long reached their limits: no product of 0 and infinity.
CK_INLINE f8 limited8(f8 x) {
    x = select8(x > (f8)100.0f, (f8)100.0f, x);
    return select8(x < (f8)-100.0f, (f8)-100.0f, x);
}

/// The tanh form of GELU is x · σ(2u): 2u for x.
CK_INLINE f8 gelu_argument(f8 x) {
    return (f8)1.5957691216057308f * (x + (f8)0.044715f * (x * x * x));
}

CK_INLINE f8 activate(const int activation, float slope, f8 z) {
    f8 power;
    switch (activation) {
        case CK_RELU: return select8(z <= (f8)0.0f, (f8)0.0f, z);  // NaN stays NaN: a finite check must see it
        case CK_LEAKY_RELU: return select8(z > (f8)0.0f, z, z * (f8)slope);
        case CK_SIGMOID: return sigmoid8(z);
        case CK_TANH: return tanh8(z);
        case CK_ELU: return select8(z > (f8)0.0f, z, (f8)slope * expm1_of_negative8(z));
        case CK_SELU: return (f8)ck_selu_scale * select8(z > (f8)0.0f, z, (f8)ck_selu_alpha * expm1_of_negative8(z));
        case CK_SOFTPLUS: return softplus8(z);
        case CK_HARD_SIGMOID: {
            f8 line = (z + (f8)3.0f) / (f8)6.0f;
            line = select8(line <= (f8)0.0f, (f8)0.0f, line);
            return select8(line >= (f8)1.0f, (f8)1.0f, line);
        }
        case CK_GELU: return z * normal8(z, &power);
        case CK_GELU_TANH: return z * sigmoid8(gelu_argument(z));
        case CK_SILU: return z * sigmoid8(z);
        default: return z;
    }
}

/// From the output, but for GELU and SiLU, whose output does not tell: there `y` is the input.
CK_INLINE f8 derivative(const int activation, float slope, f8 y, f8 dy) {
    switch (activation) {
        case CK_RELU: return select8(y <= (f8)0.0f, (f8)0.0f, dy);
        case CK_LEAKY_RELU: return select8(y > (f8)0.0f, dy, dy * (f8)slope);
        case CK_SIGMOID: return dy * (y * ((f8)1.0f - y));
        case CK_TANH: return dy * ((f8)1.0f - y * y);
        case CK_ELU: return select8(y > (f8)0.0f, dy, dy * (y + (f8)slope));
        case CK_SELU: return dy * select8(y > (f8)0.0f, (f8)ck_selu_scale, y + (f8)(ck_selu_scale * ck_selu_alpha));
        case CK_SOFTPLUS: return dy * -expm1_of_negative8(-y);  // σ(x) = 1 − e^−y
        case CK_HARD_SIGMOID: return select8((y <= (f8)0.0f) | (y >= (f8)1.0f), (f8)0.0f, dy / (f8)6.0f);
        case CK_GELU: {
            f8 power, share = normal8(y, &power), x = limited8(y);
            return dy * (share + x * (power * (f8)0.3989422804f));
        }
        case CK_GELU_TANH: {
            f8 x = limited8(y), share = sigmoid8(gelu_argument(x));
            f8 slope_of_argument = (f8)1.5957691216057308f * ((f8)1.0f + (f8)0.134145f * (x * x));
            return dy * (share + x * (share * ((f8)1.0f - share)) * slope_of_argument);
        }
        case CK_SILU: {
            f8 share = sigmoid8(y);
            return dy * (share + limited8(y) * (share * ((f8)1.0f - share)));
        }
        default: return dy;
    }
}

CK_INLINE void forward_chunk(
    const int activation, const int drops, const ck_epilogue *e, const float *x, const float *bias, uint32_t sample, uint32_t block,
    float *y, uint8_t *keep) {
    u8 words[4];
    if (drops) philox8(ck_lane + (u8)block, sample, e->step, e->tag, e->key, words);
    CK_UNROLL for (int v = 0; v < 4; v++) {
        f8 z = load8(x + 8 * v);
        if (bias) z = z + load8(bias + 8 * v);
        z = activate(activation, e->slope, z) * (f8)e->scale;
        if (drops) {
            i8 kept = words[v] >= (u8)e->threshold;
            z = select8(kept, z, (f8)0.0f);
            if (keep) {
                for (int i = 0; i < 8; i++) keep[8 * v + i] = (uint8_t)(kept[i] & 1);
            }
        }
        store8(y + 8 * v, z);
    }
}

CK_INLINE void forward_region(
    const int activation, const int drops, const ck_epilogue *e, const float *x, const float *bias, const uint32_t *samples, float *y,
    uint8_t *keep, long ld, long rows, long first, long count) {
    const long whole = count / CHUNK * CHUNK, rest = count - whole;
    float part[CHUNK] = {0}, part_bias[CHUNK] = {0};
    uint8_t part_keep[CHUNK];
    if (rest && bias) memcpy(part_bias, bias + first + whole, (size_t)rest * sizeof(float));
    for (long r = 0; r < rows; r++) {
        const uint32_t sample = drops ? samples[r] : 0;
        for (long c = first; c < first + whole; c += CHUNK) {
            const long at = r * ld + c;
            forward_chunk(
                activation, drops, e, x + at, bias ? bias + c : 0, sample, (uint32_t)(c / 4), y + at, keep ? keep + at : 0);
        }
        if (rest) {
            const long c = first + whole, at = r * ld + c;
            memcpy(part, x + at, (size_t)rest * sizeof(float));
            forward_chunk(activation, drops, e, part, part_bias, sample, (uint32_t)(c / 4), part, keep ? part_keep : 0);
            memcpy(y + at, part, (size_t)rest * sizeof(float));
            if (drops && keep) memcpy(keep + at, part_keep, (size_t)rest);
        }
    }
}

CK_INLINE void backward_chunk(const int activation, const int drops, const ck_epilogue *e, const float *y, const uint8_t *keep, float *dy) {
    CK_UNROLL for (int v = 0; v < 4; v++) {
        f8 d = derivative(activation, e->slope, load8(y + 8 * v), load8(dy + 8 * v) * (f8)e->scale);
        if (drops && keep) {
            i8 kept;
            CK_UNROLL for (int i = 0; i < 8; i++) kept[i] = -(int32_t)keep[8 * v + i];
            d = select8(kept, d, (f8)0.0f);
        }
        store8(dy + 8 * v, d);
    }
}

CK_INLINE void backward_region(
    const int activation, const int drops, const ck_epilogue *e, const float *y, const uint8_t *keep, float *dy, long ld, long rows,
    long first, long count) {
    const long whole = count / CHUNK * CHUNK, rest = count - whole;
    float part[CHUNK] = {0}, part_y[CHUNK] = {0};
    uint8_t part_keep[CHUNK] = {0};
    for (long r = 0; r < rows; r++) {
        for (long c = first; c < first + whole; c += CHUNK) {
            const long at = r * ld + c;
            backward_chunk(activation, drops, e, y + at, keep ? keep + at : 0, dy + at);
        }
        if (rest) {
            const long at = r * ld + first + whole;
            memcpy(part, dy + at, (size_t)rest * sizeof(float));
            memcpy(part_y, y + at, (size_t)rest * sizeof(float));
            if (keep) memcpy(part_keep, keep + at, (size_t)rest);
            backward_chunk(activation, drops, e, part_y, keep ? part_keep : 0, part);
            memcpy(dy + at, part, (size_t)rest * sizeof(float));
        }
    }
}

#define CK_FOR_EVERY_ACTIVATION(call) \
    switch (epilogue->activation) { \
        case CK_IDENTITY: call(CK_IDENTITY) break; \
        case CK_RELU: call(CK_RELU) break; \
        case CK_LEAKY_RELU: call(CK_LEAKY_RELU) break; \
        case CK_SIGMOID: call(CK_SIGMOID) break; \
        case CK_TANH: call(CK_TANH) break; \
        case CK_ELU: call(CK_ELU) break; \
        case CK_SELU: call(CK_SELU) break; \
        case CK_SOFTPLUS: call(CK_SOFTPLUS) break; \
        case CK_HARD_SIGMOID: call(CK_HARD_SIGMOID) break; \
        case CK_GELU: call(CK_GELU) break; \
        case CK_GELU_TANH: call(CK_GELU_TANH) break; \
        case CK_SILU: call(CK_SILU) break; \
    }

static void epilogue_forward(
    const ck_epilogue *epilogue, const float *x, const float *bias, const uint32_t *samples, float *y, uint8_t *keep, long ld, long rows,
    long first, long count) {
#define CK_CALL(activation) \
    if (epilogue->threshold) { \
        forward_region(activation, 1, epilogue, x, bias, samples, y, keep, ld, rows, first, count); \
    } else { \
        forward_region(activation, 0, epilogue, x, bias, samples, y, keep, ld, rows, first, count); \
    }
    CK_FOR_EVERY_ACTIVATION(CK_CALL)
#undef CK_CALL
}

static void epilogue_backward(
    const ck_epilogue *epilogue, const float *y, const uint8_t *keep, float *dy, long ld, long rows, long first, long count) {
#define CK_CALL(activation) \
    if (epilogue->threshold && keep) { \
        backward_region(activation, 1, epilogue, y, keep, dy, ld, rows, first, count); \
    } else { \
        backward_region(activation, 0, epilogue, y, keep, dy, ld, rows, first, count); \
    }
    CK_FOR_EVERY_ACTIVATION(CK_CALL)
#undef CK_CALL
}
