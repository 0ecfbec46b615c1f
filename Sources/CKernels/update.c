#include "update_levels.h"

#include <xmmintrin.h>

const struct dnn_update_kernels *dnn_update_kernels(enum dnn_update_level level) {
    __builtin_cpu_init();
    switch (level) {
    case DNN_UPDATE_BASELINE:
        return &dnn_update_kernels_baseline;
    case DNN_UPDATE_AVX2:
        return __builtin_cpu_supports("x86-64-v3") ? &dnn_update_kernels_avx2 : NULL;
    case DNN_UPDATE_AVX512:
        return __builtin_cpu_supports("x86-64-v4") ? &dnn_update_kernels_avx512 : NULL;
    }
    return NULL;
}

uint32_t dnn_update_enter_mode(void) {
    uint32_t old = _mm_getcsr();
    // All exceptions masked (0x1F80), flush to zero (0x8000), subnormals are zero (0x0040), round to nearest (0).
    _mm_setcsr(0x9FC0);
    return old;
}

void dnn_update_leave_mode(uint32_t mode) {
    _mm_setcsr(mode);
    // Streamed stores are not ordered with others by themselves.
    _mm_sfence();
}
