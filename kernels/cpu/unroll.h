#pragma once

/// Before a loop of at most twelve known rounds whose registers stay registers only when it is unrolled
/// whole.
#ifdef __clang__
#define DSPARK_UNROLL _Pragma("unroll")
#else
#define DSPARK_UNROLL _Pragma("GCC unroll 12")
#endif
