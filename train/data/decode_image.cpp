#include "train/data/decode_image.h"

// jpeglib.h needs FILE from cstdio, which it does not include.
#include <cstdio>
// clang-format off
#include <jpeglib.h>
// clang-format on
#include <png.h>

#include <csetjmp>

#include "core/error.h"

namespace xgen::train {
namespace {

/// libjpeg reports errors by a call that must not return.
struct JpegErrors {
  jpeg_error_mgr manager;  // first, because libjpeg only knows this part
  std::jmp_buf jump;
  char message[JMSG_LENGTH_MAX];
};

/// Decodes rows of interleaved pixels; returns an empty message when all went well. Holds no object
/// with a destructor, which longjmp would skip.
void decode_jpeg_rows(std::string_view bytes, int channels, std::vector<std::uint8_t>& rows,
                      jpeg_decompress_struct& jpeg, JpegErrors& errors) {
  jpeg.err = jpeg_std_error(&errors.manager);
  errors.message[0] = '\0';
  errors.manager.error_exit = [](j_common_ptr info) {
    auto* self = reinterpret_cast<JpegErrors*>(info->err);
    info->err->format_message(info, self->message);
    std::longjmp(self->jump, 1);
  };
  // The first warning is kept: libjpeg only warns of files that end early, and fills up with grey.
  errors.manager.emit_message = [](j_common_ptr info, int level) {
    auto* self = reinterpret_cast<JpegErrors*>(info->err);
    if (level < 0 && self->message[0] == '\0') info->err->format_message(info, self->message);
  };
  if (setjmp(errors.jump) != 0) {
    jpeg_destroy_decompress(&jpeg);
    return;
  }
  jpeg_create_decompress(&jpeg);
  jpeg_mem_src(&jpeg, reinterpret_cast<const unsigned char*>(bytes.data()),
               static_cast<unsigned long>(bytes.size()));
  jpeg_read_header(&jpeg, TRUE);
  jpeg.out_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg.dct_method = JDCT_ISLOW;  // the only one that is the same in every build of the library
  jpeg_start_decompress(&jpeg);
  const std::size_t row = std::size_t{jpeg.output_width} * static_cast<std::size_t>(channels);
  rows.resize(row * jpeg.output_height);
  while (jpeg.output_scanline < jpeg.output_height) {
    JSAMPROW target = rows.data() + row * jpeg.output_scanline;
    jpeg_read_scanlines(&jpeg, &target, 1);
  }
  jpeg_finish_decompress(&jpeg);
  jpeg_destroy_decompress(&jpeg);
}

DecodedImage planar(const std::vector<std::uint8_t>& rows, std::int64_t channels,
                    std::int64_t height, std::int64_t width) {
  DecodedImage image{channels, height, width, std::vector<std::uint8_t>(rows.size())};
  const auto c = static_cast<std::size_t>(channels);
  const std::size_t positions = rows.size() / c;
  for (std::size_t i = 0; i < positions; ++i) {
    for (std::size_t k = 0; k < c; ++k) image.pixels[k * positions + i] = rows[i * c + k];
  }
  return image;
}

[[noreturn]] void refuse(const std::string& name, const std::string& why) {
  throw UserError(str(name, ": the image is broken: ", why));
}

DecodedImage decode_jpeg(std::string_view bytes, int channels, const std::string& name) {
  std::vector<std::uint8_t> rows;
  jpeg_decompress_struct jpeg{};
  JpegErrors errors{};
  decode_jpeg_rows(bytes, channels, rows, jpeg, errors);
  if (errors.message[0] != '\0') refuse(name, errors.message);
  return planar(rows, channels, jpeg.output_height, jpeg.output_width);
}

DecodedImage decode_png(std::string_view bytes, int channels, const std::string& name) {
  png_image png{};
  png.version = PNG_IMAGE_VERSION;
  if (png_image_begin_read_from_memory(&png, bytes.data(), bytes.size()) == 0) {
    refuse(name, png.message);
  }
  png.format = channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
  std::vector<std::uint8_t> rows(PNG_IMAGE_SIZE(png));
  const png_color black{0, 0, 0};
  if (png_image_finish_read(&png, &black, rows.data(), 0, nullptr) == 0 ||
      png.warning_or_error != 0) {
    const std::string why = png.message;
    png_image_free(&png);
    refuse(name, why);
  }
  return planar(rows, channels, png.height, png.width);
}

}  // namespace

DecodedImage decode_image(std::string_view bytes, int channels, const std::string& name) {
  XGEN_CHECK(channels == 1 || channels == 3, channels, " channels");
  if (bytes.starts_with("\xFF\xD8")) return decode_jpeg(bytes, channels, name);
  if (bytes.starts_with("\x89PNG")) return decode_png(bytes, channels, name);
  refuse(name, "it is neither JPEG nor PNG");
}

std::string decoder_name() {
#define XGEN_TEXT_OF(x) #x
#define XGEN_TEXT(x) XGEN_TEXT_OF(x)
#ifdef LIBJPEG_TURBO_VERSION
  const std::string jpeg = "libjpeg-turbo " XGEN_TEXT(LIBJPEG_TURBO_VERSION);
#else
  const std::string jpeg = "libjpeg " XGEN_TEXT(JPEG_LIB_VERSION);
#endif
#undef XGEN_TEXT
#undef XGEN_TEXT_OF
  return str(jpeg, ", libpng ", png_get_libpng_ver(nullptr));
}

}  // namespace xgen::train
