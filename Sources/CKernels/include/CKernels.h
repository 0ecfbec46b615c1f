#pragma once
#include "compute_thread.h"
#include "kernel_table.h"
#include "scalar_math.h"
#include "vectors.h"
#include "work_pool.h"
#if __has_include("update.h")
#include "update.h"
#endif
