// The table of one instruction set.

extern const ck_kernels CK_TABLE;

const ck_kernels CK_TABLE = {
    .pack_rows = pack_rows,
    .pack_columns = pack_columns,
    .transpose = transpose,
    .product = product,
    .forward = forward,
    .weight_gradient = weight_gradient,
    .bias_gradient = bias_gradient,
    .epilogue_forward = epilogue_forward,
    .epilogue_backward = epilogue_backward,
    .softmax_cross_entropy = softmax_cross_entropy,
    .binary_cross_entropy = binary_cross_entropy,
    .mean_squared_error = mean_squared_error,
    .mean_absolute_error = mean_absolute_error,
    .huber = huber,
    .softmax = softmax,
    .softmax_backward = softmax_backward,
    .layer_norm = layer_norm,
    .layer_norm_backward = layer_norm_backward,
    .prelu = prelu,
    .prelu_backward = prelu_backward,
    .maxout = maxout,
    .maxout_backward = maxout_backward,
    .add = add,
    .round_to_bf16 = round_to_bf16,
    .sum_of_squares = sum_of_squares,
    .exponential = exponential,
    .normal_distribution = normal_distribution,
    .philox = philox,
};
