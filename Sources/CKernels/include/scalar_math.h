#pragma once

/// Natural logarithm and exponential without libm: IEEE operations in a fixed order, so the same bits everywhere. Error below 1 ulp.
double ck_log(double x);
double ck_exp(double x);
