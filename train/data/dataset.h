#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/random.h"

namespace xgen::train {

/// Images of one size with labels, decoded once.
struct ImageSet {
  std::int64_t channels = 0, height = 0, width = 0;
  std::vector<std::uint8_t> pixels;  ///< [n, channels, height, width].
  std::vector<std::int32_t> labels;  ///< [n], in 0 .. class_names.size() - 1.
  std::vector<std::string> class_names;
  std::string decoder;  ///< what made pixels of files: "libjpeg-turbo 2.1.5, libpng 1.6.39".

  std::int64_t image_size() const { return channels * height * width; }
};

/// Some samples of an ImageSet, in an order. Cheap to copy.
class Dataset {
 public:
  Dataset() = default;
  /// All samples. @throws InternalError when the parts of `set` do not fit.
  explicit Dataset(ImageSet set);

  std::int64_t size() const { return static_cast<std::int64_t>(indices_.size()); }
  bool empty() const { return indices_.empty(); }
  std::int64_t channels() const { return set_->channels; }
  std::int64_t height() const { return set_->height; }
  std::int64_t width() const { return set_->width; }
  std::int64_t classes() const { return static_cast<std::int64_t>(set_->class_names.size()); }
  const std::vector<std::string>& class_names() const { return set_->class_names; }
  const std::string& decoder() const { return set_->decoder; }

  /// [channels, height, width].
  std::span<const std::uint8_t> pixels(std::int64_t i) const;
  std::int32_t label(std::int64_t i) const { return set_->labels[index(i)]; }

  /// The samples at these positions of this data set.
  Dataset subset(const std::vector<std::int64_t>& positions) const;
  /// SHA-256 over sizes, pixels and labels of these samples, in order.
  std::string hash() const;

 private:
  std::size_t index(std::int64_t i) const { return indices_.at(static_cast<std::size_t>(i)); }

  std::shared_ptr<const ImageSet> set_;
  std::vector<std::uint32_t> indices_;
};

/// `count` random positions, of every class as many as its share of the data set (largest
/// remainders, ties to the class of the smaller number), in ascending order.
std::vector<std::int64_t> stratified_positions(const Dataset& data, std::int64_t count,
                                               RandomStream random);

/// The positions below `size` that are not in the ascending list `positions`.
std::vector<std::int64_t> other_positions(std::int64_t size,
                                          const std::vector<std::int64_t>& positions);

}  // namespace xgen::train
