#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "train/data/dataset.h"
#include "train/data/decode_image.h"

/// One reader for each format. All throw UserError, which names the file and the place in it, for
/// files that are missing, truncated, of another format, or hold labels out of range.
namespace xgen::train {

/// MNIST's format, plain or gzip: FOLDER/PREFIX-images-idx3-ubyte[.gz],
/// PREFIX-labels-idx1-ubyte[.gz].
/// @param classes  0: greatest label + 1.
ImageSet read_idx(const std::filesystem::path& folder, const std::string& prefix,
                  std::int64_t classes);

/// CIFAR-10's binary files: records of one label and 3 x 32 x 32 bytes.
ImageSet read_cifar10_binary(const std::vector<std::filesystem::path>& files);

struct CsvOptions {
  std::int64_t channels = 1, height = 0, width = 0;
  bool label_first = false;
  std::int64_t classes = 0;  ///< 0: greatest label + 1.
};
/// One image a line: pixels 0..255 in the order [channels, height, width] and a label, separated by
/// commas; plain or gzip. A first line that does not begin with a digit is a heading.
ImageSet read_csv(const std::filesystem::path& path, const CsvOptions& options);

struct ImageOptions {
  int channels = 3;  ///< 1 decodes to grey.
  bool skip_broken = false;
  std::vector<std::string>* skipped = nullptr;       ///< names of the images left out.
  std::function<DecodedImage(DecodedImage)> change;  ///< of each image, where given.
};
/// FOLDER/CLASS/*.{jpg,jpeg,png}; classes are numbered by sorted name.
ImageSet read_image_folder(const std::filesystem::path& folder, const ImageOptions& options);
/// The same in a tar file, compressed or not, below `folder` ("" for the top).
ImageSet read_image_tar(const std::filesystem::path& file, const std::string& folder,
                        const ImageOptions& options);

}  // namespace xgen::train
