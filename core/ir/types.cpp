#include "core/ir/types.h"

namespace xgen::ir {

std::size_t size_of(DType type) {
  switch (type) {
    case DType::f64:
    case DType::i64:
      return 8;
    case DType::f32:
    case DType::i32:
      return 4;
    case DType::i8:
    case DType::u8:
    case DType::boolean:
      return 1;
  }
  XGEN_CHECK(false, "dtype ", static_cast<int>(type));
  return 0;
}

const char* name_of(DType type) {
  switch (type) {
    case DType::f32:
      return "f32";
    case DType::f64:
      return "f64";
    case DType::i64:
      return "i64";
    case DType::i32:
      return "i32";
    case DType::i8:
      return "i8";
    case DType::u8:
      return "u8";
    case DType::boolean:
      return "bool";
  }
  return "?";
}

std::string to_string(const Dim& dim) { return dim.is_static() ? str(dim.size) : dim.symbol; }

std::string to_string(const Shape& shape) {
  std::string text;
  for (const Dim& dim : shape) text += str(text.empty() ? "" : ", ", to_string(dim));
  return "[" + text + "]";
}

bool is_static(const Shape& shape) {
  for (const Dim& dim : shape) {
    if (!dim.is_static()) return false;
  }
  return true;
}

Extents extents(const Shape& shape) {
  Extents result;
  for (const Dim& dim : shape) {
    XGEN_CHECK(dim.is_static(), "dimension ", dim.symbol, " of ", to_string(shape),
               " is not bound");
    result.push_back(dim.size);
  }
  return result;
}

Shape to_shape(const Extents& extents) { return {extents.begin(), extents.end()}; }

std::int64_t element_count(const Extents& extents) {
  std::int64_t count = 1;
  for (const std::int64_t n : extents) count *= n;
  return count;
}

std::vector<std::int64_t> Constant::as_integers() const {
  if (dtype == DType::i64) {
    const auto values = as<std::int64_t>();
    return {values.begin(), values.end()};
  }
  const auto values = as<std::int32_t>();
  return {values.begin(), values.end()};
}

}  // namespace xgen::ir
