#pragma once
#include <dnnl.h>
#include <dnnl_debug.h>
#include <stdlib.h>

// What differs between oneDNN 2 (Debian 12) and 3 (Ubuntu 24.04): memory descriptors are structs in one and handles in the other, and
// operations are described in two calls or in one. Everything else is called directly. Dilation counts from 0.

#if DNNL_VERSION_MAJOR >= 3
typedef const_dnnl_memory_desc_t od_descriptor;
#else
typedef const dnnl_memory_desc_t *od_descriptor;
#endif

/// Limits the library to SSE4.1 (0), AVX2 (1), or what there is. A library built without this switch refuses.
static inline dnnl_status_t od_cap_instruction_set(int level) {
    return dnnl_set_max_cpu_isa(level == 0 ? dnnl_cpu_isa_sse41 : level == 1 ? dnnl_cpu_isa_avx2 : (dnnl_cpu_isa_t)0);
}

/// A memory descriptor on the heap; null where a tensor is absent.
typedef struct od_layout od_layout;

static inline od_descriptor od_descriptor_of(const od_layout *layout) {
    return (od_descriptor)layout;
}

/// A layout of its own from one that belongs to somebody else; null from null or without memory.
static inline od_layout *od_layout_copy(od_descriptor descriptor) {
    if (!descriptor) return NULL;
#if DNNL_VERSION_MAJOR >= 3
    dnnl_memory_desc_t copy = NULL;
    return dnnl_memory_desc_clone(&copy, descriptor) == dnnl_success ? (od_layout *)copy : NULL;
#else
    dnnl_memory_desc_t *copy = (dnnl_memory_desc_t *)malloc(sizeof *copy);
    if (copy) *copy = *descriptor;
    return (od_layout *)copy;
#endif
}

static inline void od_layout_free(od_layout *layout) {
#if DNNL_VERSION_MAJOR >= 3
    if (layout) dnnl_memory_desc_destroy((dnnl_memory_desc_t)layout);
#else
    free(layout);
#endif
}

/// Without strides the library chooses; elements are f32 or bf16. Null if the library refuses.
static inline od_layout *od_layout_create(int count, const int64_t *dims, const int64_t *strides, int is_bf16) {
    const dnnl_data_type_t type = is_bf16 ? dnnl_bf16 : dnnl_f32;
#if DNNL_VERSION_MAJOR >= 3
    dnnl_memory_desc_t descriptor = NULL;
    dnnl_status_t status = strides ? dnnl_memory_desc_create_with_strides(&descriptor, count, dims, type, strides)
                                   : dnnl_memory_desc_create_with_tag(&descriptor, count, dims, type, dnnl_format_tag_any);
    return status == dnnl_success ? (od_layout *)descriptor : NULL;
#else
    dnnl_memory_desc_t descriptor;
    dnnl_status_t status = strides ? dnnl_memory_desc_init_by_strides(&descriptor, count, dims, type, strides)
                                   : dnnl_memory_desc_init_by_tag(&descriptor, count, dims, type, dnnl_format_tag_any);
    return status == dnnl_success ? od_layout_copy(&descriptor) : NULL;
#endif
}

/// Images in blocks of 16 or 8 channels, padded to whole blocks. Null if the library refuses.
static inline od_layout *od_layout_create_blocked(const int64_t *dims, int block) {
    dnnl_format_tag_t tag = block == 16 ? dnnl_nChw16c : dnnl_nChw8c;
#if DNNL_VERSION_MAJOR >= 3
    dnnl_memory_desc_t descriptor = NULL;
    dnnl_status_t status = dnnl_memory_desc_create_with_tag(&descriptor, 4, dims, dnnl_f32, tag);
    return status == dnnl_success ? (od_layout *)descriptor : NULL;
#else
    dnnl_memory_desc_t descriptor;
    dnnl_status_t status = dnnl_memory_desc_init_by_tag(&descriptor, 4, dims, dnnl_f32, tag);
    return status == dnnl_success ? od_layout_copy(&descriptor) : NULL;
#endif
}

static inline size_t od_layout_bytes(const od_layout *layout) {
    return dnnl_memory_desc_get_size(od_descriptor_of(layout));
}

static inline int od_layout_equal(const od_layout *a, const od_layout *b) {
    return dnnl_memory_desc_equal(od_descriptor_of(a), od_descriptor_of(b));
}

/// The layout that an operation chose for an argument of its execution; null if it has no such argument.
static inline od_layout *od_argument_layout(const_dnnl_primitive_desc_t operation, int argument) {
    return od_layout_copy(dnnl_primitive_desc_query_md(operation, dnnl_query_exec_arg_md, argument));
}

static inline dnnl_status_t od_memory_create(dnnl_memory_t *memory, const od_layout *layout, dnnl_engine_t engine) {
    return dnnl_memory_create(memory, od_descriptor_of(layout), engine, DNNL_MEMORY_NONE);
}

/// Scratch memory from the caller, arithmetic in f32 whatever the environment says, and on request y added to what was there, or
/// max(y, 0).
static inline dnnl_status_t od_attributes_create(dnnl_primitive_attr_t *attributes, int adds, int relu) {
    dnnl_status_t status = dnnl_primitive_attr_create(attributes);
    if (status == dnnl_success) status = dnnl_primitive_attr_set_scratchpad_mode(*attributes, dnnl_scratchpad_mode_user);
    if (status == dnnl_success) status = dnnl_primitive_attr_set_fpmath_mode(*attributes, dnnl_fpmath_mode_strict);
    if (status != dnnl_success || !(adds || relu)) return status;
    dnnl_post_ops_t after = NULL;
    status = dnnl_post_ops_create(&after);
#if DNNL_VERSION_MAJOR >= 3
    if (status == dnnl_success && adds) status = dnnl_post_ops_append_sum(after, 1, 0, dnnl_f32);
    if (status == dnnl_success && relu) status = dnnl_post_ops_append_eltwise(after, dnnl_eltwise_relu, 0, 0);
#else
    if (status == dnnl_success && adds) status = dnnl_post_ops_append_sum(after, 1);
    if (status == dnnl_success && relu) status = dnnl_post_ops_append_eltwise(after, 1, dnnl_eltwise_relu, 0, 0);
#endif
    if (status == dnnl_success) status = dnnl_primitive_attr_set_post_ops(*attributes, after);
    if (after) dnnl_post_ops_destroy(after);
    return status;
}

static inline dnnl_status_t od_reorder_describe(
    dnnl_primitive_desc_t *operation, dnnl_engine_t engine, const_dnnl_primitive_attr_t attributes, const od_layout *from,
    const od_layout *to) {
    return dnnl_reorder_primitive_desc_create(
        operation, od_descriptor_of(from), engine, od_descriptor_of(to), engine, attributes);
}

static inline dnnl_status_t od_matmul_describe(
    dnnl_primitive_desc_t *operation, dnnl_engine_t engine, const_dnnl_primitive_attr_t attributes, const od_layout *a,
    const od_layout *b, const od_layout *bias, const od_layout *c) {
#if DNNL_VERSION_MAJOR >= 3
    return dnnl_matmul_primitive_desc_create(
        operation, engine, od_descriptor_of(a), od_descriptor_of(b), od_descriptor_of(bias), od_descriptor_of(c), attributes);
#else
    dnnl_matmul_desc_t description;
    dnnl_status_t status = dnnl_matmul_desc_init(
        &description, od_descriptor_of(a), od_descriptor_of(b), od_descriptor_of(bias), od_descriptor_of(c));
    if (status != dnnl_success) return status;
    return dnnl_primitive_desc_create(operation, &description, attributes, engine, NULL);
#endif
}

/// How a window moves over an image; [0] is down, [1] across. Arrays have the length that the library's headers promise.
typedef struct {
    dnnl_dims_t kernel, stride, dilation, padding_before, padding_after;
} od_window;

/// A length down and across an image.
typedef struct {
    int64_t height, width;
} od_extent;

static inline od_window od_window_create(
    od_extent kernel, od_extent stride, od_extent dilation, od_extent padding_before, od_extent padding_after) {
    return (od_window){
        {kernel.height, kernel.width}, {stride.height, stride.width}, {dilation.height, dilation.width},
        {padding_before.height, padding_before.width}, {padding_after.height, padding_after.width}};
}

static inline dnnl_status_t od_convolution_forward_describe(
    dnnl_primitive_desc_t *operation, dnnl_engine_t engine, const_dnnl_primitive_attr_t attributes, const od_window *window,
    const od_layout *x, const od_layout *weights, const od_layout *bias, const od_layout *y) {
#if DNNL_VERSION_MAJOR >= 3
    return dnnl_convolution_forward_primitive_desc_create(
        operation, engine, dnnl_forward_training, dnnl_convolution_direct, od_descriptor_of(x), od_descriptor_of(weights),
        od_descriptor_of(bias), od_descriptor_of(y), window->stride, window->dilation, window->padding_before, window->padding_after,
        attributes);
#else
    dnnl_convolution_desc_t description;
    dnnl_status_t status = dnnl_dilated_convolution_forward_desc_init(
        &description, dnnl_forward_training, dnnl_convolution_direct, od_descriptor_of(x), od_descriptor_of(weights),
        od_descriptor_of(bias), od_descriptor_of(y), window->stride, window->dilation, window->padding_before, window->padding_after);
    if (status != dnnl_success) return status;
    return dnnl_primitive_desc_create(operation, &description, attributes, engine, NULL);
#endif
}

static inline dnnl_status_t od_convolution_backward_data_describe(
    dnnl_primitive_desc_t *operation, dnnl_engine_t engine, const_dnnl_primitive_attr_t attributes, const od_window *window,
    const od_layout *dx, const od_layout *weights, const od_layout *dy, const_dnnl_primitive_desc_t forward) {
#if DNNL_VERSION_MAJOR >= 3
    return dnnl_convolution_backward_data_primitive_desc_create(
        operation, engine, dnnl_convolution_direct, od_descriptor_of(dx), od_descriptor_of(weights), od_descriptor_of(dy),
        window->stride, window->dilation, window->padding_before, window->padding_after, forward, attributes);
#else
    dnnl_convolution_desc_t description;
    dnnl_status_t status = dnnl_dilated_convolution_backward_data_desc_init(
        &description, dnnl_convolution_direct, od_descriptor_of(dx), od_descriptor_of(weights), od_descriptor_of(dy), window->stride,
        window->dilation, window->padding_before, window->padding_after);
    if (status != dnnl_success) return status;
    return dnnl_primitive_desc_create(operation, &description, attributes, engine, forward);
#endif
}

static inline dnnl_status_t od_convolution_backward_weights_describe(
    dnnl_primitive_desc_t *operation, dnnl_engine_t engine, const_dnnl_primitive_attr_t attributes, const od_window *window,
    const od_layout *x, const od_layout *dw, const od_layout *db, const od_layout *dy, const_dnnl_primitive_desc_t forward) {
#if DNNL_VERSION_MAJOR >= 3
    return dnnl_convolution_backward_weights_primitive_desc_create(
        operation, engine, dnnl_convolution_direct, od_descriptor_of(x), od_descriptor_of(dw), od_descriptor_of(db),
        od_descriptor_of(dy), window->stride, window->dilation, window->padding_before, window->padding_after, forward, attributes);
#else
    dnnl_convolution_desc_t description;
    dnnl_status_t status = dnnl_dilated_convolution_backward_weights_desc_init(
        &description, dnnl_convolution_direct, od_descriptor_of(x), od_descriptor_of(dw), od_descriptor_of(db), od_descriptor_of(dy),
        window->stride, window->dilation, window->padding_before, window->padding_after);
    if (status != dnnl_success) return status;
    return dnnl_primitive_desc_create(operation, &description, attributes, engine, forward);
#endif
}

static inline dnnl_alg_kind_t od_pooling_algorithm(int average) {
    return average ? dnnl_pooling_avg_include_padding : dnnl_pooling_max;
}

static inline dnnl_status_t od_pooling_forward_describe(
    dnnl_primitive_desc_t *operation, dnnl_engine_t engine, const_dnnl_primitive_attr_t attributes, int average,
    const od_window *window, const od_layout *x, const od_layout *y) {
#if DNNL_VERSION_MAJOR >= 3
    return dnnl_pooling_forward_primitive_desc_create(
        operation, engine, dnnl_forward_training, od_pooling_algorithm(average), od_descriptor_of(x), od_descriptor_of(y),
        window->stride, window->kernel, window->dilation, window->padding_before, window->padding_after, attributes);
#else
    dnnl_pooling_v2_desc_t description;
    dnnl_status_t status = dnnl_pooling_v2_forward_desc_init(
        &description, dnnl_forward_training, od_pooling_algorithm(average), od_descriptor_of(x), od_descriptor_of(y), window->stride,
        window->kernel, window->dilation, window->padding_before, window->padding_after);
    if (status != dnnl_success) return status;
    return dnnl_primitive_desc_create(operation, &description, attributes, engine, NULL);
#endif
}

static inline dnnl_status_t od_pooling_backward_describe(
    dnnl_primitive_desc_t *operation, dnnl_engine_t engine, const_dnnl_primitive_attr_t attributes, int average,
    const od_window *window, const od_layout *dx, const od_layout *dy, const_dnnl_primitive_desc_t forward) {
#if DNNL_VERSION_MAJOR >= 3
    return dnnl_pooling_backward_primitive_desc_create(
        operation, engine, od_pooling_algorithm(average), od_descriptor_of(dx), od_descriptor_of(dy), window->stride, window->kernel,
        window->dilation, window->padding_before, window->padding_after, forward, attributes);
#else
    dnnl_pooling_v2_desc_t description;
    dnnl_status_t status = dnnl_pooling_v2_backward_desc_init(
        &description, od_pooling_algorithm(average), od_descriptor_of(dx), od_descriptor_of(dy), window->stride, window->kernel,
        window->dilation, window->padding_before, window->padding_after);
    if (status != dnnl_success) return status;
    return dnnl_primitive_desc_create(operation, &description, attributes, engine, forward);
#endif
}

/// y = scale · (x − mean) / √(variance + ε) + shift, or max(that, 0), with given mean and variance.
static inline dnnl_status_t od_batch_normalization_forward_describe(
    dnnl_primitive_desc_t *operation, dnnl_engine_t engine, const_dnnl_primitive_attr_t attributes, const od_layout *x, float epsilon,
    int relu) {
    const unsigned flags =
        dnnl_use_global_stats | dnnl_use_scale | dnnl_use_shift | (relu ? (unsigned)dnnl_fuse_norm_relu : 0);
#if DNNL_VERSION_MAJOR >= 3
    return dnnl_batch_normalization_forward_primitive_desc_create(
        operation, engine, dnnl_forward_inference, od_descriptor_of(x), od_descriptor_of(x), epsilon, flags, attributes);
#else
    dnnl_batch_normalization_desc_t description;
    dnnl_status_t status = dnnl_batch_normalization_forward_desc_init(
        &description, dnnl_forward_inference, od_descriptor_of(x), epsilon, flags);
    if (status != dnnl_success) return status;
    return dnnl_primitive_desc_create(operation, &description, attributes, engine, NULL);
#endif
}

/// The gradients of the same without the maximum; mean and variance depend on x unless they are `fixed`.
static inline dnnl_status_t od_batch_normalization_backward_describe(
    dnnl_primitive_desc_t *operation, dnnl_engine_t engine, const_dnnl_primitive_attr_t attributes, const od_layout *x, float epsilon,
    int fixed) {
    const unsigned flags = dnnl_use_scale | dnnl_use_shift | (fixed ? (unsigned)dnnl_use_global_stats : 0);
    dnnl_primitive_desc_t forward = NULL;
#if DNNL_VERSION_MAJOR >= 3
    dnnl_status_t status = dnnl_batch_normalization_forward_primitive_desc_create(
        &forward, engine, dnnl_forward_training, od_descriptor_of(x), od_descriptor_of(x), epsilon, flags, attributes);
    if (status != dnnl_success) return status;
    status = dnnl_batch_normalization_backward_primitive_desc_create(
        operation, engine, dnnl_backward, od_descriptor_of(x), od_descriptor_of(x), od_descriptor_of(x), epsilon, flags, forward,
        attributes);
#else
    dnnl_batch_normalization_desc_t description;
    dnnl_status_t status = dnnl_batch_normalization_forward_desc_init(
        &description, dnnl_forward_training, od_descriptor_of(x), epsilon, flags);
    if (status == dnnl_success) status = dnnl_primitive_desc_create(&forward, &description, attributes, engine, NULL);
    if (status != dnnl_success) return status;
    status = dnnl_batch_normalization_backward_desc_init(
        &description, dnnl_backward, od_descriptor_of(x), od_descriptor_of(x), epsilon, flags);
    if (status == dnnl_success) status = dnnl_primitive_desc_create(operation, &description, attributes, engine, forward);
#endif
    dnnl_primitive_desc_destroy(forward);
    return status;
}

/// y = scale · x / √(variance + ε) + shift row by row, for rows whose mean is 0, with given mean and variance.
static inline dnnl_status_t od_layer_normalization_forward_describe(
    dnnl_primitive_desc_t *operation, dnnl_engine_t engine, const_dnnl_primitive_attr_t attributes, const od_layout *x,
    const od_layout *moments, float epsilon) {
    const unsigned flags = dnnl_use_global_stats | dnnl_use_scale | dnnl_use_shift;
#if DNNL_VERSION_MAJOR >= 3
    return dnnl_layer_normalization_forward_primitive_desc_create(
        operation, engine, dnnl_forward_inference, od_descriptor_of(x), od_descriptor_of(x), od_descriptor_of(moments), epsilon, flags,
        attributes);
#else
    dnnl_layer_normalization_desc_t description;
    dnnl_status_t status = dnnl_layer_normalization_forward_desc_init(
        &description, dnnl_forward_inference, od_descriptor_of(x), od_descriptor_of(moments), epsilon, flags);
    if (status != dnnl_success) return status;
    return dnnl_primitive_desc_create(operation, &description, attributes, engine, NULL);
#endif
}

/// The gradients of the same; mean and variance depend on x, so they must not be declared given.
static inline dnnl_status_t od_layer_normalization_backward_describe(
    dnnl_primitive_desc_t *operation, dnnl_engine_t engine, const_dnnl_primitive_attr_t attributes, const od_layout *x,
    const od_layout *moments, float epsilon) {
    const unsigned flags = dnnl_use_scale | dnnl_use_shift;
    dnnl_primitive_desc_t forward = NULL;
#if DNNL_VERSION_MAJOR >= 3
    dnnl_status_t status = dnnl_layer_normalization_forward_primitive_desc_create(
        &forward, engine, dnnl_forward_training, od_descriptor_of(x), od_descriptor_of(x), od_descriptor_of(moments), epsilon, flags,
        attributes);
    if (status != dnnl_success) return status;
    status = dnnl_layer_normalization_backward_primitive_desc_create(
        operation, engine, dnnl_backward, od_descriptor_of(x), od_descriptor_of(x), od_descriptor_of(x), od_descriptor_of(moments),
        epsilon, flags, forward, attributes);
#else
    dnnl_layer_normalization_desc_t description;
    dnnl_status_t status = dnnl_layer_normalization_forward_desc_init(
        &description, dnnl_forward_training, od_descriptor_of(x), od_descriptor_of(moments), epsilon, flags);
    if (status == dnnl_success) status = dnnl_primitive_desc_create(&forward, &description, attributes, engine, NULL);
    if (status != dnnl_success) return status;
    status = dnnl_layer_normalization_backward_desc_init(
        &description, dnnl_backward, od_descriptor_of(x), od_descriptor_of(x), od_descriptor_of(moments), epsilon, flags);
    if (status == dnnl_success) status = dnnl_primitive_desc_create(operation, &description, attributes, engine, forward);
#endif
    dnnl_primitive_desc_destroy(forward);
    return status;
}

/// Whether a normalisation's gradients count the shift among their inputs, which they do not read.
static inline int od_normalization_backward_takes_shift(void) {
    return DNNL_VERSION_MAJOR < 3;
}
