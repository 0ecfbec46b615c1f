#pragma once
// What the bodies need from outside, included before any target attribute is pushed.
#include "kernel_table.h"
#include "scalar_math.h"

#include <stdint.h>
#include <string.h>

// A fused multiply-add that nobody wrote would give other bits where the instruction exists.
#pragma clang fp contract(off)
