#pragma once

#include "core/ir/ops.h"
#include "core/sparsity.h"

namespace xgen::lower {

/// A convolution without its weights: what a kernel is chosen by, besides the lists.
struct ConvForm {
  ir::Conv conv;
  WeightShape shape;     ///< c_in is that of one convolution group.
  bool integer = false;  ///< int8 weights and input.
  bool real_out = true;  ///< fp32 results.
  int mask_group = 0;    ///< filters of a block of the mask; 0: dense.

  int c_in() const { return shape.c_in * static_cast<int>(conv.groups); }
};

/// Whether kernels skip what a mask leaves out; others are compiled to dense.
inline bool is_skipped(Sparsity::Scheme scheme, std::int64_t conv_groups) {
  return scheme != Sparsity::Scheme::dense && scheme != Sparsity::Scheme::unstructured &&
         conv_groups == 1;
}

}  // namespace xgen::lower
