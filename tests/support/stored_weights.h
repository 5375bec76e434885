#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "codegen/program.h"
#include "core/error.h"
#include "core/ir/rewrite/joined_name.h"
#include "core/sparsity.h"

namespace xgen::test {

/// The step that computes a convolution, whatever was merged into it.
inline const Step& conv_step(const Program& program, const std::string& node) {
  for (const Step& step : program.steps) {
    if (step.op == "Conv" && ir::is_made_of(step.name, node)) return step;
  }
  XGEN_CHECK(false, "no step of ", node);
  return program.steps.front();
}

/// Which weights of a convolution a bundle holds that are not 0: row-major [c_out, c_in, kh, kw],
/// 1 where there is one. Reads what kernels read: lists as init expands them, and the weights in
/// their order.
///
/// @param weights  weights.bin of the bundle.
/// @param shape    of the weight; stride and dilation 1, channels in their natural places.
inline std::vector<std::uint8_t> stored_weights(const Program& program, const std::string& weights,
                                                const std::string& node, const WeightShape& shape) {
  const auto read = [&](auto value, std::size_t offset, std::size_t index) {
    XGEN_CHECK(offset + (index + 1) * sizeof value <= weights.size(), node, " leaves weights.bin");
    std::memcpy(&value, weights.data() + offset + index * sizeof value, sizeof value);
    return value;
  };
  const Step& step = conv_step(program, node);
  const auto* map = std::get_if<xgen_conv>(&step.args);
  const auto* single = std::get_if<xgen_filter_conv>(&step.args);
  XGEN_CHECK(map != nullptr || single != nullptr, node);
  const std::int32_t id = map != nullptr ? map->list : single->list;
  const std::size_t first = map != nullptr ? map->weights : single->weights;
  const xgen_list* list = nullptr;
  for (const xgen_list& l : program.lists) {
    if (l.list == id) list = &l;
  }
  XGEN_CHECK(list != nullptr, node, " has no list");
  const bool over_filters = step.kernel.rfind("filter_conv", 0) == 0;
  const int group = over_filters ? 16 : std::stoi(step.kernel.substr(step.kernel.rfind("_g") + 2));
  const bool integer = step.kernel.find("_i8") != std::string::npos;
  const int channels = integer ? 4 : 1;
  const int pitch = map != nullptr ? static_cast<int>(map->x_row / 4) : 1;

  std::vector<std::uint8_t> result(
      static_cast<std::size_t>(shape.c_out * shape.c_in * shape.taps()), 0);
  const auto taps = static_cast<std::size_t>(list->pattern_taps);
  std::size_t stored = 0, entry = 0;
  for (int g = 0; g * group < shape.c_out; ++g) {
    const bool dense = list->counts == XGEN_NONE;
    if (list->groups == 1) entry = 0;  // shared by all groups
    const int count = dense ? list->lanes
                            : read(std::uint16_t{}, list->counts,
                                   list->groups == 1 ? 0 : static_cast<std::size_t>(g));
    for (int i = 0; i < count; ++i, ++entry) {
      const int lane = dense ? i : read(std::uint16_t{}, list->entries, entry);
      const std::size_t pattern = list->patterns == XGEN_NONE
                                      ? std::size_t{0}
                                      : read(std::uint8_t{}, list->patterns, entry);
      for (std::size_t t = 0; t < taps; ++t) {
        const int lanes_on = read(std::int32_t{}, list->taps, pattern * taps + t) / 4;
        const int tap = lanes_on / pitch * shape.kw + lanes_on % pitch;
        for (int f = g * group; f < (g + 1) * group; ++f) {
          for (int c = lane * channels; c < (lane + 1) * channels; ++c, ++stored) {
            const bool is_zero =
                integer ? read(std::int8_t{}, first, stored) == 0 : read(0.0F, first, stored) == 0;
            if (is_zero) continue;
            XGEN_CHECK(f < shape.c_out && c < shape.c_in && tap < shape.taps(), node,
                       " stores a weight outside of its shape");
            result[static_cast<std::size_t>((f * shape.c_in + c) * shape.taps() + tap)] = 1;
          }
        }
      }
    }
  }
  return result;
}

}  // namespace xgen::test
