#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/error.h"

namespace xgen::ir {

enum class DType : std::uint8_t { f32, f64, i64, i32, i8, u8, boolean };

std::size_t size_of(DType type);
const char* name_of(DType type);

template <class T>
constexpr DType dtype_of();
template <>
constexpr DType dtype_of<float>() {
  return DType::f32;
}
template <>
constexpr DType dtype_of<double>() {
  return DType::f64;
}
template <>
constexpr DType dtype_of<std::int64_t>() {
  return DType::i64;
}
template <>
constexpr DType dtype_of<std::int32_t>() {
  return DType::i32;
}
template <>
constexpr DType dtype_of<std::int8_t>() {
  return DType::i8;
}
template <>
constexpr DType dtype_of<std::uint8_t>() {
  return DType::u8;
}
template <>
constexpr DType dtype_of<bool>() {
  return DType::boolean;
}

/// One extent of a tensor: a number, or a symbol such as the batch "N".
struct Dim {
  std::int64_t size = 0;  ///< meaningful when `symbol` is empty.
  std::string symbol;

  Dim() = default;
  Dim(std::int64_t n) : size(n) {}  // NOLINT(google-explicit-constructor): Shape{1, 3, 8, 8}
  Dim(std::string s) : symbol(std::move(s)) {}  // NOLINT(google-explicit-constructor)
  Dim(const char* s) : symbol(s) {}             // NOLINT(google-explicit-constructor)
  bool is_static() const { return symbol.empty(); }
  friend bool operator==(const Dim&, const Dim&) = default;
};
using Shape = std::vector<Dim>;
using Extents = std::vector<std::int64_t>;  ///< a shape without symbols.

std::string to_string(const Dim& dim);
std::string to_string(const Shape& shape);  ///< "[N, 3, 32, 32]"
bool is_static(const Shape& shape);
Extents extents(const Shape& shape);  ///< @throws InternalError for a symbolic shape.
Shape to_shape(const Extents& extents);
std::int64_t element_count(const Extents& extents);

/// Real value = scale * (stored - zero_point). One entry for a tensor, or one per index of `axis`.
struct QuantParams {
  std::vector<float> scale;
  std::vector<std::int32_t> zero_point;
  int axis = -1;  ///< -1: per tensor.
  friend bool operator==(const QuantParams&, const QuantParams&) = default;
};

/// What is known of a value before it is computed.
struct TensorType {
  DType dtype = DType::f32;
  std::optional<Shape> shape;        ///< empty: not inferred yet.
  std::optional<QuantParams> quant;  ///< set on integer values by quantization lowering.
  friend bool operator==(const TensorType&, const TensorType&) = default;
};

/// What training does with a constant (DESIGN section 2).
enum class Role : std::uint8_t {
  parameter,  ///< trained: weights, biases, scales, tables.
  buffer,     ///< running statistics.
  fixed       ///< shapes, pads, anchors, quantization parameters.
};

/// An immutable tensor, row major. Shared between copies of a graph.
struct Constant {
  DType dtype = DType::f32;
  Extents shape;
  std::vector<std::byte> bytes;
  Role role = Role::fixed;

  template <class T>
  static Constant of(Extents shape, const std::vector<T>& values, Role role = Role::fixed) {
    static_assert(!std::is_same_v<T, bool>, "use std::uint8_t storage and set dtype");
    XGEN_CHECK(static_cast<std::size_t>(element_count(shape)) == values.size(), values.size(),
               " values for ", to_string(to_shape(shape)));
    Constant c{dtype_of<T>(), std::move(shape), std::vector<std::byte>(values.size() * sizeof(T)),
               role};
    if (!values.empty()) std::memcpy(c.bytes.data(), values.data(), c.bytes.size());
    return c;
  }
  template <class T>
  static Constant scalar(T value, Role role = Role::fixed) {
    return of<T>({}, std::vector<T>{value}, role);
  }

  std::int64_t size() const { return element_count(shape); }
  /// The elements; @throws InternalError when T is not the type stored.
  template <class T>
  std::span<const T> as() const {
    XGEN_CHECK(dtype_of<T>() == dtype, "a constant of ", name_of(dtype), " read as ",
               name_of(dtype_of<T>()));
    return {reinterpret_cast<const T*>(bytes.data()), static_cast<std::size_t>(size())};
  }
  template <class T>
  std::span<T> as_mutable() {
    XGEN_CHECK(dtype_of<T>() == dtype, "a constant of ", name_of(dtype), " written as ",
               name_of(dtype_of<T>()));
    return {reinterpret_cast<T*>(bytes.data()), static_cast<std::size_t>(size())};
  }
  /// The elements of an i64 or i32 constant, widened.
  std::vector<std::int64_t> as_integers() const;
};
using ConstantPtr = std::shared_ptr<const Constant>;

}  // namespace xgen::ir
