#pragma once

#include <limits>
#include <optional>
#include <string>

#include "codegen/lower/conv_lists.h"

/// What happens to a convolution's accumulators, for every family that computes them.
namespace xgen::lower {

struct Clip {
  float low = -std::numeric_limits<float>::infinity();
  float high = std::numeric_limits<float>::infinity();
};

/// The clip of a fused activation on fp32 results; unbounded where it clips nothing.
Clip clip_of(const ir::Activation& a);
/// The same on a u8 result, relative to its zero point.
Clip integer_clip(const ir::Activation& a, const ScaleZero& y);

/// Integer results know clips only: other functions of u8 are nodes of their own, with a table.
void check_integer_activation(const ir::Node& node, const ir::Activation& a);

/// The function that is applied to the clipped result.
template <class Args>
void set_activation(const ir::Activation& a, Args& args) {
  args.activation = a.kind == ir::Activation::Kind::clip ? XGEN_LINEAR : activation_code(a.kind);
  args.alpha = a.alpha;
  args.beta = a.beta;
}

/// Stores the accumulators' start; in int8 it absorbs the zero point of the input as it is stored.
std::size_t store_bias(Context& context, const ir::Node& node, const ConvData& data, int filters);

/// Stores the scale from int32 accumulators to results of scale `result_scale`, or to reals.
std::size_t store_scales(Context& context, const ir::Node& node, const ConvData& data, int filters,
                         std::optional<float> result_scale);

/// One line for people: channels, kernel, stride, size, sparsity.
std::string describe(const ConvData& data, const ConvLists& lists, const ir::Value& y);

}  // namespace xgen::lower
