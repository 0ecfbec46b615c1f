// Losses with their gradients. Gradients belong to the sum over rows: the division by the row count happens once, at the server.

/// Whether the label's logit is among the five largest, the lower index first on ties.
CK_INLINE int is_among_five(const float *z, long classes, long label) {
    const float own = z[label];
    long before = 0;
    for (long c = 0; c < classes; c++) before += z[c] > own || (z[c] == own && c < label);
    return own == own && before < 5;
}

static void softmax_cross_entropy(
    const float *z, const int32_t *labels, long rows, long classes, float smoothing, float *gradient, int wanted, int32_t *classified,
    ck_figures *figures) {
    const float nan = __builtin_nanf(""), rest = smoothing / (float)classes;
    *figures = (ck_figures){0};
    for (long r = 0; r < rows; r++, z += classes, gradient += classes) {
        long best = 0;
        float largest = z[0];
        for (long c = 1; c < classes; c++) {
            if (z[c] > largest) {
                largest = z[c];
                best = c;
            }
        }
        for (long c = 0; c < classes; c++) gradient[c] = z[c] - largest;
        exponential(gradient, gradient, classes);
        d8 sums = (d8)0.0;
        long c = 0;
        for (; c + 8 <= classes; c += 8) sums = sums + __builtin_convertvector(load8(gradient + c), d8);
        for (; c < classes; c++) sums[c & 7] = sums[c & 7] + (double)gradient[c];
        const double sum = join8(sums);
        const long label = labels[r];
        const int known = label >= 0 && label < classes;
        figures->loss += known ? ck_log(sum) - ((double)z[label] - (double)largest) : (double)nan;
        if (smoothing > 0.0f && known) {  // Σ target · logit moves from the label's logit towards the mean of all
            double mean = 0.0;
            for (c = 0; c < classes; c++) mean += (double)z[c] - (double)z[label];
            figures->loss -= (double)smoothing * (mean / (double)classes);
        }
        figures->correct += known && best == label;
        figures->top_five += known && is_among_five(z, classes, label);
        if (classified) classified[r] = (int32_t)best;
        if (!wanted) continue;
        const float share = known ? (float)(1.0 / sum) : nan;
        for (c = 0; c < classes; c++) gradient[c] = gradient[c] * share;
        if (smoothing > 0.0f) {
            for (c = 0; c < classes; c++) gradient[c] = gradient[c] - rest;
        }
        if (known) gradient[label] = gradient[label] - (1.0f - smoothing);
    }
}

static void binary_cross_entropy(
    const float *z, const float *targets, long rows, float *gradient, int wanted, int32_t *classified, ck_figures *figures) {
    *figures = (ck_figures){0};
    for (long r = 0; r < rows; r++) {
        const double logit = (double)z[r], target = (double)targets[r];
        const double decay = ck_exp(logit < 0 ? logit : -logit), positive = logit < 0 ? 0 : logit;
        figures->loss += positive - logit * target + ck_log(1.0 + decay);
        figures->correct += (z[r] > 0) == (targets[r] > 0.5f);
        figures->top_five++;
        if (classified) classified[r] = z[r] > 0;
        if (wanted) gradient[r] = (float)((logit < 0 ? decay : 1.0) / (1.0 + decay) - target);
    }
}

static void mean_squared_error(
    const float *y, const float *targets, long rows, long width, float *gradient, int wanted, ck_figures *figures) {
    *figures = (ck_figures){0};
    const float factor = 2.0f / (float)width;
    for (long r = 0; r < rows; r++, y += width, targets += width, gradient += width) {
        d8 sums = (d8)0.0;
        for (long c = 0; c < width; c++) {
            const float difference = y[c] - targets[c];
            if (wanted) gradient[c] = difference * factor;
            sums[c & 7] = sums[c & 7] + (double)difference * (double)difference;
        }
        const double squares = join8(sums);
        figures->squared_error += squares;
        figures->loss += squares / (double)width;
    }
}

static void mean_absolute_error(
    const float *y, const float *targets, long rows, long width, float *gradient, int wanted, ck_figures *figures) {
    *figures = (ck_figures){0};
    const float share = 1.0f / (float)width;
    for (long r = 0; r < rows; r++, y += width, targets += width, gradient += width) {
        d8 squares = (d8)0.0, sums = (d8)0.0;
        for (long c = 0; c < width; c++) {
            const float difference = y[c] - targets[c];
            const double size = difference < 0.0f ? -(double)difference : (double)difference;
            // NaN − NaN and not 0: a finite check must see it.
            if (wanted) gradient[c] = difference > 0.0f ? share : difference < 0.0f ? -share : difference - difference;
            sums[c & 7] = sums[c & 7] + size;
            squares[c & 7] = squares[c & 7] + size * size;
        }
        figures->squared_error += join8(squares);
        figures->loss += join8(sums) / (double)width;
    }
}

static void huber(
    const float *y, const float *targets, long rows, long width, float delta, float *gradient, int wanted, ck_figures *figures) {
    *figures = (ck_figures){0};
    const float share = 1.0f / (float)width;
    const double bound = (double)delta;
    for (long r = 0; r < rows; r++, y += width, targets += width, gradient += width) {
        d8 squares = (d8)0.0, sums = (d8)0.0;
        for (long c = 0; c < width; c++) {
            const float difference = y[c] - targets[c];
            const double size = difference < 0.0f ? -(double)difference : (double)difference;
            if (wanted) gradient[c] = (difference > delta ? delta : difference < -delta ? -delta : difference) * share;
            sums[c & 7] = sums[c & 7] + (size > bound ? bound * (size - 0.5 * bound) : 0.5 * size * size);
            squares[c & 7] = squares[c & 7] + size * size;
        }
        figures->squared_error += join8(squares);
        figures->loss += join8(sums) / (double)width;
    }
}
