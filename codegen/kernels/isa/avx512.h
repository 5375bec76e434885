/* AVX-512 F, BW, DQ, VL: 16 lanes. Without VNNI the dot product widens to 16 bits. */
#include "avx512_common.h"
typedef struct {
  __m512i even, odd;
} vx; /* channels 0 and 2, 1 and 3, as 16-bit numbers */
typedef struct {
  __m512i even, odd;
} vw;

static inline vx vx_load(const void* p) {
  const __m512i v = _mm512_loadu_si512(p);
  const vx x = {_mm512_and_si512(v, _mm512_set1_epi16(255)), _mm512_srli_epi16(v, 8)};
  return x;
}
static inline vw vw_set1(const void* p) {
  int32_t s;
  memcpy(&s, p, 4);
  const __m512i v = _mm512_set1_epi32(s);
  const vw w = {_mm512_srai_epi16(_mm512_slli_epi16(v, 8), 8), _mm512_srai_epi16(v, 8)};
  return w;
}
static inline vx vx_broadcast(const void* p) {
  int32_t s;
  memcpy(&s, p, 4);
  const __m512i v = _mm512_set1_epi32(s);
  const vx x = {_mm512_and_si512(v, _mm512_set1_epi16(255)), _mm512_srli_epi16(v, 8)};
  return x;
}
static inline vw vw_load(const void* p) {
  const __m512i v = _mm512_loadu_si512(p);
  const vw w = {_mm512_srai_epi16(_mm512_slli_epi16(v, 8), 8), _mm512_srai_epi16(v, 8)};
  return w;
}
static inline vx vx_quads(const void* p) {
  const __m512i v = load_quads(p);
  const vx x = {_mm512_and_si512(v, _mm512_set1_epi16(255)), _mm512_srli_epi16(v, 8)};
  return x;
}
static inline vw vw_quads(const void* p) {
  const __m512i v = vi_load4(p);
  const vw w = {_mm512_srai_epi16(_mm512_slli_epi16(v, 8), 8), _mm512_srai_epi16(v, 8)};
  return w;
}
static inline vi vi_dot(vi acc, vx x, vw w) {
  return _mm512_add_epi32(
      acc, _mm512_add_epi32(_mm512_madd_epi16(x.even, w.even), _mm512_madd_epi16(x.odd, w.odd)));
}
