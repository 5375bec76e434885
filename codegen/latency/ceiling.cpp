#include "codegen/latency/ceiling.h"

#include <chrono>

namespace xgen::latency {

namespace {

#if defined(__x86_64__)
constexpr long kSteps = 1'000'000;
constexpr int kChains = 12;  // latency of 4, two units, and some to spare

// Assembly, so that no compiler moves an accumulator.
#define XGEN_STEP(instruction, n) instruction " %%zmm13, %%zmm12, %%zmm" #n "\n\t"
#define XGEN_LOOP(name, instruction)                                                               \
  void name(long steps) {                                                                          \
    asm volatile(                                                                                  \
        "vpxord %%zmm12, %%zmm12, %%zmm12\n\tvpxord %%zmm13, %%zmm13, "                            \
        "%%zmm13\n\t1:\n\t" XGEN_STEP(instruction, 0) XGEN_STEP(instruction, 1)                    \
            XGEN_STEP(instruction, 2) XGEN_STEP(instruction, 3) XGEN_STEP(instruction, 4)          \
                XGEN_STEP(instruction, 5) XGEN_STEP(instruction, 6) XGEN_STEP(instruction, 7)      \
                    XGEN_STEP(instruction, 8) XGEN_STEP(instruction, 9) XGEN_STEP(instruction, 10) \
                        XGEN_STEP(instruction, 11) "dec %0\n\tjnz 1b\n\t"                          \
        : "+r"(steps)::"cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",       \
          "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13");                                     \
  }
XGEN_LOOP(fma_loop, "vfmadd231ps")
XGEN_LOOP(dot_loop, "vpdpbusd")

double rate(void (*loop)(long), double operations) {
  const auto start = std::chrono::steady_clock::now();
  loop(kSteps);
  return kSteps * kChains * operations /
         std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}
#endif

}  // namespace

Ceiling measure_ceiling() {
  Ceiling ceiling;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) ceiling.fp32 = rate(fma_loop, 2 * 16);
  if (__builtin_cpu_supports("avx512vnni")) ceiling.int8 = rate(dot_loop, 2 * 64);
#endif
  return ceiling;
}

}  // namespace xgen::latency
