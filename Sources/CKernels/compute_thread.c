#define _GNU_SOURCE
#include "compute_thread.h"

#include <dlfcn.h>
#include <pthread.h>
#include <xmmintrin.h>

static void (*set_openmp_threads)(int);
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void find_openmp(void) {
    set_openmp_threads = (void (*)(int))dlsym(RTLD_DEFAULT, "omp_set_num_threads");
}

unsigned ck_enter_compute_mode(void) {
    const unsigned usual = 0x1f80, flush_to_zero = 0x8000, denormals_are_zero = 0x0040;
    const unsigned before = _mm_getcsr();
    _mm_setcsr(usual | flush_to_zero | denormals_are_zero);
    pthread_once(&once, find_openmp);
    if (set_openmp_threads) set_openmp_threads(1);
    return before;
}

void ck_leave_compute_mode(unsigned mode) {
    _mm_setcsr(mode);
}
