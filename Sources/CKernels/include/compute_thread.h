#pragma once

/// Prepares the calling thread for computing: denormal results and operands are zero, and OpenMP, if a library
/// brought it into the process, uses one thread (libgomp reads OMP_NUM_THREADS before main, so the environment comes too late).
void ck_configure_thread(void);
