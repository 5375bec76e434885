/* AVX-512 with VNNI: 16 lanes, four products a lane in one instruction. */
#include "avx512_common.h"
typedef __m512i vx;
typedef __m512i vw;

static inline vx vx_load(const void* p) { return _mm512_loadu_si512(p); }
static inline vw vw_set1(const void* p) {
  int32_t s;
  memcpy(&s, p, 4);
  return _mm512_set1_epi32(s);
}
static inline vx vx_broadcast(const void* p) { return vw_set1(p); }
static inline vw vw_load(const void* p) { return _mm512_loadu_si512(p); }
static inline vx vx_quads(const void* p) { return load_quads(p); }
static inline vw vw_quads(const void* p) { return vi_load4(p); }
/* Inline assembly: g++ 12 moves every accumulator through another register around the intrinsic. */
static inline vi vi_dot(vi acc, vx x, vw w) {
  __asm__("vpdpbusd %2, %1, %0" : "+v"(acc) : "v"(x), "v"(w));
  return acc;
}
