#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "core/ir/graph.h"

namespace xgen::test {

/// Seeded random tensors for tests.
class RandomTensors {
 public:
  explicit RandomTensors(unsigned seed) : random_(seed) {}

  ir::Constant f32(ir::Extents shape, float low = -1, float high = 1) {
    std::uniform_real_distribution<float> uniform(low, high);
    std::vector<float> values(static_cast<std::size_t>(ir::element_count(shape)));
    for (float& v : values) v = uniform(random_);
    return ir::Constant::of<float>(std::move(shape), values);
  }
  template <class T>
  ir::Constant integers(ir::Extents shape, int low, int high) {
    std::uniform_int_distribution<int> uniform(low, high);
    std::vector<T> values(static_cast<std::size_t>(ir::element_count(shape)));
    for (T& v : values) v = static_cast<T>(uniform(random_));
    return ir::Constant::of<T>(std::move(shape), values);
  }
  int below(int n) { return std::uniform_int_distribution<int>(0, n - 1)(random_); }

 private:
  std::mt19937 random_;
};

}  // namespace xgen::test
