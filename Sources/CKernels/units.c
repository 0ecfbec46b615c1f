#include "units.h"

void ck_mark_alive(const float *y, int64_t rows, int64_t width, int rectified, uint8_t *alive) {
    for (int64_t row = 0; row < rows; row++, y += width) {
        if (rectified) {
            for (int64_t column = 0; column < width; column++) alive[column] |= y[column] != 0;
        } else {
            for (int64_t column = 0; column < width; column++) alive[column] |= y[column] > 0;
        }
    }
}

int64_t ck_count_outside(const float *y, int64_t count, float low, float high) {
    int64_t outside = 0;
    for (int64_t index = 0; index < count; index++) outside += !(y[index] >= low && y[index] <= high);
    return outside;
}
