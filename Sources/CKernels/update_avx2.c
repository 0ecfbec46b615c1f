#include <string.h>

#pragma clang attribute push(__attribute__((target("arch=x86-64-v3"))), apply_to = function)
#define DNN_UPDATE_TABLE dnn_update_kernels_avx2
#define DNN_UPDATE_WIDTH 8
#define DNN_UPDATE_FUSES
#include "update_loops.h"
#pragma clang attribute pop
