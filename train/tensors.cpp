#include "train/tensors.h"

#include <cstring>

#include "core/sha256.h"

namespace xgen::train {

torch::Dtype to_torch(ir::DType type) {
  switch (type) {
    case ir::DType::f32:
      return torch::kFloat;
    case ir::DType::f64:
      return torch::kDouble;
    case ir::DType::i64:
      return torch::kLong;
    case ir::DType::i32:
      return torch::kInt;
    case ir::DType::i8:
      return torch::kChar;
    case ir::DType::u8:
      return torch::kByte;
    case ir::DType::boolean:
      return torch::kBool;
  }
  XGEN_CHECK(false, "dtype ", static_cast<int>(type));
  return torch::kFloat;
}

ir::DType to_ir(torch::Dtype type) {
  for (const ir::DType candidate : {ir::DType::f32, ir::DType::f64, ir::DType::i64, ir::DType::i32,
                                    ir::DType::i8, ir::DType::u8, ir::DType::boolean}) {
    if (to_torch(candidate) == type) return candidate;
  }
  XGEN_CHECK(false, "no graph has tensors of ", c10::toString(type));
  return ir::DType::f32;
}

Tensor to_tensor(const ir::Constant& constant) {
  Tensor tensor = torch::empty(constant.shape, to_torch(constant.dtype));
  if (!constant.bytes.empty()) {
    std::memcpy(tensor.data_ptr(), constant.bytes.data(), constant.bytes.size());
  }
  return tensor;
}

ir::Constant to_constant(const Tensor& tensor, ir::Role role) {
  const Tensor flat = tensor.detach().cpu().contiguous();
  ir::Constant constant;
  constant.dtype = to_ir(flat.scalar_type());
  constant.shape = flat.sizes().vec();
  constant.role = role;
  constant.bytes.resize(static_cast<std::size_t>(flat.numel()) * ir::size_of(constant.dtype));
  if (!constant.bytes.empty()) {
    std::memcpy(constant.bytes.data(), flat.data_ptr(), constant.bytes.size());
  }
  return constant;
}

std::vector<std::int64_t> to_integers(const Tensor& tensor) {
  const Tensor flat = tensor.detach().to(torch::kCPU, torch::kLong).contiguous();
  const auto* first = static_cast<const std::int64_t*>(flat.data_ptr());
  return {first, first + flat.numel()};
}

std::string hash_of(const std::vector<std::pair<std::string, Tensor>>& tensors) {
  Sha256 sha;
  for (const auto& [name, tensor] : tensors) {
    const ir::Constant constant = to_constant(tensor);
    sha.update(str(name, "\n", ir::name_of(constant.dtype),
                   ir::to_string(ir::to_shape(constant.shape)), "\n"));
    sha.update(constant.bytes);
  }
  return sha.hex();
}

}  // namespace xgen::train
