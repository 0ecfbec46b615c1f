#pragma once
#include <stddef.h>
#include <stdint.h>

#include <xxhash.h>
#if defined(__x86_64__)
// The library's plain function is built for SSE2; this one takes what the processor has. The values are the same.
#include <xxh_x86dispatch.h>
#endif

static inline uint64_t dnn_xxh3_64bits(const void *bytes, size_t count) { return XXH3_64bits(bytes, count); }
