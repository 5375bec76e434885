#include "cli/run/calibrate.h"

#include <torch/torch.h>

#include "cli/run/sample_batches.h"
#include "quantize/concat_ranges.h"
#include "quantize/qdq.h"
#include "quantize/ranges.h"

namespace xgen::cli {

std::map<std::string, quantize::ActivationRange> calibrate(RunContext& run, const ir::Graph& graph,
                                                           const quantize::QuantizeConfig& config) {
  train::GraphModule module(graph, run.device());
  const torch::NoGradGuard no_grad;
  SampleBatches batches(run.samples(), "calibration", config.calibration_samples);
  const auto next = [&]() -> torch::Tensor {
    train::Batch* batch = batches.next();
    return batch != nullptr ? train::images_of(*batch) : torch::Tensor();
  };
  const auto values_of = [&](const torch::Tensor& images, const std::vector<std::string>& names) {
    return module.forward_values({images}, names);
  };
  return quantize::share_concat_ranges(
      graph, quantize::collect_ranges(values_of, next,
                                      quantize::values_to_observe(graph, config.exclude), config));
}

}  // namespace xgen::cli
