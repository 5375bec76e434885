#include "codegen/latency/timed_model.h"

#include <cstdint>
#include <cstring>
#include <utility>

namespace xgen {

TimedModel::TimedModel(HostModel model) : model_(std::move(model)) {
  const auto bytes = [](const TensorInfo& t) {
    return static_cast<std::size_t>(ir::element_count(t.shape)) * ir::size_of(t.dtype);
  };
  for (const TensorInfo& t : model_.inputs()) {
    inputs_.emplace_back(bytes(t));
    if (t.dtype != ir::DType::f32) continue;
    std::uint32_t state = 1;
    for (std::size_t at = 0; at < inputs_.back().size(); at += 4) {
      state = state * 1664525U + 1013904223U;
      const float value = static_cast<float>(state >> 8U) / static_cast<float>(1U << 23U) - 1.0F;
      std::memcpy(inputs_.back().data() + at, &value, 4);
    }
  }
  for (const TensorInfo& t : model_.outputs()) outputs_.emplace_back(bytes(t));
  for (const auto& b : inputs_) in_.push_back(b.data());
  for (auto& b : outputs_) out_.push_back(b.data());
  run();
}

}  // namespace xgen
