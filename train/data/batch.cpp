#include "train/data/batch.h"

#include <algorithm>

#include "core/error.h"

namespace xgen::train {

struct BatchMaker::Place {
  std::int64_t row = 0, column = 0;  ///< of the image, under the output's first pixel.
  bool mirrored = false;
  /// Blanked: rows and columns of the output, half open.
  std::int64_t top = 0, bottom = 0, left = 0, right = 0;
};

BatchMaker::BatchMaker(Dataset data, const NormalizeConfig& normalize, const AugmentConfig& augment)
    : data_(std::move(data)), augment_(augment) {
  const auto channels = static_cast<std::size_t>(data_.channels());
  const auto of = [&](const std::vector<double>& numbers, std::size_t c) {
    XGEN_CHECK(numbers.size() == 1 || numbers.size() == channels, numbers.size(), " numbers for ",
               channels, " channels");
    return numbers.size() == 1 ? numbers[0] : numbers[c];
  };
  for (std::size_t c = 0; c < channels; ++c) {
    for (int byte = 0; byte < 256; ++byte) {
      table_.push_back(static_cast<float>((byte / normalize.divide - of(normalize.mean, c)) /
                                          of(normalize.std, c)));
    }
  }
}

Batch BatchMaker::empty(std::int64_t n) const {
  Batch batch;
  batch.channels = data_.channels();
  batch.height = data_.height();
  batch.width = data_.width();
  batch.images.resize(static_cast<std::size_t>(n * batch.channels * batch.height * batch.width));
  batch.labels.reserve(static_cast<std::size_t>(n));
  return batch;
}

void BatchMaker::write(std::int64_t position, const Place& place, float* out) const {
  const std::int64_t channels = data_.channels(), height = data_.height(), width = data_.width();
  const std::uint8_t* pixels = data_.pixels(position).data();
  for (std::int64_t y = 0; y < height; ++y) {
    for (std::int64_t x = 0; x < width; ++x) {
      const std::int64_t row = y + place.row;
      const std::int64_t column = (place.mirrored ? width - 1 - x : x) + place.column;
      const bool inside = row >= 0 && row < height && column >= 0 && column < width;
      const bool blanked = y >= place.top && y < place.bottom && x >= place.left && x < place.right;
      for (std::int64_t c = 0; c < channels; ++c) {
        // Outside of the image are black pixels; a blank is the mean, 0 after normalisation.
        const std::uint8_t byte = inside ? pixels[(c * height + row) * width + column] : 0;
        *out++ = blanked ? 0.0F : table_[static_cast<std::size_t>(c * 256 + byte)];
      }
    }
  }
}

Batch BatchMaker::plain(const std::vector<std::int64_t>& positions) const {
  Batch batch = empty(std::ssize(positions));
  float* out = batch.images.data();
  const std::int64_t size = data_.channels() * data_.height() * data_.width();
  for (const std::int64_t position : positions) {
    write(position, {}, out);
    out += size;
    batch.labels.push_back(data_.label(position));
  }
  return batch;
}

Batch BatchMaker::augmented(const std::vector<std::int64_t>& positions, const Random& random,
                            std::int64_t epoch, std::int64_t batch_number) const {
  Batch batch = empty(std::ssize(positions));
  float* out = batch.images.data();
  const std::int64_t size = data_.channels() * data_.height() * data_.width();
  for (const std::int64_t position : positions) {
    RandomStream sample = random.stream("augment", epoch, position);
    Place place;
    if (const std::int64_t pad = augment_.random_crop_padding; pad > 0) {
      place.row = sample.integer(-pad, pad);
      place.column = sample.integer(-pad, pad);
    }
    if (augment_.flip) place.mirrored = sample.chance(0.5);
    if (const std::int64_t side = augment_.cutout; side > 0) {
      place.top = sample.integer(0, data_.height() - 1) - side / 2;
      place.left = sample.integer(0, data_.width() - 1) - side / 2;
      place.bottom = place.top + side;
      place.right = place.left + side;
    }
    write(position, place, out);
    out += size;
    batch.labels.push_back(data_.label(position));
  }
  if (augment_.mixup > 0) {
    RandomStream mix = random.stream("mixup", epoch, batch_number);
    batch.first_share = mix.beta(augment_.mixup);
    const auto partner = mix.permutation(batch.size());
    const std::vector<float> images = batch.images;
    const auto share = static_cast<float>(batch.first_share);
    for (std::size_t i = 0; i < partner.size(); ++i) {
      const auto other = static_cast<std::size_t>(partner[i]);
      batch.second_labels.push_back(batch.labels[other]);
      const auto n = static_cast<std::size_t>(size);
      for (std::size_t k = 0; k < n; ++k) {
        float& value = batch.images[i * n + k];
        value = share * value + (1 - share) * images[other * n + k];
      }
    }
  }
  return batch;
}

}  // namespace xgen::train
