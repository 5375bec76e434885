#include "core/error.h"
#include "train/data/read_file.h"
#include "train/data/readers.h"

namespace xgen::train {

ImageSet read_cifar10_binary(const std::vector<std::filesystem::path>& files) {
  ImageSet set;
  set.channels = 3;
  set.height = set.width = 32;
  set.class_names = {"airplane", "automobile", "bird",  "cat",  "deer",
                     "dog",      "frog",       "horse", "ship", "truck"};
  set.decoder = "cifar10_binary";
  const auto record = static_cast<std::size_t>(1 + set.image_size());
  for (const std::filesystem::path& path : files) {
    const std::string bytes = read_maybe_compressed(path);
    if (bytes.empty() || bytes.size() % record != 0) {
      throw UserError(str(path.string(), ": expected records of ", record, " bytes, found ",
                          bytes.size(), " bytes; it is truncated or of another format"));
    }
    for (std::size_t at = 0; at < bytes.size(); at += record) {
      const auto label = static_cast<unsigned char>(bytes[at]);
      if (label >= set.class_names.size()) {
        throw UserError(str(path.string(), ": label ", int{label}, " of sample ", at / record,
                            " is out of range; CIFAR-10 has 10 classes"));
      }
      set.labels.push_back(label);
      const auto first = bytes.begin() + static_cast<std::ptrdiff_t>(at);
      set.pixels.insert(set.pixels.end(), first + 1, first + static_cast<std::ptrdiff_t>(record));
    }
  }
  return set;
}

}  // namespace xgen::train
