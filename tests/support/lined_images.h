#pragma once

#include <cstdint>
#include <utility>

#include "core/random.h"
#include "train/data/dataset.h"

namespace xgen::test {

/// `n` noisy images of 8x8 in three classes: lines across, lines down, or neither.
/// @param light  of the lines, of 240; the rest is noise.
inline train::Dataset lined_images(std::int64_t n, std::uint64_t seed, int light) {
  train::ImageSet set;
  set.channels = 1;
  set.height = set.width = 8;
  set.class_names = {"across", "down", "neither"};
  RandomStream random = Random(seed).stream("lines");
  for (std::int64_t i = 0; i < n; ++i) {
    const auto label = static_cast<std::int32_t>(i % 3);
    for (int row = 0; row < 8; ++row) {
      for (int column = 0; column < 8; ++column) {
        const bool lit = label == 0 ? row % 2 == 0 : label == 1 && column % 2 == 0;
        set.pixels.push_back(
            static_cast<std::uint8_t>(random.integer(0, 240 - light) + (lit ? light : 0)));
      }
    }
    set.labels.push_back(label);
  }
  return train::Dataset(std::move(set));
}

}  // namespace xgen::test
