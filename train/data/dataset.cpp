#include "train/data/dataset.h"

#include <algorithm>
#include <numeric>

#include "core/error.h"
#include "core/sha256.h"

namespace xgen::train {

Dataset::Dataset(ImageSet set) : indices_(set.labels.size()) {
  XGEN_CHECK(static_cast<std::int64_t>(set.pixels.size()) ==
                 set.image_size() * static_cast<std::int64_t>(set.labels.size()),
             set.pixels.size(), " bytes for ", set.labels.size(), " images");
  for (const std::int32_t label : set.labels) {
    XGEN_CHECK(label >= 0 && static_cast<std::size_t>(label) < set.class_names.size(), "label ",
               label);
  }
  std::iota(indices_.begin(), indices_.end(), 0U);
  set_ = std::make_shared<const ImageSet>(std::move(set));
}

std::span<const std::uint8_t> Dataset::pixels(std::int64_t i) const {
  const auto size = static_cast<std::size_t>(set_->image_size());
  return std::span(set_->pixels).subspan(index(i) * size, size);
}

Dataset Dataset::subset(const std::vector<std::int64_t>& positions) const {
  Dataset result;
  result.set_ = set_;
  result.indices_.reserve(positions.size());
  for (const std::int64_t i : positions) {
    result.indices_.push_back(static_cast<std::uint32_t>(index(i)));
  }
  return result;
}

std::string Dataset::hash() const {
  Sha256 sha;
  if (set_ == nullptr) return sha.hex();
  sha.update(str(size(), "x", channels(), "x", height(), "x", width(), "\n"));
  for (std::int64_t i = 0; i < size(); ++i) {
    const std::int32_t number = label(i);
    sha.update(std::as_bytes(pixels(i)));
    sha.update(std::as_bytes(std::span(&number, 1)));
  }
  return sha.hex();
}

std::vector<std::int64_t> stratified_positions(const Dataset& data, std::int64_t count,
                                               RandomStream random) {
  XGEN_CHECK(count >= 0 && count <= data.size(), count, " of ", data.size(), " samples");
  if (count == 0) return {};
  std::vector<std::vector<std::int64_t>> of_class(static_cast<std::size_t>(data.classes()));
  for (std::int64_t i = 0; i < data.size(); ++i) {
    of_class[static_cast<std::size_t>(data.label(i))].push_back(i);
  }
  // Quotas are count * size / n; integers, so that no rounding depends on a machine.
  std::vector<std::int64_t> quota(of_class.size());
  std::vector<std::size_t> by_remainder(of_class.size());
  std::iota(by_remainder.begin(), by_remainder.end(), std::size_t{0});
  std::int64_t given = 0;
  const auto share = [&](std::size_t c) { return count * std::ssize(of_class[c]); };
  for (std::size_t c = 0; c < quota.size(); ++c) given += quota[c] = share(c) / data.size();
  std::stable_sort(by_remainder.begin(), by_remainder.end(), [&](std::size_t a, std::size_t b) {
    return share(a) % data.size() > share(b) % data.size();
  });
  for (std::size_t k = 0; given < count; ++k, ++given) ++quota[by_remainder[k]];

  std::vector<std::int64_t> chosen;
  for (std::size_t c = 0; c < quota.size(); ++c) {
    const auto order = random.permutation(std::ssize(of_class[c]));
    for (std::int64_t k = 0; k < quota[c]; ++k) {
      chosen.push_back(of_class[c][static_cast<std::size_t>(order[static_cast<std::size_t>(k)])]);
    }
  }
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

std::vector<std::int64_t> other_positions(std::int64_t size,
                                          const std::vector<std::int64_t>& positions) {
  std::vector<std::int64_t> rest;
  auto next = positions.begin();
  for (std::int64_t i = 0; i < size; ++i) {
    if (next != positions.end() && *next == i) {
      ++next;
    } else {
      rest.push_back(i);
    }
  }
  return rest;
}

}  // namespace xgen::train
