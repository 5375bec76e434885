#include "train/data/load.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/sha256.h"
#include "train/data/readers.h"
#include "train/data/resize_images.h"

namespace xgen::train {
namespace {

/// A decoded image of its own size, or all images of a set.
template <class Images>
Images at_size(Images images, const ResizeConfig& resize) {
  const ImageSize from{images.height, images.width}, to{resize.height, resize.width};
  if (from == to) return images;
  const auto planes = static_cast<std::int64_t>(images.pixels.size()) / (from.height * from.width);
  images.pixels = resized(images.pixels, planes, from, to);
  images.height = to.height;
  images.width = to.width;
  return images;
}

/// One of the two sets. `name` is the config's, `usual` stands for an empty one.
ImageSet read_set(const DataConfig& config, const std::filesystem::path& path, bool training,
                  std::vector<std::string>& notes) {
  const std::string& name = training ? config.train : config.test;
  if (config.format == "idx") {
    return read_idx(path, !name.empty() ? name : (training ? "train" : "t10k"), config.classes);
  }
  if (config.format == "cifar10_binary") {
    if (!name.empty()) return read_cifar10_binary({path / name});
    if (!training) return read_cifar10_binary({path / "test_batch.bin"});
    std::vector<std::filesystem::path> files;
    for (int i = 1; i <= 5; ++i) files.push_back(path / str("data_batch_", i, ".bin"));
    return read_cifar10_binary(files);
  }
  if (config.format == "csv") {
    CsvOptions options{config.channels, config.height, config.width, config.label_column == "first",
                       config.classes};
    return read_csv(name.empty() ? path : path / name, options);
  }
  ImageOptions options;
  options.channels = config.channels == 1 ? 1 : 3;
  options.skip_broken = config.on_broken_image == "skip";
  options.skipped = &notes;
  if (config.resize)
    options.change = [&](DecodedImage image) { return at_size(std::move(image), *config.resize); };
  const std::string folder = !name.empty() ? name : (training ? "train" : "test");
  if (config.format == "image_tar") return read_image_tar(path, folder, options);
  XGEN_CHECK(config.format == "image_folder", config.format);
  return read_image_folder(path / folder, options);
}

ImageSet read_resized(const DataConfig& config, const std::filesystem::path& path, bool training,
                      std::vector<std::string>& notes) {
  ImageSet set = read_set(config, path, training, notes);
  return config.resize ? at_size(std::move(set), *config.resize) : set;
}

/// The test set with the classes of the training set, which may be more.
void use_classes_of(const ImageSet& training, ImageSet& test, const std::string& place) {
  for (const std::string& name : test.class_names) {
    const auto& names = training.class_names;
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      throw UserError(str(place, ": the test set has a class \"", name,
                          "\" that the training set does not have"));
    }
  }
  for (std::int32_t& label : test.labels) {
    const auto& name = test.class_names[static_cast<std::size_t>(label)];
    const auto at = std::find(training.class_names.begin(), training.class_names.end(), name);
    label = static_cast<std::int32_t>(at - training.class_names.begin());
  }
  test.class_names = training.class_names;
  if (training.channels != test.channels || training.height != test.height ||
      training.width != test.width) {
    throw UserError(str(place, ": images of the test set are ", test.channels, " x ", test.height,
                        " x ", test.width, ", those of the training set ", training.channels, " x ",
                        training.height, " x ", training.width));
  }
}

void check_normalize(const DataConfig& config, const Dataset& data) {
  const auto check = [&](const char* key, const std::vector<double>& numbers) {
    if (numbers.size() == 1 || std::ssize(numbers) == data.channels()) return;
    throw UserError(
        str("/data/normalize/", key, ": expected ",
            data.channels() == 1 ? "1 number" : str("1 or ", data.channels(), " numbers"),
            ", as the images have ", data.channels(), " channel", data.channels() == 1 ? "" : "s",
            ", got ", numbers.size()));
  };
  check("mean", config.normalize.mean);
  check("std", config.normalize.std);
}

}  // namespace

std::string DataSplits::hash() const {
  return sha256_hex(str(train.hash(), validation.hash(), test.hash()));
}

DataSplits load_data(const DataConfig& config, const std::filesystem::path& base,
                     std::uint64_t seed) {
  const std::filesystem::path path = base / config.path;
  if (!std::filesystem::exists(path)) {
    throw UserError(str(path.string(), ": the data were not found"));
  }
  DataSplits splits;
  if (config.split) {
    const Dataset all(read_resized(config, path, true, splits.notes));
    const SplitConfig& split = *config.split;
    if (split.train + split.test > all.size()) {
      throw UserError(str("/data/split: expected at most ", all.size(), " samples in ",
                          path.string(), ", got ", split.train, " + ", split.test));
    }
    const Random random(split.seed);
    const auto test = stratified_positions(all, split.test, random.stream("split", "test"));
    const Dataset rest = all.subset(other_positions(all.size(), test));
    splits.test = all.subset(test);
    splits.train =
        rest.subset(stratified_positions(rest, split.train, random.stream("split", "train")));
  } else {
    if (config.format == "csv" && (config.train.empty() || config.test.empty())) {
      throw UserError(
          "/data: the format csv needs either \"split\", or the files \"train\" and \"test\"");
    }
    ImageSet training = read_resized(config, path, true, splits.notes);
    ImageSet test = read_resized(config, path, false, splits.notes);
    use_classes_of(training, test, path.string());
    splits.train = Dataset(std::move(training));
    splits.test = Dataset(std::move(test));
  }
  check_normalize(config, splits.train);
  const auto kept_back = static_cast<std::int64_t>(
      std::llround(static_cast<double>(splits.train.size()) * config.validation_share));
  if (kept_back > 0) {
    const auto positions =
        stratified_positions(splits.train, kept_back, Random(seed).stream("validation split"));
    splits.validation = splits.train.subset(positions);
    splits.train = splits.train.subset(other_positions(splits.train.size(), positions));
  }
  return splits;
}

}  // namespace xgen::train
