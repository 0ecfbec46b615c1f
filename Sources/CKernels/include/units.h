#pragma once
#include <stdint.h>

// What units did on some rows, for people to look at: exact, since marks and counts do not depend on an order.

/// Marks the columns in which some row is not 0 or, not yet rectified, is above 0. y is row-major, `alive` holds a mark per column.
void ck_mark_alive(const float *y, int64_t rows, int64_t width, int rectified, uint8_t *alive);

/// Elements that do not lie in low…high; one that is no number does not.
int64_t ck_count_outside(const float *y, int64_t count, float low, float high);
