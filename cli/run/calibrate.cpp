#include "cli/run/calibrate.h"

#include <torch/torch.h>

#include "quantize/concat_ranges.h"
#include "quantize/qdq.h"
#include "quantize/ranges.h"
#include "train/data/batch.h"

namespace xgen::cli {

std::map<std::string, quantize::ActivationRange> calibrate(RunContext& run, const ir::Graph& graph,
                                                           const quantize::QuantizeConfig& config) {
  constexpr std::int64_t kBatch = 64;
  train::GraphModule module(graph, run.device());
  const torch::NoGradGuard no_grad;
  const train::BatchMaker maker(run.data().train, run.config().data.normalize, {});
  const std::int64_t samples =
      std::min<std::int64_t>(config.calibration_samples, run.data().train.size());
  const std::vector<std::int64_t> order = train::stratified_positions(
      run.data().train, samples, Random(run.config().seed).stream("calibration"));
  std::int64_t first = 0;
  // The images' memory belongs to the batch, which lives until the next one is asked for.
  train::Batch batch;
  const auto next = [&]() -> torch::Tensor {
    if (first >= samples) return {};
    const std::int64_t last = std::min(samples, first + kBatch);
    batch = maker.plain({order.begin() + first, order.begin() + last});
    first = last;
    return train::images_of(batch);
  };
  const auto values_of = [&](const torch::Tensor& images, const std::vector<std::string>& names) {
    return module.forward_values({images}, names);
  };
  return quantize::share_concat_ranges(
      graph, quantize::collect_ranges(values_of, next,
                                      quantize::values_to_observe(graph, config.exclude), config));
}

}  // namespace xgen::cli
