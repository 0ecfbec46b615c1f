#pragma once

/// Prepares the calling thread for computing: rounding to nearest, denormal results and operands zero, and OpenMP, if a library
/// brought it into the process, on one thread (libgomp reads OMP_NUM_THREADS before main, so the environment comes too late).
/// Gives the floating-point mode that was set before.
unsigned ck_enter_compute_mode(void);

/// Sets a floating-point mode.
void ck_leave_compute_mode(unsigned mode);
