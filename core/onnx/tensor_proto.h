#pragma once

#include <onnx/onnx_pb.h>

#include <filesystem>
#include <string>

#include "core/ir/types.h"

/// Between protobuf's tensors and ours. Included only by files of core/onnx.
namespace xgen::onnx_io {

/// The dtype of an ONNX element type; @throws UserError starting with `where` for the others.
ir::DType to_dtype(int onnx_type, const std::string& where);
int to_onnx_type(ir::DType type);

/// Reads a tensor, also one whose data lie in another file inside `folder`.
/// @param where  how messages begin, such as `model.onnx: initializer "w"`.
/// @throws UserError for element types we lack, sizes that do not fit, and external data that are
///         missing, too short, or outside of `folder`.
ir::Constant to_constant(const onnx::TensorProto& tensor, const std::filesystem::path& folder,
                         const std::string& where);

onnx::TensorProto to_tensor_proto(const ir::Constant& constant, const std::string& name);

/// Parses a protobuf message from a file; @throws UserError when the file is missing, empty or
/// something else.
/// @param what  such as "ONNX model".
void parse_file(const std::filesystem::path& path, const std::string& what,
                google::protobuf::Message& message);

}  // namespace xgen::onnx_io
