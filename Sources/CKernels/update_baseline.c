#define DNN_UPDATE_TABLE dnn_update_kernels_baseline
#define DNN_UPDATE_WIDTH 4
#include "update_loops.h"
