// The kernels compiled for x86-64.
#include "body/prelude.h"

#define CK_WIDTH 4
#define CK_TILE_ROWS 2
#define CK_TILE_PANELS 1
#define CK_GRADIENT_ROWS 2
#define CK_GRADIENT_PANELS 1
#define CK_TABLE ck_kernels_baseline
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
