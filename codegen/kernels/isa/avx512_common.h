#include <immintrin.h>
enum { LANES = 16 };
typedef __m512 vf;
typedef __m512i vi;

static inline vf vf_load(const void* p) { return _mm512_loadu_ps(p); }
static inline void vf_store(void* p, vf v) { _mm512_storeu_ps(p, v); }
static inline vf vf_set1(float s) { return _mm512_set1_ps(s); }
static inline vf vf_fma(vf a, vf b, vf c) { return _mm512_fmadd_ps(a, b, c); }
static inline vf vf_add(vf a, vf b) { return _mm512_add_ps(a, b); }
static inline vf vf_sub(vf a, vf b) { return _mm512_sub_ps(a, b); }
static inline vf vf_mul(vf a, vf b) { return _mm512_mul_ps(a, b); }
static inline vf vf_div(vf a, vf b) { return _mm512_div_ps(a, b); }
static inline vf vf_min(vf a, vf b) { return _mm512_min_ps(a, b); }
static inline vf vf_max(vf a, vf b) { return _mm512_max_ps(a, b); }

static inline vi vi_load(const void* p) { return _mm512_loadu_si512(p); }
static inline void vi_store(void* p, vi v) { _mm512_storeu_si512(p, v); }
static inline vi vi_set1(int32_t s) { return _mm512_set1_epi32(s); }
static inline vi vi_add(vi a, vi b) { return _mm512_add_epi32(a, b); }
static inline vi vi_sub(vi a, vi b) { return _mm512_sub_epi32(a, b); }
static inline vi vi_min(vi a, vi b) { return _mm512_min_epi32(a, b); }
static inline vi vi_max(vi a, vi b) { return _mm512_max_epi32(a, b); }
static inline vi vi_xor(vi a, vi b) { return _mm512_xor_si512(a, b); }
static inline vi vi_shl23(vi a) { return _mm512_slli_epi32(a, 23); }
static inline vi vi_sra16(vi a) { return _mm512_srai_epi32(a, 16); }
static inline vi vi_byte(vi a, int i) {
  return _mm512_and_si512(_mm512_srl_epi32(a, _mm_cvtsi32_si128(8 * i)), _mm512_set1_epi32(255));
}
static inline vf vi_to_f(vi a) { return _mm512_cvtepi32_ps(a); }
static inline vi vf_round(vf a) { return _mm512_cvtps_epi32(a); }
static inline vf vi_as_f(vi a) { return _mm512_castsi512_ps(a); }
/* Two saturating packs and one shuffle: a quarter faster on short lists than shifts and ors. */
static inline vi vi_pack4(vi a, vi b, vi c, vi d) {
  const __m512i order = _mm512_set4_epi32(0x0f0b0703, 0x0e0a0602, 0x0d090501, 0x0c080400);
  return _mm512_shuffle_epi8(
      _mm512_packus_epi16(_mm512_packs_epi32(a, b), _mm512_packs_epi32(c, d)), order);
}
/* Four positions side by side, channel by channel, of each four positions; and what goes with them:
 * one number a channel, and four results packed position by position. */
static inline __m512i load_quads(const void* p) {
  const __m512i order = _mm512_set4_epi32(0x0f0b0703, 0x0e0a0602, 0x0d090501, 0x0c080400);
  return _mm512_shuffle_epi8(_mm512_loadu_si512(p), order);
}
static inline vi vi_load4(const void* p) {
  return _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i*)p));
}
static inline vf vf_load4(const void* p) { return _mm512_castsi512_ps(vi_load4(p)); }
static inline vi vi_pack_quads(vi a, vi b, vi c, vi d) {
  return _mm512_packus_epi16(_mm512_packs_epi32(a, b), _mm512_packs_epi32(c, d));
}
static inline vi vi_max_u8(vi a, vi b) { return _mm512_max_epu8(a, b); }
static inline vi vi_max_s8(vi a, vi b) { return _mm512_max_epi8(a, b); }
