/* NEON with the dot product (ARMv8.2): 4 lanes, four products a lane in one instruction. */
#include "neon_common.h"
#if defined(__clang__) && __clang_major__ < 16
/* Before version 16, Clang's header has the intrinsic only where a whole file is compiled for it.
 */
static inline vi vi_dot(vi acc, vx x, vw w) {
  __asm__("sdot %0.4s, %1.16b, %2.16b" : "+w"(acc) : "w"(x), "w"(w));
  return acc;
}
#else
static inline vi vi_dot(vi acc, vx x, vw w) { return vdotq_s32(acc, x, w); }
#endif
