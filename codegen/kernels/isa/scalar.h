/* Plain C11: one lane. */
enum { LANES = 1 };
typedef float vf;
typedef int32_t vi;
typedef uint32_t vx; /* four activations of one position */
typedef uint32_t vw; /* four weights */

static inline vf vf_load(const void* p) {
  float v;
  memcpy(&v, p, 4);
  return v;
}
static inline void vf_store(void* p, vf v) { memcpy(p, &v, 4); }
static inline vf vf_set1(float s) { return s; }
static inline vf vf_in_register(vf v) { return v; }
static inline vf vf_fma(vf a, vf b, vf c) { return fmaf(a, b, c); }
static inline vf vf_add(vf a, vf b) { return a + b; }
static inline vf vf_sub(vf a, vf b) { return a - b; }
static inline vf vf_mul(vf a, vf b) { return a * b; }
static inline vf vf_div(vf a, vf b) { return a / b; }
static inline vf vf_min(vf a, vf b) { return a < b ? a : b; }
static inline vf vf_max(vf a, vf b) { return a > b ? a : b; }

static inline vi vi_load(const void* p) {
  int32_t v;
  memcpy(&v, p, 4);
  return v;
}
static inline void vi_store(void* p, vi v) { memcpy(p, &v, 4); }
static inline vi vi_set1(int32_t s) { return s; }
static inline vi vi_add(vi a, vi b) { return (int32_t)((uint32_t)a + (uint32_t)b); }
static inline vi vi_sub(vi a, vi b) { return (int32_t)((uint32_t)a - (uint32_t)b); }
static inline vi vi_min(vi a, vi b) { return a < b ? a : b; }
static inline vi vi_max(vi a, vi b) { return a > b ? a : b; }
static inline vi vi_xor(vi a, vi b) { return a ^ b; }
static inline vi vi_shl23(vi a) { return (int32_t)((uint32_t)a << 23); }
static inline vi vi_sra16(vi a) { return a >= 0 ? a >> 16 : ~(~a >> 16); }
static inline vi vi_byte(vi a, int i) { return (int32_t)((uint32_t)a >> (8 * i) & 0xffU); }
static inline vf vi_to_f(vi a) { return (float)a; }
static inline vi vf_round(vf a) { return (int32_t)lrintf(a); }
static inline vf vi_as_f(vi a) {
  float v;
  memcpy(&v, &a, 4);
  return v;
}
static inline vi vf_as_i(vf a) {
  vi v;
  memcpy(&v, &a, 4);
  return v;
}
static inline vi vi_pack4(vi a, vi b, vi c, vi d) {
  return (int32_t)((uint32_t)a | (uint32_t)b << 8 | (uint32_t)c << 16 | (uint32_t)d << 24);
}
/* Every second lane of a and then of b. */
static inline vi vi_even(vi a, vi b) { return (void)b, a; }
static inline vi vi_odd(vi a, vi b) { return (void)a, b; }
static inline vi vi_widen_u8(const void* p) { return *(const uint8_t*)p; }
static inline void vi_narrow_u8(void* p, vi v) { *(uint8_t*)p = (uint8_t)v; }
/* A function of one byte. */
typedef const uint8_t* vt;
static inline vt vt_load(const uint8_t* table) { return table; }
static inline vi vi_table(vt t, vi x) {
  const uint32_t v = (uint32_t)x;
  return (int32_t)((uint32_t)t[v & 255U] | (uint32_t)t[v >> 8 & 255U] << 8 |
                   (uint32_t)t[v >> 16 & 255U] << 16 | (uint32_t)t[v >> 24] << 24);
}
static inline vi vi_max_u8(vi a, vi b) {
  vi r = 0;
  for (int i = 0; i < 32; i += 8) {
    const uint32_t p = (uint32_t)a >> i & 0xffU, q = (uint32_t)b >> i & 0xffU;
    r |= (int32_t)((p > q ? p : q) << i);
  }
  return r;
}
static inline vi vi_max_s8(vi a, vi b) {
  return vi_max_u8(a ^ (int32_t)0x80808080U, b ^ (int32_t)0x80808080U) ^ (int32_t)0x80808080U;
}

static inline vx vx_load(const void* p) {
  uint32_t v;
  memcpy(&v, p, 4);
  return v;
}
static inline vw vw_set1(const void* p) {
  uint32_t v;
  memcpy(&v, p, 4);
  return v;
}
static inline vx vx_broadcast(const void* p) { return vx_load(p); }
static inline vw vw_load(const void* p) { return vw_set1(p); }
/* One channel of four positions side by side. */
static inline vx vx_column(const char* p, int channel) {
  vx v = 0;
  for (int t = 0; t < 4; ++t) v |= (uint32_t)(uint8_t)p[4 * t + channel] << (8 * t);
  return v;
}
static inline vi vi_dot(vi acc, vx x, vw w) {
  uint32_t sum = (uint32_t)acc;
  for (int i = 0; i < 32; i += 8)
    sum += (uint32_t)((int32_t)(XGEN_ACTIVATION)(x >> i & 0xffU) * (int8_t)(w >> i & 0xffU));
  return (int32_t)sum;
}
