// The rules, each on one vector of elements: the gradient is there, weights and slots are replaced. Included by update_loops.h.

/// A vector of every array: read as version t, written as version t+1.
struct elements {
    wide w;
    wide slots[DNN_UPDATE_SLOTS];
};

#define RULE(name) INLINE void name(const struct dnn_rule *k, wide g, struct elements *e)

/// m ← m + (1−β)(g − m)
INLINE wide first_moment(const struct dnn_rule *k, wide m, wide g) {
    return m + k->first_gain * (g - m);
}

/// s ← βs + (1−β)g²
INLINE wide second_moment(const struct dnn_rule *k, wide s, wide g) {
    return k->second_keep * s + k->second_gain * (g * g);
}

RULE(sgd) {
    e->w -= k->rate * g;
}

RULE(momentum) {
    wide v = e->slots[0] = k->velocity_keep * e->slots[0] + k->velocity_gain * g;
    e->w -= k->rate * v;
}

RULE(nesterov) {
    wide v = e->slots[0] = k->velocity_keep * e->slots[0] + k->velocity_gain * g;
    e->w -= k->rate * (g + k->momentum * v);
}

RULE(adagrad) {
    wide s = e->slots[0] += g * g;
    e->w -= k->rate * (g / (root(s) + k->epsilon));
}

RULE(rmsprop) {
    wide s = e->slots[0] = second_moment(k, e->slots[0], g);
    e->w -= k->rate * (g / (root(s) + k->epsilon));
}

RULE(rmsprop_momentum) {
    wide s = e->slots[0] = second_moment(k, e->slots[0], g);
    wide v = e->slots[1] = k->momentum * e->slots[1] + g / (root(s) + k->epsilon);
    e->w -= k->rate * v;
}

/// Rounding may bring the difference below 0, whose root would be NaN.
INLINE wide variance(wide second, wide first) {
    return larger(second - first * first, (wide){0});
}

RULE(rmsprop_centered) {
    wide s = e->slots[0] = second_moment(k, e->slots[0], g);
    wide m = e->slots[1] = first_moment(k, e->slots[1], g);
    e->w -= k->rate * (g / (root(variance(s, m)) + k->epsilon));
}

RULE(rmsprop_centered_momentum) {
    wide s = e->slots[0] = second_moment(k, e->slots[0], g);
    wide m = e->slots[1] = first_moment(k, e->slots[1], g);
    wide v = e->slots[2] = k->momentum * e->slots[2] + g / (root(variance(s, m)) + k->epsilon);
    e->w -= k->rate * v;
}

RULE(adam) {
    wide m = e->slots[0] = first_moment(k, e->slots[0], g);
    wide s = e->slots[1] = second_moment(k, e->slots[1], g);
    e->w = k->weight_keep * e->w - k->rate * (m / (root(s) * k->root_scale + k->epsilon));
}

RULE(amsgrad) {
    wide m = e->slots[0] = first_moment(k, e->slots[0], g);
    wide s = e->slots[1] = second_moment(k, e->slots[1], g);
    wide top = e->slots[2] = larger(s, e->slots[2]);
    e->w = k->weight_keep * e->w - k->rate * (m / (root(top) * k->root_scale + k->epsilon));
}

RULE(adamax) {
    wide m = e->slots[0] = first_moment(k, e->slots[0], g);
    wide top = e->slots[1] = larger(__builtin_elementwise_abs(g) + k->epsilon, k->second_keep * e->slots[1]);
    e->w -= k->rate * (m / top);
}

RULE(nadam) {
    wide m = e->slots[0] = first_moment(k, e->slots[0], g);
    wide s = e->slots[1] = second_moment(k, e->slots[1], g);
    e->w -= (k->gradient_rate * g + k->rate * m) / (root(s) * k->root_scale + k->epsilon);
}

RULE(radam_plain) {
    wide m = e->slots[0] = first_moment(k, e->slots[0], g);
    e->slots[1] = second_moment(k, e->slots[1], g);
    e->w -= k->rate * m;
}

RULE(radam_rectified) {
    wide m = e->slots[0] = first_moment(k, e->slots[0], g);
    wide s = e->slots[1] = second_moment(k, e->slots[1], g);
    e->w -= k->rate * (m / (root(s) + k->epsilon));
}

RULE(adadelta) {
    wide s = e->slots[0] = second_moment(k, e->slots[0], g);
    wide d = root(e->slots[1] + k->epsilon) / root(s + k->epsilon) * g;
    e->slots[1] = second_moment(k, e->slots[1], d);
    e->w -= k->rate * d;
}
