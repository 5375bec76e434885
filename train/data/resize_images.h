#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace xgen::train {

struct ImageSize {
  std::int64_t height = 0, width = 0;
  friend bool operator==(const ImageSize&, const ImageSize&) = default;
};

/// Images at another size: bilinear, and antialiased where it is smaller, as torchvision's Resize
/// of tensors does it.
/// @param pixels  [planes, from.height, from.width]; planes are channels of one or many images.
/// @return [planes, to.height, to.width].
std::vector<std::uint8_t> resized(std::span<const std::uint8_t> pixels, std::int64_t planes,
                                  ImageSize from, ImageSize to);

}  // namespace xgen::train
