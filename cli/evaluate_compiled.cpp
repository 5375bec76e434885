#include "cli/evaluate_compiled.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>
#include <vector>

#include "core/error.h"
#include "core/interrupt.h"
#include "core/log.h"
#include "train/data/batch.h"

namespace xgen::cli {

namespace {

// From [n, height, width, channels] to [n, channels, height, width].
void to_planes(const train::Batch& batch, std::int64_t image, float* out) {
  const std::int64_t positions = batch.height * batch.width;
  const float* in = batch.images.data() + image * positions * batch.channels;
  for (std::int64_t c = 0; c < batch.channels; ++c) {
    for (std::int64_t p = 0; p < positions; ++p)
      out[c * positions + p] = in[p * batch.channels + c];
  }
}

void count(std::span<const float> logits, std::int64_t label, CompiledAccuracy& sums) {
  const float own = logits[static_cast<std::size_t>(label)];
  const auto better =
      std::count_if(logits.begin(), logits.end(), [&](float v) { return !(v < own); });
  sums.top1 += better <= 1 && !std::isnan(own);
  sums.top5 += better <= 5 && !std::isnan(own);
  const double most = *std::max_element(logits.begin(), logits.end());
  const double sum = std::accumulate(logits.begin(), logits.end(), 0.0, [&](double s, float v) {
    return s + std::exp(static_cast<double>(v) - most);
  });
  sums.loss += std::log(sum) + most - own;
}

}  // namespace

void check_classifier(const HostModel& model, const train::Dataset& data) {
  const auto text = [](const TensorInfo& t) {
    return str("\"", t.name, "\" ", ir::name_of(t.dtype), " ",
               ir::to_string(ir::to_shape(t.shape)));
  };
  const auto& in = model.inputs();
  if (in.size() != 1 || in[0].dtype != ir::DType::f32 || in[0].shape.size() != 4 ||
      in[0].shape[1] != data.channels() || in[0].shape[2] != data.height() ||
      in[0].shape[3] != data.width()) {
    throw UserError(str("the data are images of ", data.channels(), " x ", data.height(), " x ",
                        data.width(), ", which the model does not read: it has ", in.size(),
                        in.size() == 1 ? " input, " : " inputs, first ", text(in.at(0))));
  }
  const auto& out = model.outputs();
  if (out.size() != 1 || out[0].dtype != ir::DType::f32 || out[0].shape.size() != 2 ||
      out[0].shape[0] != in[0].shape[0] || out[0].shape[1] < data.classes()) {
    throw UserError(str("the data have ", data.classes(),
                        " classes, for which the model has no scores: it has ", out.size(),
                        out.size() == 1 ? " output, " : " outputs, first ", text(out.at(0))));
  }
}

CompiledAccuracy evaluate_kernels(HostModel& model, const train::Dataset& data,
                                  const train::NormalizeConfig& normalize) {
  check_classifier(model, data);
  constexpr std::int64_t kChunk = 250;  // images prepared at a time
  const train::BatchMaker maker(data, normalize, {});
  const std::int64_t per_run = model.inputs()[0].shape[0];
  const std::int64_t image = data.channels() * data.height() * data.width();
  const std::int64_t classes = model.outputs()[0].shape[1];
  std::vector<float> images(static_cast<std::size_t>(per_run * image));
  std::vector<float> logits(static_cast<std::size_t>(per_run * classes));
  const void* in[] = {images.data()};
  void* out[] = {logits.data()};
  CompiledAccuracy sums;
  sums.samples = data.size();
  log::Progress progress("compiled kernels", data.size(), "images");
  for (std::int64_t first = 0; first < data.size(); first += kChunk) {
    if (interrupt_requested()) throw Interrupted("stopped while the accuracy was measured");
    std::vector<std::int64_t> positions(
        static_cast<std::size_t>(std::min(kChunk, data.size() - first)));
    std::iota(positions.begin(), positions.end(), first);
    const train::Batch batch = maker.plain(positions);
    for (std::int64_t i = 0; i < batch.size(); i += per_run) {
      const std::int64_t n = std::min(per_run, batch.size() - i);
      for (std::int64_t k = 0; k < n; ++k) to_planes(batch, i + k, images.data() + k * image);
      model.run_raw(in, out);
      for (std::int64_t k = 0; k < n; ++k) {
        count(std::span(logits).subspan(static_cast<std::size_t>(k * classes),
                                        static_cast<std::size_t>(classes)),
              batch.labels[static_cast<std::size_t>(i + k)], sums);
      }
    }
    progress.update(first + batch.size());
  }
  const auto n = static_cast<double>(std::max<std::int64_t>(1, data.size()));
  sums.top1 /= n;
  sums.top5 /= n;
  sums.loss /= n;
  return sums;
}

}  // namespace xgen::cli
