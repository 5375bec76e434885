#pragma once

#include <torch/types.h>

#include <vector>

#include "core/ir/graph.h"

namespace xgen::train {

using torch::Tensor;

inline ir::Constant integers(const std::vector<std::int64_t>& values) {
  return ir::Constant::of<std::int64_t>({static_cast<std::int64_t>(values.size())}, values);
}

/// The elements in row-major order.
inline std::vector<float> values_of(const Tensor& tensor) {
  const Tensor flat = tensor.detach().contiguous();
  const auto* first = static_cast<const float*>(flat.data_ptr());
  return {first, first + flat.numel()};
}

/// 0, 1, 2, ...
inline Tensor counting(at::IntArrayRef shape) {
  std::int64_t n = 1;
  for (const auto extent : shape) n *= extent;
  return torch::arange(n, torch::kFloat).reshape(shape);
}

}  // namespace xgen::train
