// The kernels compiled for x86-64-v3.
#include "body/prelude.h"

#pragma clang attribute push(__attribute__((target("arch=x86-64-v3"))), apply_to = function)
#define CK_WIDTH 8
#define CK_TILE_ROWS 6
#define CK_TILE_PANELS 1
#define CK_GRADIENT_ROWS 6
#define CK_GRADIENT_PANELS 1
#define CK_TABLE ck_kernels_avx2
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
