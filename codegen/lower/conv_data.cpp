#include "codegen/lower/conv_data.h"

#include "core/error.h"

namespace xgen::lower {

ConvData::ConvData(const Context& context, const ir::Node& node)
    : weight_(context.value(node.inputs[1])) {
  if (weight_.constant == nullptr)
    throw UserError(str("node \"", node.name, "\" (Conv): the weight must be constant"));
  const ir::Extents& e = weight_.constant->shape;
  form_.conv = *node.as<ir::Conv>();
  form_.shape = {static_cast<int>(e[0]), static_cast<int>(e[1]), static_cast<int>(e[2]),
                 static_cast<int>(e[3])};
  form_.integer = weight_.constant->dtype == ir::DType::i8;
  form_.real_out = context.value(node.output()).type.dtype == ir::DType::f32;
  if (context.options().use_sparsity && weight_.sparsity &&
      is_skipped(weight_.sparsity->scheme, form_.conv.groups)) {
    sparsity_ = &*weight_.sparsity;
    form_.mask_group = sparsity_->group_out;
  }
}

std::uint64_t ConvData::kept_taps(int f, int c) const {
  if (!inside(f, c)) return 0;
  const std::uint64_t all = all_taps();
  if (sparsity_ == nullptr) return all;
  const int lanes = shape().lanes(*sparsity_);
  const std::int32_t kept = sparsity_->kept[static_cast<std::size_t>(
      f / sparsity_->group_out * lanes + c / sparsity_->lane_channels)];
  return kept == Sparsity::kNone ? 0 : sparsity_->patterns[kept].bits & all;
}

LaneChannels channels_of_lanes(const ChannelMap& map, int lanes) {
  LaneChannels result(static_cast<std::size_t>(lanes), {-1, -1, -1, -1});
  for (std::size_t c = 0; c < map.size(); ++c) {
    result[static_cast<std::size_t>(map[c] / 4)][static_cast<std::size_t>(map[c] % 4)] =
        static_cast<int>(c);
  }
  return result;
}

}  // namespace xgen::lower
