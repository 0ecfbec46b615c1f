#include "kernel_table.h"

extern const ck_kernels ck_kernels_baseline, ck_kernels_avx2, ck_kernels_avx512;

const ck_kernels *ck_kernels_at(int level) {
    return level >= 2 ? &ck_kernels_avx512 : level == 1 ? &ck_kernels_avx2 : &ck_kernels_baseline;
}

int ck_supported_level(void) {
    __builtin_cpu_init();
    if (__builtin_cpu_supports("x86-64-v4")) return 2;
    return __builtin_cpu_supports("x86-64-v3") ? 1 : 0;
}

int ck_has_bf16(void) {
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx512bf16") != 0;
}
