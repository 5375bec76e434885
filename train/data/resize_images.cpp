#include "train/data/resize_images.h"

#include <torch/torch.h>

#include <algorithm>

#include "core/error.h"

namespace xgen::train {

std::vector<std::uint8_t> resized(std::span<const std::uint8_t> pixels, std::int64_t planes,
                                  ImageSize from, ImageSize to) {
  constexpr std::int64_t kPlanes = 4096;  // at a time, as floats
  const std::int64_t old_size = from.height * from.width, size = to.height * to.width;
  XGEN_CHECK(std::ssize(pixels) == planes * old_size, pixels.size(), " bytes for ", planes,
             " planes of ", old_size);
  const torch::NoGradGuard no_grad;
  std::vector<std::uint8_t> result(static_cast<std::size_t>(planes * size));
  for (std::int64_t first = 0; first < planes; first += kPlanes) {
    const std::int64_t count = std::min(kPlanes, planes - first);
    // Torch wants a pointer to what it might change, and does not.
    auto* source = const_cast<std::uint8_t*>(pixels.data() + first * old_size);
    const torch::Tensor in =
        torch::from_blob(source, {1, count, from.height, from.width}, torch::kByte)
            .to(torch::kFloat);
    const torch::Tensor out =
        at::_upsample_bilinear2d_aa(in, {to.height, to.width}, /*align_corners=*/false)
            .round()
            .clamp(0, 255)
            .to(torch::kByte)
            .contiguous();
    std::copy_n(out.data_ptr<std::uint8_t>(), count * size, result.begin() + first * size);
  }
  return result;
}

}  // namespace xgen::train
