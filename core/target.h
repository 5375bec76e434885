#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/config.h"

namespace xgen {

/// A sparsity that a target's kernels run, and at what share of the dense kernel's rate.
struct ServedSparsity {
  std::string scheme = "pattern";  ///< pattern | block
  std::string type = "int8";       ///< fp32 | int8
  int group_out = 4;
  int lane_channels = 4;
  double efficiency = 1.0;
  double break_even = 1.0;

  template <class V>
  void describe(V& v) {
    v.choice("scheme", scheme, {"pattern", "block"}, "Sparsity scheme.");
    v.choice("type", type, {"fp32", "int8"}, "Type of the kernels.");
    v.number("group_out", group_out, {1, 64}, "Filters that share their kept lanes and taps.");
    v.number("lane_channels", lane_channels, {1, 4},
             "Channels of an input lane: 1 in fp32, 4 in int8.");
    v.number("efficiency", efficiency, {0.0, 2.0},
             "Rate of a kept multiply-add, as a share of the dense kernel's.");
    v.number("break_even", break_even, {0.0, 1.0},
             "Share of the multiply-adds below which the pruned kernel is the faster one.");
  }
};

/// A device to compile for; a JSON file of codegen/targets/, or a user's own.
struct Target {
  std::string name = "x86_64";
  std::string arch = "x86_64";
  std::vector<std::string> kernels;  ///< instruction sets of the bundle, slowest first.
  std::string cross_compiler;        ///< C compiler for a machine that is not this one.
  std::string emulator;              ///< runs its programs here.
  std::int64_t l1_bytes = 32768, l2_bytes = 1048576, l3_bytes = 8388608;
  int vector_lanes = 16;
  bool signed_activations = false;  ///< int8 activations are stored as x ^ 0x80.
  int dense_group_fp32 = 8, dense_group_int8 = 8;
  std::vector<ServedSparsity> sparsity;

  template <class V>
  void describe(V& v) {
    v.text("name", name, "Name of the target.", Need::required);
    v.choice("arch", arch, {"x86_64", "aarch64"}, "Architecture; a bundle serves one.",
             Need::required);
    v.texts("kernels", kernels, "Instruction sets that the bundle carries, slowest first.");
    v.text("cross_compiler", cross_compiler,
           "C compiler, where the machine at hand is another one.");
    v.text("emulator", emulator, "Program that runs the target's programs here.");
    v.number("l1_bytes", l1_bytes, {1024, 1 << 30}, "First-level data cache of a core, in bytes.");
    v.number("l2_bytes", l2_bytes, {1024, 1 << 30}, "Second-level cache of a core, in bytes.");
    v.number("l3_bytes", l3_bytes, {1024, std::int64_t{1} << 40},
             "What a core may count on of the last level of cache, in bytes.");
    v.number("vector_lanes", vector_lanes, {1, 16}, "32-bit lanes of the widest vector.");
    v.boolean("signed_activations", signed_activations,
              "int8 activations are stored as x ^ 0x80, for want of a u8 x s8 product.");
    v.number("dense_group_fp32", dense_group_fp32, {1, 16},
             "Filters a group of dense fp32 layers.");
    v.number("dense_group_int8", dense_group_int8, {4, 16},
             "Filters a group of dense int8 layers.");
    v.objects("sparsity", sparsity, "What the kernels skip, and at which efficiency.");
  }
};

}  // namespace xgen
