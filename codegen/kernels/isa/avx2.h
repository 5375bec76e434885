/* AVX2 and FMA: 8 lanes. Without VNNI the dot product widens to 16 bits: vpmaddubsw would saturate.
 */
#include <immintrin.h>
enum { LANES = 8 };
typedef __m256 vf;
typedef __m256i vi;
typedef struct {
  __m256i even, odd;
} vx; /* channels 0 and 2, 1 and 3, as 16-bit numbers */
typedef struct {
  __m256i even, odd;
} vw;

static inline vf vf_load(const void* p) { return _mm256_loadu_ps((const float*)p); }
static inline void vf_store(void* p, vf v) { _mm256_storeu_ps((float*)p, v); }
static inline vf vf_set1(float s) { return _mm256_set1_ps(s); }
/* Compilers read a vector from memory once for each use, unless told that it is in a register. */
static inline vf vf_in_register(vf v) {
  __asm__("" : "+x"(v));
  return v;
}
static inline vf vf_fma(vf a, vf b, vf c) { return _mm256_fmadd_ps(a, b, c); }
static inline vf vf_add(vf a, vf b) { return _mm256_add_ps(a, b); }
static inline vf vf_sub(vf a, vf b) { return _mm256_sub_ps(a, b); }
static inline vf vf_mul(vf a, vf b) { return _mm256_mul_ps(a, b); }
static inline vf vf_div(vf a, vf b) { return _mm256_div_ps(a, b); }
static inline vf vf_min(vf a, vf b) { return _mm256_min_ps(a, b); }
static inline vf vf_max(vf a, vf b) { return _mm256_max_ps(a, b); }

static inline vi vi_load(const void* p) { return _mm256_loadu_si256((const __m256i*)p); }
static inline void vi_store(void* p, vi v) { _mm256_storeu_si256((__m256i*)p, v); }
/* Four lanes, again and again. */
static inline vi vi_load4(const void* p) {
  return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i*)p));
}
static inline vi vi_set1(int32_t s) { return _mm256_set1_epi32(s); }
static inline vi vi_add(vi a, vi b) { return _mm256_add_epi32(a, b); }
static inline vi vi_sub(vi a, vi b) { return _mm256_sub_epi32(a, b); }
static inline vi vi_min(vi a, vi b) { return _mm256_min_epi32(a, b); }
static inline vi vi_max(vi a, vi b) { return _mm256_max_epi32(a, b); }
static inline vi vi_xor(vi a, vi b) { return _mm256_xor_si256(a, b); }
static inline vi vi_shl23(vi a) { return _mm256_slli_epi32(a, 23); }
static inline vi vi_sra16(vi a) { return _mm256_srai_epi32(a, 16); }
static inline vi vi_byte(vi a, int i) {
  return _mm256_and_si256(_mm256_srl_epi32(a, _mm_cvtsi32_si128(8 * i)), _mm256_set1_epi32(255));
}
static inline vf vi_to_f(vi a) { return _mm256_cvtepi32_ps(a); }
static inline vi vf_round(vf a) { return _mm256_cvtps_epi32(a); }
static inline vf vi_as_f(vi a) { return _mm256_castsi256_ps(a); }
static inline vi vf_as_i(vf a) { return _mm256_castps_si256(a); }
static inline vi vi_pack4(vi a, vi b, vi c, vi d) {
  const __m256i order = _mm256_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15, 0, 4,
                                         8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  return _mm256_shuffle_epi8(
      _mm256_packus_epi16(_mm256_packs_epi32(a, b), _mm256_packs_epi32(c, d)), order);
}
/* Every second lane of a and then of b. */
static inline vi vi_even(vi a, vi b) {
  const __m256 v = _mm256_shuffle_ps(_mm256_castsi256_ps(a), _mm256_castsi256_ps(b), 0x88);
  return _mm256_permute4x64_epi64(_mm256_castps_si256(v), 0xd8);
}
static inline vi vi_odd(vi a, vi b) {
  const __m256 v = _mm256_shuffle_ps(_mm256_castsi256_ps(a), _mm256_castsi256_ps(b), 0xdd);
  return _mm256_permute4x64_epi64(_mm256_castps_si256(v), 0xd8);
}
/* A byte a lane, from and to memory; what is stored is in 0..255. */
static inline vi vi_widen_u8(const void* p) {
  return _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i*)p));
}
static inline void vi_narrow_u8(void* p, vi v) {
  const __m128i low = _mm256_castsi256_si128(v), high = _mm256_extracti128_si256(v, 1);
  const __m128i words = _mm_packs_epi32(low, high);
  _mm_storel_epi64((__m128i*)p, _mm_packus_epi16(words, words));
}
/* A function of one byte: sixteen tables of sixteen, of which bits 4 to 7 choose one. */
typedef const uint8_t* vt;
static inline vt vt_load(const uint8_t* table) { return table; }
static inline vi table_of_32(vt t, vi x, vi low) {
  return _mm256_blendv_epi8(_mm256_shuffle_epi8(vi_load4(t), low),
                            _mm256_shuffle_epi8(vi_load4(t + 16), low), _mm256_slli_epi16(x, 3));
}
static inline vi table_of_64(vt t, vi x, vi low) {
  return _mm256_blendv_epi8(table_of_32(t, x, low), table_of_32(t + 32, x, low),
                            _mm256_slli_epi16(x, 2));
}
static inline vi table_of_128(vt t, vi x, vi low) {
  return _mm256_blendv_epi8(table_of_64(t, x, low), table_of_64(t + 64, x, low),
                            _mm256_slli_epi16(x, 1));
}
static inline vi vi_table(vt t, vi x) {
  const vi low = _mm256_and_si256(x, _mm256_set1_epi8(15));
  return _mm256_blendv_epi8(table_of_128(t, x, low), table_of_128(t + 128, x, low), x);
}
static inline vi vi_max_u8(vi a, vi b) { return _mm256_max_epu8(a, b); }
static inline vi vi_max_s8(vi a, vi b) { return _mm256_max_epi8(a, b); }

static inline vx vx_load(const void* p) {
  const __m256i v = _mm256_loadu_si256((const __m256i*)p);
  const vx x = {_mm256_and_si256(v, _mm256_set1_epi16(255)), _mm256_srli_epi16(v, 8)};
  return x;
}
static inline vw vw_set1(const void* p) {
  int32_t s;
  memcpy(&s, p, 4);
  const __m256i v = _mm256_set1_epi32(s);
  const vw w = {_mm256_srai_epi16(_mm256_slli_epi16(v, 8), 8), _mm256_srai_epi16(v, 8)};
  return w;
}
static inline vx vx_broadcast(const void* p) {
  int32_t s;
  memcpy(&s, p, 4);
  const __m256i v = _mm256_set1_epi32(s);
  const vx x = {_mm256_and_si256(v, _mm256_set1_epi16(255)), _mm256_srli_epi16(v, 8)};
  return x;
}
static inline vw vw_load(const void* p) {
  const __m256i v = _mm256_loadu_si256((const __m256i*)p);
  const vw w = {_mm256_srai_epi16(_mm256_slli_epi16(v, 8), 8), _mm256_srai_epi16(v, 8)};
  return w;
}
/* Four positions side by side, channel by channel, of each four positions; and what goes with them:
 * four weights a channel, one number a channel, and four results packed position by position. */
static inline vx vx_quads(const void* p) {
  const __m256i order = _mm256_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15, 0, 4,
                                         8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  const __m256i v = _mm256_shuffle_epi8(_mm256_loadu_si256((const __m256i*)p), order);
  const vx x = {_mm256_and_si256(v, _mm256_set1_epi16(255)), _mm256_srli_epi16(v, 8)};
  return x;
}
static inline vw vw_quads(const void* p) {
  const __m256i v = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i*)p));
  const vw w = {_mm256_srai_epi16(_mm256_slli_epi16(v, 8), 8), _mm256_srai_epi16(v, 8)};
  return w;
}
static inline vf vf_load4(const void* p) { return _mm256_castsi256_ps(vi_load4(p)); }
static inline vi vi_pack_quads(vi a, vi b, vi c, vi d) {
  return _mm256_packus_epi16(_mm256_packs_epi32(a, b), _mm256_packs_epi32(c, d));
}
static inline vi vi_dot(vi acc, vx x, vw w) {
  return _mm256_add_epi32(
      acc, _mm256_add_epi32(_mm256_madd_epi16(x.even, w.even), _mm256_madd_epi16(x.odd, w.odd)));
}
