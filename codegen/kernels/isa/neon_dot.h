/* NEON with the dot product (ARMv8.2): 4 lanes, four products a lane in one instruction. */
#include "neon_common.h"
static inline vi vi_dot(vi acc, vx x, vw w) { return vdotq_s32(acc, x, w); }
