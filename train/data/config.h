#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/config.h"

namespace xgen::train {

/// y = (pixel / divide - mean) / std, per channel; one number stands for all channels.
struct NormalizeConfig {
  double divide = 255;
  std::vector<double> mean = {0};
  std::vector<double> std = {1};

  template <class Visitor>
  void describe(Visitor& v) {
    v.number("divide", divide, {1e-3, 1e6}, "Pixels are divided by this first.");
    v.numbers("mean", mean, {-1e6, 1e6}, "Subtracted next, per channel or once for all.");
    v.numbers("std", std, {1e-6, 1e6}, "Divided by last, per channel or once for all.");
  }
};

/// What is changed in a training image, differently in each epoch.
struct AugmentConfig {
  int random_crop_padding = 0;
  bool flip = false;
  int cutout = 0;
  double mixup = 0;

  template <class Visitor>
  void describe(Visitor& v) {
    v.number("random_crop_padding", random_crop_padding, {0, 1024},
             "Pixels of zeros around the image, of which a window of the old size is cut.");
    v.boolean("flip", flip, "Mirrors every other image, left to right.");
    v.number("cutout", cutout, {0, 1024},
             "Side of a square that is blanked at a random place (arXiv:1708.04552).");
    v.number(
        "mixup", mixup, {0, 1},
        "Alpha of mixup (arXiv:1710.09412): images are blended in pairs by Beta(alpha, alpha).");
  }
};

/// A stratified split of data that come in one piece.
struct SplitConfig {
  std::int64_t train = 0;
  std::int64_t test = 0;
  std::uint64_t seed = 1;

  template <class Visitor>
  void describe(Visitor& v) {
    constexpr std::int64_t kMany = 1'000'000'000;
    v.number("train", train, {1, kMany}, "Samples to train with.", Need::required);
    v.number("test", test, {1, kMany}, "Samples to test with.", Need::required);
    v.number("seed", seed, {0, 1'000'000'000}, "Of this split alone.");
  }
};

/// A size that all images are brought to.
struct ResizeConfig {
  std::int64_t height = 0;
  std::int64_t width = 0;

  template <class Visitor>
  void describe(Visitor& v) {
    v.number("height", height, {1, 65535}, "In pixels.", Need::required);
    v.number("width", width, {1, 65535}, "In pixels.", Need::required);
  }
};

/// The "data" object of a config (DESIGN section 12).
struct DataConfig {
  std::string format = "image_folder";
  std::string path;
  std::string train;
  std::string test;
  std::optional<SplitConfig> split;
  double validation_share = 0.1;
  std::string on_broken_image = "stop";
  std::int64_t classes = 0;
  std::int64_t channels = 0;
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::string label_column = "last";
  std::optional<ResizeConfig> resize;
  NormalizeConfig normalize;
  AugmentConfig augment;

  template <class Visitor>
  void describe(Visitor& v) {
    v.choice(
        "format", format, {"idx", "cifar10_binary", "image_folder", "image_tar", "csv"},
        "idx: MNIST's files; cifar10_binary: CIFAR-10's; image_folder, image_tar: JPEG and PNG "
        "files in SET/CLASS/; csv: one image a line.",
        Need::required);
    v.text("path", path, "A folder, or the file for image_tar and csv.", Need::required);
    v.text("train", train,
           "Training set: prefix of the files (idx), folder (images), file (cifar10_binary, csv).");
    v.text("test", test, "Test set, likewise.");
    v.optional_object("split", split, "Makes both sets from one (csv).");
    v.number("validation_share", validation_share, {0, 0.9},
             "Share of the training set that is kept back, in equal shares of each class.");
    v.choice("on_broken_image", on_broken_image, {"stop", "skip"},
             "What to do with an image that cannot be decoded.");
    v.number("classes", classes, {0, 1'000'000}, "Number of classes; 0: as the data have them.");
    v.number("channels", channels, {0, 4}, "csv: of an image; images: 1 decodes to grey.");
    v.number("height", height, {0, 65535}, "csv: of an image.");
    v.number("width", width, {0, 65535}, "csv: of an image.");
    v.choice("label_column", label_column, {"first", "last"}, "csv: where the label stands.");
    v.optional_object("resize", resize,
                      "Brings images to one size, bilinear and antialiased; without it all images "
                      "of a set must have the same.");
    v.object("normalize", normalize, "From pixels to the network's input.");
    v.object("augment", augment, "What is changed in training images.");
  }

  std::optional<ConfigProblem> problem() const {
    if (format == "csv" && (channels < 1 || height < 1 || width < 1)) {
      return ConfigProblem{"", "expected channels, height and width with the format csv"};
    }
    if (split && format != "csv") {
      return ConfigProblem{"split", "expected only with the format csv"};
    }
    if (split && !(train.empty() && test.empty())) {
      return ConfigProblem{"split", "expected either split, or train and test"};
    }
    return {};
  }
};

}  // namespace xgen::train
