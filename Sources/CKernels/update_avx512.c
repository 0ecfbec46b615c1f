#include <string.h>

#pragma clang attribute push(__attribute__((target("arch=x86-64-v4"))), apply_to = function)
#define DNN_UPDATE_TABLE dnn_update_kernels_avx512
#define DNN_UPDATE_WIDTH 16
#define DNN_UPDATE_FUSES
#include "update_loops.h"
#pragma clang attribute pop
