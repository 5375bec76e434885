#include <algorithm>
#include <cmath>
#include <type_traits>

#include "core/reference/integer.h"
#include "core/reference/operands.h"
#include "core/reference/unary.h"

namespace xgen::reference {

void compute(const ir::Unary& op, const Operands& in, Tensor& out) {
  if (out.dtype == ir::DType::f32) {
    const auto x = in.as<float>(0);
    auto y = out.as_mutable<float>();
    std::transform(x.begin(), x.end(), y.begin(), [&](float v) { return apply(op, v); });
    return;
  }
  // Of the other types only what needs no fraction.
  with_type(out.dtype, [&](auto type) {
    using T = decltype(type);
    const auto x = in.as<T>(0);
    auto y = out.as_mutable<T>();
    const auto limit = [&](float bound, T fallback) {
      return std::isinf(bound) ? fallback : static_cast<T>(bound);
    };
    if constexpr (std::is_same_v<T, bool>) {
      throw UserError(str("node \"", in.node.name, "\": ", op_name(op), " of bool"));
    } else {
      for (std::size_t i = 0; i < x.size(); ++i) {
        const T v = x[i];
        switch (op.kind) {
          case ir::Unary::Kind::relu:
            y[i] = std::max(v, T{0});
            break;
          case ir::Unary::Kind::neg:
            y[i] = static_cast<T>(T{0} - v);
            break;
          case ir::Unary::Kind::abs:
            y[i] = v < T{0} ? static_cast<T>(T{0} - v) : v;
            break;
          case ir::Unary::Kind::clip:
            y[i] = std::min(std::max(v, limit(op.low, std::numeric_limits<T>::lowest())),
                            limit(op.high, std::numeric_limits<T>::max()));
            break;
          default:
            throw UserError(
                str("node \"", in.node.name, "\": ", op_name(op), " of ", name_of(out.dtype)));
        }
      }
    }
  });
}

namespace {

template <class T>
T apply(ir::Binary::Kind kind, T a, T b) {
  switch (kind) {
    case ir::Binary::Kind::add:
      return static_cast<T>(a + b);
    case ir::Binary::Kind::sub:
      return static_cast<T>(a - b);
    case ir::Binary::Kind::mul:
      return static_cast<T>(a * b);
    case ir::Binary::Kind::div:
      if constexpr (std::is_integral_v<T>) {
        if (b == 0) throw UserError("integer division by zero");
      }
      return static_cast<T>(a / b);
    case ir::Binary::Kind::pow:
      return static_cast<T>(std::pow(static_cast<double>(a), static_cast<double>(b)));
    case ir::Binary::Kind::max:
      return std::max(a, b);
    case ir::Binary::Kind::min:
      return std::min(a, b);
  }
  return a;
}

/// Where each element of `shape`, broadcast to `out`, is read from.
std::vector<std::size_t> broadcast_offsets(const ir::Extents& shape, const ir::Extents& out) {
  const auto strides = strides_of(shape);
  const std::size_t offset = out.size() - shape.size();
  std::vector<std::size_t> offsets;
  for_each_index(out, [&](const auto& index) {
    std::int64_t at = 0;
    for (std::size_t i = 0; i < shape.size(); ++i)
      at += shape[i] == 1 ? 0 : index[offset + i] * strides[i];
    offsets.push_back(static_cast<std::size_t>(at));
  });
  return offsets;
}

}  // namespace

void compute(const ir::Binary& op, const Operands& in, Tensor& out) {
  const auto left = broadcast_offsets(in.shape(0), out.shape);
  const auto right = broadcast_offsets(in.shape(1), out.shape);
  with_type(out.dtype, [&](auto type) {
    using T = decltype(type);
    if constexpr (!std::is_same_v<T, bool>) {
      const auto a = in.as<T>(0);
      const auto b = in.as<T>(1);
      auto y = out.as_mutable<T>();
      for (std::size_t i = 0; i < y.size(); ++i) y[i] = apply<T>(op.kind, a[left[i]], b[right[i]]);
    } else {
      throw UserError(str("node \"", in.node.name, "\": ", op_name(op), " of bool"));
    }
  });
}

void compute_integer(const ir::Binary& op, const Operands& in, Tensor& out) {
  XGEN_CHECK(op.kind == ir::Binary::Kind::add && in.result.quant, "node \"", in.node.name,
             "\": only additions have an integer form");
  const ir::QuantParams& q = *in.result.quant;
  const auto left = broadcast_offsets(in.shape(0), out.shape);
  const auto right = broadcast_offsets(in.shape(1), out.shape);
  const auto operand = [&](std::size_t i, std::size_t at) {
    return to_fixed_point(in.as<std::uint8_t>(i)[at], in.quant(i).zero_point.at(0),
                          fixed_point_scale(in.quant(i).scale.at(0), q.scale.at(0)));
  };
  auto y = out.as_mutable<std::uint8_t>();
  for (std::size_t i = 0; i < y.size(); ++i)
    y[i] = from_fixed_point(operand(0, left[i]) + operand(1, right[i]), q.zero_point.at(0), {});
}

void compute_integer(const ir::Unary& op, const Operands& in, Tensor& out) {
  const auto table = unary_table(op, in.quant(0), in.result.quant.value());
  const auto x = in.as<std::uint8_t>(0);
  auto y = out.as_mutable<std::uint8_t>();
  for (std::size_t i = 0; i < x.size(); ++i) y[i] = table.at(x[i]);
}

void compute(const ir::Cast&, const Operands& in, Tensor& out) {
  with_type(in[0].dtype, [&](auto from_type) {
    using From = decltype(from_type);
    const auto x = in.as<From>(0);
    with_type(out.dtype, [&](auto to_type) {
      using To = decltype(to_type);
      auto y = out.as_mutable<To>();
      for (std::size_t i = 0; i < x.size(); ++i) {
        if constexpr (std::is_same_v<To, bool>)
          y[i] = x[i] != From{};
        else
          y[i] = static_cast<To>(x[i]);
      }
    });
  });
}

void compute(const ir::Dropout&, const Operands& in, Tensor& out) { out.bytes = in[0].bytes; }

namespace {

/// Index of the scale of every element: 0, or the position along `axis`.
struct ScaleIndex {
  std::size_t inner = 1;
  std::size_t extent = 1;
  std::size_t of(std::size_t element) const { return element / inner % extent; }
};

ScaleIndex scale_index(const Operands& in, std::int64_t axis) {
  if (in[1].size() == 1) return {};
  const auto rank = static_cast<std::int64_t>(in.shape(0).size());
  const auto a = static_cast<std::size_t>(axis < 0 ? axis + rank : axis);
  return {static_cast<std::size_t>(strides_of(in.shape(0))[a]),
          static_cast<std::size_t>(in.extent(0, a))};
}

}  // namespace

void compute(const ir::QuantizeLinear& op, const Operands& in, Tensor& out) {
  const auto x = in.as<float>(0);
  const auto scale = in.as<float>(1);
  const ScaleIndex index = scale_index(in, op.axis);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::size_t s = index.of(i);
    if (out.dtype == ir::DType::i8) {
      const std::int32_t zero = in.has(2) ? in.as<std::int8_t>(2)[s] : 0;
      out.as_mutable<std::int8_t>()[i] = quantize_s8(x[i], scale[s], zero);
    } else {
      const std::int32_t zero = in.has(2) ? in.as<std::uint8_t>(2)[s] : 0;
      out.as_mutable<std::uint8_t>()[i] = quantize(x[i], scale[s], zero);
    }
  }
}

void compute(const ir::DequantizeLinear& op, const Operands& in, Tensor& out) {
  const auto scale = in.as<float>(1);
  auto y = out.as_mutable<float>();
  const ScaleIndex index = scale_index(in, op.axis);
  with_type(in[0].dtype, [&](auto type) {
    using T = decltype(type);
    const auto x = in.as<T>(0);
    for (std::size_t i = 0; i < x.size(); ++i) {
      const std::size_t s = index.of(i);
      const std::int64_t zero = in.has(2) ? static_cast<std::int64_t>(in.as<T>(2)[s]) : 0;
      y[i] = static_cast<float>(static_cast<std::int64_t>(x[i]) - zero) * scale[s];
    }
  });
}

}  // namespace xgen::reference
