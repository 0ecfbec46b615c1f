// The kernels compiled for x86-64-v4.
#include "body/prelude.h"

#pragma clang attribute push(__attribute__((target("arch=x86-64-v4"))), apply_to = function)
#define CK_WIDTH 16
#define CK_TILE_ROWS 12
#define CK_TILE_PANELS 2
#define CK_GRADIENT_ROWS 8
#define CK_GRADIENT_PANELS 3
#define CK_TABLE ck_kernels_avx512
#include "body/vectors.h"
#include "body/functions.h"
#include "body/packing.h"
#include "body/products.h"
#include "body/gradients.h"
#include "body/epilogue.h"
#include "body/losses.h"
#include "body/normalization.h"
#include "body/rows.h"
#include "body/table.h"
#pragma clang attribute pop
