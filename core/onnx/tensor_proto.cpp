#include "core/onnx/tensor_proto.h"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <map>

namespace xgen::onnx_io {

namespace {

using onnx::TensorProto;

ir::Extents read_shape(const TensorProto& tensor, const std::string& where) {
  ir::Extents shape;
  std::int64_t count = 1;
  for (const std::int64_t n : tensor.dims()) {
    constexpr std::int64_t kMost = std::int64_t{1} << 40;
    if (n < 0 || (n > 0 && count > kMost / n)) throw UserError(str(where, ": extent ", n));
    count *= n;
    shape.push_back(n);
  }
  return shape;
}

template <class T, class Field>
void copy_field(const Field& field, ir::Constant& constant, const std::string& where) {
  if (field.size() != constant.size()) {
    throw UserError(str(where, ": expected ", constant.size(), " elements for ",
                        to_string(ir::to_shape(constant.shape)), ", got ", field.size()));
  }
  auto* out = reinterpret_cast<T*>(constant.bytes.data());
  for (const auto v : field) *out++ = static_cast<T>(v);
}

/// Memory is taken only after the check: a broken file may claim any shape.
void take_bytes(const std::string& data, std::size_t expected, ir::Constant& constant,
                const std::string& where) {
  if (data.size() != expected) {
    throw UserError(str(where, ": expected ", expected, " bytes for ",
                        to_string(ir::to_shape(constant.shape)), " of ", name_of(constant.dtype),
                        ", got ", data.size()));
  }
  constant.bytes.resize(expected);
  if (expected != 0) std::memcpy(constant.bytes.data(), data.data(), expected);
}

std::int64_t read_number(const std::string& text, const std::string& key,
                         const std::string& where) {
  std::size_t used = 0;
  std::int64_t value = -1;
  try {
    value = std::stoll(text, &used);
  } catch (const std::exception&) {
    used = 0;
  }
  if (used != text.size() || text.empty() || value < 0)
    throw UserError(str(where, ": external data: ", key, " \"", text, "\" is no size"));
  return value;
}

/// The file that `location` names, which must lie inside `folder`: a model must not be able to read
/// what its user did not hand over with it.
std::filesystem::path external_file(const std::string& location,
                                    const std::filesystem::path& folder, const std::string& where) {
  namespace fs = std::filesystem;
  const fs::path relative(location);
  if (location.empty()) throw UserError(str(where, ": external data without a location"));
  const auto outside = [&] {
    throw UserError(str(where, ": external data \"", location,
                        "\" lie outside of the model's folder; move them beside the model"));
  };
  if (relative.is_absolute()) outside();
  const fs::path normal = relative.lexically_normal();
  if (!normal.empty() && *normal.begin() == "..") outside();
  // A link may lead out as well.
  std::error_code error;
  const fs::path base = fs::weakly_canonical(folder.empty() ? fs::path(".") : folder, error);
  const fs::path target = fs::weakly_canonical(base / normal, error);
  const fs::path inside = target.lexically_relative(base);
  if (error || inside.empty() || *inside.begin() == "..") outside();
  return base / normal;
}

std::string read_external(const TensorProto& tensor, std::size_t size_bytes,
                          const std::filesystem::path& folder, const std::string& where) {
  std::map<std::string, std::string> entries;
  for (const auto& entry : tensor.external_data()) entries[entry.key()] = entry.value();
  const std::filesystem::path path = external_file(entries["location"], folder, where);
  const std::int64_t offset =
      entries.count("offset") != 0 ? read_number(entries["offset"], "offset", where) : 0;
  if (entries.count("length") != 0 &&
      read_number(entries["length"], "length", where) != static_cast<std::int64_t>(size_bytes)) {
    throw UserError(
        str(where, ": external data: expected ", size_bytes, " bytes, got ", entries["length"]));
  }
  std::ifstream file(path, std::ios::binary);
  if (!file)
    throw UserError(str(where, ": external data \"", entries["location"], "\" cannot be read"));
  std::error_code error;
  const auto available = static_cast<std::int64_t>(std::filesystem::file_size(path, error));
  std::string data;
  if (!error && available - offset >= static_cast<std::int64_t>(size_bytes)) {
    data.resize(size_bytes);
    file.seekg(offset);
    file.read(data.data(), static_cast<std::streamsize>(size_bytes));
  }
  if (data.size() != size_bytes || !file) {
    throw UserError(str(where, ": external data \"", entries["location"], "\" end before byte ",
                        offset + static_cast<std::int64_t>(size_bytes)));
  }
  return data;
}

}  // namespace

ir::DType to_dtype(int onnx_type, const std::string& where) {
  switch (onnx_type) {
    case TensorProto::FLOAT:
      return ir::DType::f32;
    case TensorProto::DOUBLE:
      return ir::DType::f64;
    case TensorProto::INT64:
      return ir::DType::i64;
    case TensorProto::INT32:
      return ir::DType::i32;
    case TensorProto::INT8:
      return ir::DType::i8;
    case TensorProto::UINT8:
      return ir::DType::u8;
    case TensorProto::BOOL:
      return ir::DType::boolean;
    default:
      break;
  }
  const std::string name = TensorProto::DataType_IsValid(onnx_type)
                               ? TensorProto::DataType_Name(onnx_type)
                               : str("number ", onnx_type);
  throw UserError(str(where, ": element type ", name,
                      " is not supported; supported are FLOAT, DOUBLE, INT64, INT32, INT8, UINT8 "
                      "and BOOL"));
}

int to_onnx_type(ir::DType type) {
  switch (type) {
    case ir::DType::f32:
      return TensorProto::FLOAT;
    case ir::DType::f64:
      return TensorProto::DOUBLE;
    case ir::DType::i64:
      return TensorProto::INT64;
    case ir::DType::i32:
      return TensorProto::INT32;
    case ir::DType::i8:
      return TensorProto::INT8;
    case ir::DType::u8:
      return TensorProto::UINT8;
    case ir::DType::boolean:
      return TensorProto::BOOL;
  }
  return TensorProto::UNDEFINED;
}

ir::Constant to_constant(const TensorProto& tensor, const std::filesystem::path& folder,
                         const std::string& where) {
  ir::Constant constant;
  constant.dtype = to_dtype(tensor.data_type(), where);
  constant.shape = read_shape(tensor, where);
  const std::size_t size_bytes =
      static_cast<std::size_t>(constant.size()) * ir::size_of(constant.dtype);
  if (tensor.data_location() == TensorProto::EXTERNAL) {
    take_bytes(read_external(tensor, size_bytes, folder, where), size_bytes, constant, where);
    return constant;
  }
  if (tensor.has_raw_data()) {
    take_bytes(tensor.raw_data(), size_bytes, constant, where);
    return constant;
  }
  const std::size_t stored =
      static_cast<std::size_t>(std::max({tensor.float_data_size(), tensor.double_data_size(),
                                         tensor.int64_data_size(), tensor.int32_data_size()}));
  if (stored != static_cast<std::size_t>(constant.size())) {
    throw UserError(str(where, ": expected ", constant.size(), " elements for ",
                        to_string(ir::to_shape(constant.shape)), ", got ", stored));
  }
  constant.bytes.resize(size_bytes);
  switch (constant.dtype) {
    case ir::DType::f32:
      copy_field<float>(tensor.float_data(), constant, where);
      break;
    case ir::DType::f64:
      copy_field<double>(tensor.double_data(), constant, where);
      break;
    case ir::DType::i64:
      copy_field<std::int64_t>(tensor.int64_data(), constant, where);
      break;
    case ir::DType::i32:
      copy_field<std::int32_t>(tensor.int32_data(), constant, where);
      break;
    case ir::DType::i8:
      copy_field<std::int8_t>(tensor.int32_data(), constant, where);
      break;
    case ir::DType::u8:
    case ir::DType::boolean:
      copy_field<std::uint8_t>(tensor.int32_data(), constant, where);
      break;
  }
  return constant;
}

TensorProto to_tensor_proto(const ir::Constant& constant, const std::string& name) {
  TensorProto tensor;
  tensor.set_name(name);
  tensor.set_data_type(to_onnx_type(constant.dtype));
  for (const std::int64_t n : constant.shape) tensor.add_dims(n);
  tensor.set_raw_data(constant.bytes.data(), constant.bytes.size());
  return tensor;
}

void parse_file(const std::filesystem::path& path, const std::string& what,
                google::protobuf::Message& message) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) throw UserError(str(path.string(), ": no such file"));
  if (!std::filesystem::is_regular_file(path, error))
    throw UserError(str(path.string(), ": not a file"));
  const auto size = std::filesystem::file_size(path, error);
  if (size == 0) throw UserError(str(path.string(), ": the file is empty"));
  std::ifstream file(path, std::ios::binary);
  if (!file) throw UserError(str(path.string(), ": cannot be read (permissions?)"));
  // protobuf would print its own message to stderr.
  const google::protobuf::LogSilencer silence;
  if (!message.ParseFromIstream(&file)) {
    throw UserError(
        str(path.string(), ": not an ", what, ", or the file is truncated (", size, " bytes)"));
  }
}

}  // namespace xgen::onnx_io
