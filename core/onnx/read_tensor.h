#pragma once

#include <filesystem>
#include <string>

#include "core/ir/types.h"

namespace xgen {

/// A TensorProto file, as the folders of ONNX' backend tests hold them (input_0.pb).
struct NamedTensor {
  std::string name;
  ir::Constant tensor;
};

/// @throws UserError when the file is missing, empty or no TensorProto, or holds an element type
///         that we lack.
NamedTensor read_onnx_tensor(const std::filesystem::path& path);

}  // namespace xgen
