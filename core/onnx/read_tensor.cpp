#include "core/onnx/read_tensor.h"

#include "core/onnx/tensor_proto.h"

namespace xgen {

NamedTensor read_onnx_tensor(const std::filesystem::path& path) {
  onnx::TensorProto proto;
  onnx_io::parse_file(path, "ONNX tensor", proto);
  return {proto.name(), onnx_io::to_constant(proto, path.parent_path(), path.string())};
}

}  // namespace xgen
