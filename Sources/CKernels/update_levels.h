#ifndef DNN_UPDATE_LEVELS_H
#define DNN_UPDATE_LEVELS_H

#include "update.h"

extern const struct dnn_update_kernels dnn_update_kernels_baseline;
extern const struct dnn_update_kernels dnn_update_kernels_avx2;
extern const struct dnn_update_kernels dnn_update_kernels_avx512;

#endif
