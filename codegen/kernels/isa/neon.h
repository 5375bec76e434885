/* NEON (ARMv8.0): 4 lanes. Activations are stored as s8 (x ^ 0x80): there is no u8 x s8 product. */
#include "neon_common.h"
static inline vi vi_dot(vi acc, vx x, vw w) {
  const int16x8_t low = vmull_s8(vget_low_s8(x), vget_low_s8(w));
  const int16x8_t high = vmull_high_s8(x, w);
  return vaddq_s32(acc, vpaddq_s32(vpaddlq_s16(low), vpaddlq_s16(high)));
}
