#include "codegen/latency/timed_model.h"

#include <cstdint>
#include <cstring>
#include <utility>

namespace xgen {

namespace {

constexpr std::size_t kPage = 4096;

// Where buffer number `i` starts in its memory: at the same place of a page in every process, and
// at another one than the other buffers, whose accesses would wait for each other.
std::byte* placed(std::vector<std::byte>& memory, std::size_t i) {
  const auto address = reinterpret_cast<std::uintptr_t>(memory.data());
  const std::size_t to_page = (kPage - address % kPage) % kPage;
  return memory.data() + to_page + (i + 1) * 1088 % kPage;
}

}  // namespace

TimedModel::TimedModel(HostModel model) : model_(std::move(model)) {
  const auto bytes = [](const TensorInfo& t) {
    return static_cast<std::size_t>(ir::element_count(t.shape)) * ir::size_of(t.dtype);
  };
  const auto buffer = [&](const TensorInfo& t) {
    buffers_.emplace_back(bytes(t) + 2 * kPage);
    return placed(buffers_.back(), buffers_.size());
  };
  for (const TensorInfo& t : model_.inputs()) {
    std::byte* data = buffer(t);
    in_.push_back(data);
    if (t.dtype != ir::DType::f32) continue;
    std::uint32_t state = 1;
    for (std::size_t at = 0; at < bytes(t); at += 4) {
      state = state * 1664525U + 1013904223U;
      const float value = static_cast<float>(state >> 8U) / static_cast<float>(1U << 23U) - 1.0F;
      std::memcpy(data + at, &value, 4);
    }
  }
  for (const TensorInfo& t : model_.outputs()) out_.push_back(buffer(t));
  run();
}

}  // namespace xgen
