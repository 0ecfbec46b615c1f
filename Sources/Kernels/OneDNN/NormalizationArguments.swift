internal import COneDNN

/// What oneDNN's normalisations read and write, of channels as of rows, in the order in which it is handed over.
enum NormalizationArguments {
    static let forward = [DNNL_ARG_SRC_0, DNNL_ARG_DST_0, DNNL_ARG_MEAN, DNNL_ARG_VARIANCE, DNNL_ARG_SCALE, DNNL_ARG_SHIFT]
    static let backward =
        [
            DNNL_ARG_SRC_0, DNNL_ARG_DIFF_DST_0, DNNL_ARG_DIFF_SRC_0, DNNL_ARG_MEAN, DNNL_ARG_VARIANCE, DNNL_ARG_SCALE,
            DNNL_ARG_DIFF_SCALE, DNNL_ARG_DIFF_SHIFT,
        ] + (od_normalization_backward_takes_shift() != 0 ? [DNNL_ARG_SHIFT] : [])
}
