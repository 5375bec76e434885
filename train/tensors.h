#pragma once

#include <torch/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "core/ir/types.h"

/// Between the graph's constants and LibTorch's tensors.
namespace xgen::train {

using torch::Tensor;

torch::Dtype to_torch(ir::DType type);
/// @throws InternalError for a type that graphs do not have (half, complex).
ir::DType to_ir(torch::Dtype type);

/// A copy on the CPU, row major.
Tensor to_tensor(const ir::Constant& constant);
/// A copy in row-major order, from any device and memory format.
ir::Constant to_constant(const Tensor& tensor, ir::Role role = ir::Role::fixed);

/// The elements of an integer tensor of any device.
std::vector<std::int64_t> to_integers(const Tensor& tensor);

/// SHA-256 over names, types, shapes and bytes of tensors, in the order given.
std::string hash_of(const std::vector<std::pair<std::string, Tensor>>& tensors);

}  // namespace xgen::train
