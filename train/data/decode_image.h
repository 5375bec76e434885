#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace xgen::train {

struct DecodedImage {
  std::int64_t channels = 0, height = 0, width = 0;
  std::vector<std::uint8_t> pixels;  ///< [channels, height, width].
};

/// Decodes JPEG or PNG, told apart by their first bytes. Transparency is dropped against black.
/// @param channels  1 (grey) or 3 (RGB).
/// @param name      for messages.
/// @throws UserError for a broken image; one that ends early or holds damaged blocks is broken.
DecodedImage decode_image(std::string_view bytes, int channels, const std::string& name);

/// The decoders and their versions, as pixels depend on them.
std::string decoder_name();

}  // namespace xgen::train
