#include <arm_neon.h>
enum { LANES = 4 };
typedef float32x4_t vf;
typedef int32x4_t vi;
typedef int8x16_t vx;
typedef int8x16_t vw;

static inline vf vf_load(const void* p) { return vld1q_f32((const float*)p); }
static inline void vf_store(void* p, vf v) { vst1q_f32((float*)p, v); }
static inline vf vf_set1(float s) { return vdupq_n_f32(s); }
static inline vf vf_in_register(vf v) { return v; }
static inline vf vf_fma(vf a, vf b, vf c) { return vfmaq_f32(c, a, b); }
static inline vf vf_add(vf a, vf b) { return vaddq_f32(a, b); }
static inline vf vf_sub(vf a, vf b) { return vsubq_f32(a, b); }
static inline vf vf_mul(vf a, vf b) { return vmulq_f32(a, b); }
static inline vf vf_div(vf a, vf b) { return vdivq_f32(a, b); }
static inline vf vf_min(vf a, vf b) { return vminq_f32(a, b); }
static inline vf vf_max(vf a, vf b) { return vmaxq_f32(a, b); }

static inline vi vi_load(const void* p) {
  return vreinterpretq_s32_u8(vld1q_u8((const uint8_t*)p));
}
static inline void vi_store(void* p, vi v) { vst1q_u8((uint8_t*)p, vreinterpretq_u8_s32(v)); }
static inline vi vi_set1(int32_t s) { return vdupq_n_s32(s); }
static inline vi vi_add(vi a, vi b) { return vaddq_s32(a, b); }
static inline vi vi_sub(vi a, vi b) { return vsubq_s32(a, b); }
static inline vi vi_min(vi a, vi b) { return vminq_s32(a, b); }
static inline vi vi_max(vi a, vi b) { return vmaxq_s32(a, b); }
static inline vi vi_xor(vi a, vi b) { return veorq_s32(a, b); }
static inline vi vi_shl23(vi a) { return vshlq_n_s32(a, 23); }
static inline vi vi_sra16(vi a) { return vshrq_n_s32(a, 16); }
static inline vi vi_byte(vi a, int i) {
  return vreinterpretq_s32_u32(
      vandq_u32(vshlq_u32(vreinterpretq_u32_s32(a), vdupq_n_s32(-8 * i)), vdupq_n_u32(255)));
}
static inline vf vi_to_f(vi a) { return vcvtq_f32_s32(a); }
static inline vi vf_round(vf a) { return vcvtnq_s32_f32(a); }
static inline vf vi_as_f(vi a) { return vreinterpretq_f32_s32(a); }
static inline vi vf_as_i(vf a) { return vreinterpretq_s32_f32(a); }
/* The values are in 0..255, so narrowing needs no saturation: bytes by two interleaves. */
static inline vi vi_pack4(vi a, vi b, vi c, vi d) {
  const vi low = vorrq_s32(a, vshlq_n_s32(b, 8));
  const vi high = vorrq_s32(vshlq_n_s32(c, 16), vshlq_n_s32(d, 24));
  return vorrq_s32(low, high);
}
/* Every second lane of a and then of b. */
static inline vi vi_even(vi a, vi b) { return vuzp1q_s32(a, b); }
static inline vi vi_odd(vi a, vi b) { return vuzp2q_s32(a, b); }
/* A byte a lane, from and to memory; what is stored is in 0..255. */
static inline vi vi_widen_u8(const void* p) {
  uint32_t bytes;
  memcpy(&bytes, p, 4);
  return vreinterpretq_s32_u32(
      vmovl_u16(vget_low_u16(vmovl_u8(vreinterpret_u8_u32(vdup_n_u32(bytes))))));
}
static inline void vi_narrow_u8(void* p, vi v) {
  const uint16x4_t words = vmovn_u32(vreinterpretq_u32_s32(v));
  const uint32_t bytes =
      vget_lane_u32(vreinterpret_u32_u8(vmovn_u16(vcombine_u16(words, words))), 0);
  memcpy(p, &bytes, 4);
}
/* A function of one byte: four tables of 64, of which each serves the bytes inside it. */
typedef struct {
  uint8x16x4_t part[4];
} vt;
static inline vt vt_load(const uint8_t* table) {
  vt t;
  for (int i = 0; i < 4; ++i) t.part[i] = vld1q_u8_x4(table + 64 * i);
  return t;
}
static inline vi vi_table(vt t, vi x) {
  const uint8x16_t at = vreinterpretq_u8_s32(x);
  uint8x16_t v = vqtbl4q_u8(t.part[0], at);
  v = vqtbx4q_u8(v, t.part[1], vsubq_u8(at, vdupq_n_u8(64)));
  v = vqtbx4q_u8(v, t.part[2], vsubq_u8(at, vdupq_n_u8(128)));
  v = vqtbx4q_u8(v, t.part[3], vsubq_u8(at, vdupq_n_u8(192)));
  return vreinterpretq_s32_u8(v);
}
static inline vi vi_max_u8(vi a, vi b) {
  return vreinterpretq_s32_u8(vmaxq_u8(vreinterpretq_u8_s32(a), vreinterpretq_u8_s32(b)));
}
static inline vi vi_max_s8(vi a, vi b) {
  return vreinterpretq_s32_s8(vmaxq_s8(vreinterpretq_s8_s32(a), vreinterpretq_s8_s32(b)));
}

/* Four positions side by side, channel by channel; and what goes with them: four weights a channel,
 * one number a channel, and four results packed position by position. */
static inline vx vx_quads(const void* p) {
  static const uint8_t order[16] = {0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15};
  return vqtbl1q_s8(vld1q_s8((const int8_t*)p), vld1q_u8(order));
}
static inline vw vw_quads(const void* p) { return vld1q_s8((const int8_t*)p); }
static inline vi vi_load4(const void* p) { return vld1q_s32((const int32_t*)p); }
static inline vf vf_load4(const void* p) { return vld1q_f32((const float*)p); }
static inline vi vi_pack_quads(vi a, vi b, vi c, vi d) {
  const uint16x8_t low = vcombine_u16(vqmovun_s32(a), vqmovun_s32(b));
  const uint16x8_t high = vcombine_u16(vqmovun_s32(c), vqmovun_s32(d));
  return vreinterpretq_s32_u8(vcombine_u8(vmovn_u16(low), vmovn_u16(high)));
}

static inline vx vx_load(const void* p) { return vld1q_s8((const int8_t*)p); }
static inline vw vw_set1(const void* p) {
  int32_t s;
  memcpy(&s, p, 4);
  return vreinterpretq_s8_s32(vdupq_n_s32(s));
}
static inline vx vx_broadcast(const void* p) { return vw_set1(p); }
static inline vw vw_load(const void* p) { return vld1q_s8((const int8_t*)p); }
