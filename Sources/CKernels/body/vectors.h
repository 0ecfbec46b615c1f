// Vector types. Element-wise work uses eight lanes everywhere; products use the widest registers there are.
#pragma clang fp contract(off)
#pragma clang diagnostic ignored "-Wpsabi"  // vectors are only passed to functions that are inlined here

#define CK_INLINE static inline __attribute__((always_inline))
#define CK_UNROLL _Pragma("clang loop unroll(full)")

typedef float f8 __attribute__((ext_vector_type(8)));
typedef int32_t i8 __attribute__((ext_vector_type(8)));
typedef uint32_t u8 __attribute__((ext_vector_type(8)));
typedef uint64_t q4 __attribute__((ext_vector_type(4)));
typedef double d8 __attribute__((ext_vector_type(8)));
typedef float fw __attribute__((ext_vector_type(CK_WIDTH)));

// Loads and stores may lie at any float.
typedef struct { f8 v; } __attribute__((packed, aligned(4))) f8_anywhere;
typedef struct { fw v; } __attribute__((packed, aligned(4))) fw_anywhere;

CK_INLINE f8 load8(const float *p) {
    return ((const f8_anywhere *)p)->v;
}

CK_INLINE void store8(float *p, f8 v) {
    ((f8_anywhere *)p)->v = v;
}

CK_INLINE fw loadw(const float *p) {
    return ((const fw_anywhere *)p)->v;
}

CK_INLINE void storew(float *p, fw v) {
    ((fw_anywhere *)p)->v = v;
}

/// Per lane: mask (all ones or zeros) ? a : b.
CK_INLINE f8 select8(i8 mask, f8 a, f8 b) {
    return __builtin_bit_cast(f8, (mask & __builtin_bit_cast(i8, a)) | (~mask & __builtin_bit_cast(i8, b)));
}

/// Lanes joined pairwise: ((0+1)+(2+3)) + ((4+5)+(6+7)).
CK_INLINE double join8(d8 v) {
    return ((v[0] + v[1]) + (v[2] + v[3])) + ((v[4] + v[5]) + (v[6] + v[7]));
}

CK_INLINE long min_long(long a, long b) {
    return a < b ? a : b;
}
