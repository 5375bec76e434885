#include <immintrin.h>
enum { LANES = 16 };
typedef __m512 vf;
typedef __m512i vi;

static inline vf vf_load(const void* p) { return _mm512_loadu_ps(p); }
static inline void vf_store(void* p, vf v) { _mm512_storeu_ps(p, v); }
static inline vf vf_set1(float s) { return _mm512_set1_ps(s); }
/* Compilers read a vector from memory once for each use, unless told that it is in a register. */
static inline vf vf_in_register(vf v) {
  __asm__("" : "+v"(v));
  return v;
}
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
static inline vi vf_as_i(vf a) { return _mm512_castps_si512(a); }
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
/* Every second lane of a and then of b. */
static inline vi vi_even(vi a, vi b) {
  const __m512i order =
      _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  return _mm512_permutex2var_epi32(a, order, b);
}
static inline vi vi_odd(vi a, vi b) {
  const __m512i order =
      _mm512_setr_epi32(1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
  return _mm512_permutex2var_epi32(a, order, b);
}
/* A byte a lane, from and to memory; what is stored is in 0..255. */
static inline vi vi_widen_u8(const void* p) {
  return _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i*)p));
}
static inline void vi_narrow_u8(void* p, vi v) {
  _mm_storeu_si128((__m128i*)p, _mm512_cvtepi32_epi8(v));
}
/* A function of one byte: pairs of results are looked up by bits 1 to 6, in the half that bit 7
 * chooses; bit 0 chooses one of the pair. There are no look-ups of bytes before VBMI. */
typedef struct {
  __m512i part[4];
} vt;
static inline vt vt_load(const uint8_t* table) {
  vt t;
  for (int i = 0; i < 4; ++i) t.part[i] = _mm512_loadu_si512(table + 64 * i);
  return t;
}
static inline __m512i table_pairs(vt t, __m512i index, __mmask32 upper) {
  return _mm512_mask_mov_epi16(_mm512_permutex2var_epi16(t.part[0], index, t.part[1]), upper,
                               _mm512_permutex2var_epi16(t.part[2], index, t.part[3]));
}
static inline vi vi_table(vt t, vi x) {
  const __m512i a =
      table_pairs(t, _mm512_srli_epi16(x, 1), _mm512_test_epi16_mask(x, _mm512_set1_epi16(0x80)));
  const __m512i b = table_pairs(t, _mm512_srli_epi16(x, 9), _mm512_movepi16_mask(x));
  const __m512i low =
      _mm512_mask_srli_epi16(a, _mm512_test_epi16_mask(x, _mm512_set1_epi16(0x01)), a, 8);
  const __m512i high =
      _mm512_mask_slli_epi16(b, _mm512_testn_epi16_mask(x, _mm512_set1_epi16(0x0100)), b, 8);
  return _mm512_mask_blend_epi8(0xaaaaaaaaaaaaaaaaULL, low, high);
}
static inline vi vi_max_u8(vi a, vi b) { return _mm512_max_epu8(a, b); }
static inline vi vi_max_s8(vi a, vi b) { return _mm512_max_epi8(a, b); }
