#include <algorithm>

#include "core/error.h"
#include "train/data/read_file.h"
#include "train/data/readers.h"

namespace xgen::train {
namespace {

struct IdxArray {
  std::filesystem::path path;
  std::vector<std::int64_t> extents;
  std::string data;
};

/// Header: two zero bytes, the type (8: unsigned byte), the rank, the extents as big-endian u32.
IdxArray read_idx_array(const std::filesystem::path& folder, const std::string& name,
                        std::size_t rank) {
  IdxArray array;
  array.path = folder / name;
  if (!std::filesystem::exists(array.path)) array.path += ".gz";
  if (!std::filesystem::exists(array.path)) {
    throw UserError(str(folder.string(), ": found neither ", name, " nor ", name, ".gz"));
  }
  const std::string bytes = read_maybe_compressed(array.path);
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  if (bytes.size() < 4 + 4 * rank || byte(0) != 0 || byte(1) != 0 || byte(2) != 8 ||
      byte(3) != rank) {
    throw UserError(str(array.path.string(), ": expected an idx file of bytes with ", rank,
                        " dimension", rank == 1 ? "" : "s", ", found another format"));
  }
  std::uint64_t count = 1;
  for (std::size_t d = 0; d < rank; ++d) {
    std::uint32_t extent = 0;
    for (std::size_t k = 0; k < 4; ++k) extent = extent << 8 | byte(4 + 4 * d + k);
    array.extents.push_back(extent);
    // Compared before the product can overflow.
    count = count > bytes.size() ? count : count * extent;
  }
  const std::size_t found = bytes.size() - 4 - 4 * rank;
  if (found != count) {
    throw UserError(str(array.path.string(), ": ", found < count ? "is truncated: " : "",
                        "expected ", count, " bytes after the header, found ", found));
  }
  array.data = bytes.substr(4 + 4 * rank);
  return array;
}

}  // namespace

ImageSet read_idx(const std::filesystem::path& folder, const std::string& prefix,
                  std::int64_t classes) {
  const IdxArray images = read_idx_array(folder, prefix + "-images-idx3-ubyte", 3);
  const IdxArray labels = read_idx_array(folder, prefix + "-labels-idx1-ubyte", 1);
  if (images.extents[0] != labels.extents[0]) {
    throw UserError(str(labels.path.string(), ": expected ", images.extents[0],
                        " labels, one for each image, found ", labels.extents[0]));
  }
  ImageSet set;
  set.channels = 1;
  set.height = images.extents[1];
  set.width = images.extents[2];
  set.pixels.assign(images.data.begin(), images.data.end());
  std::int32_t greatest = -1;
  for (std::size_t i = 0; i < labels.data.size(); ++i) {
    const std::int32_t label = static_cast<unsigned char>(labels.data[i]);
    if (classes > 0 && label >= classes) {
      throw UserError(str(labels.path.string(), ": label ", label, " of sample ", i,
                          " is out of range; the data have ", classes, " classes"));
    }
    greatest = std::max(greatest, label);
    set.labels.push_back(label);
  }
  const std::int64_t count = classes > 0 ? classes : greatest + 1;
  for (std::int64_t c = 0; c < count; ++c) set.class_names.push_back(str(c));
  set.decoder = "idx";
  return set;
}

}  // namespace xgen::train
