// Losses with their gradients. Gradients belong to the sum over rows: the division by the row count happens once, at the server.

static void softmax_cross_entropy(
    const float *z, const int32_t *labels, long rows, long classes, float *gradient, int wanted, ck_figures *figures) {
    const float nan = __builtin_nanf("");
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
        figures->correct += known && best == label;
        if (!wanted) continue;
        const float share = known ? (float)(1.0 / sum) : nan;
        for (c = 0; c < classes; c++) gradient[c] = gradient[c] * share;
        if (known) gradient[label] = gradient[label] - 1.0f;
    }
}

static void binary_cross_entropy(
    const float *z, const float *targets, long rows, float *gradient, int wanted, ck_figures *figures) {
    *figures = (ck_figures){0};
    for (long r = 0; r < rows; r++) {
        const double logit = (double)z[r], target = (double)targets[r];
        const double decay = ck_exp(logit < 0 ? logit : -logit), positive = logit < 0 ? 0 : logit;
        figures->loss += positive - logit * target + ck_log(1.0 + decay);
        figures->correct += (z[r] > 0) == (targets[r] > 0.5f);
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
